#include <fmt/format.h>

#include <gapkit/core/errors.hpp>

#include "common/launcher.hpp"
#include "processes.hpp"

namespace gapkit::apps {

std::unique_ptr<Processes> join_processes() {
  const std::optional<Rank> rank = rank_of_launcher();
  if (rank && rank->size.value_or(1) > 1)
    throw InputError(
        fmt::format("started in {} processes, which would all write the same files: this program was built without MPI (cmake option "
                    "GAPKIT_MPI); start one process, with threads (OMP_NUM_THREADS)",
                    *rank->size));
  return nullptr;
}

}  // namespace gapkit::apps
