#pragma once

#include <filesystem>
#include <optional>

namespace gapkit::apps {

/// The place of a process among those that mpirun, mpiexec or srun started.
struct Rank {
  int rank = 0;
  std::optional<int> size;
};

/// Nothing if no such program is the parent of this process: variables that a script has inherited do not count.
std::optional<Rank> rank_of_launcher(const std::filesystem::path& root = "/");

/// Whether a launcher has set its variables, for this process or for one that it descends from.
bool has_launcher_variables();

}  // namespace gapkit::apps
