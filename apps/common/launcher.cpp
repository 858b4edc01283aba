#include "launcher.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

namespace gapkit::apps {
namespace {

/// Names of the processes that start the ranks of Open MPI, MPICH, Intel MPI, MVAPICH, Slurm and PALS, as the kernel keeps them.
constexpr std::array<std::string_view, 12> launchers = {"orted",         "prted",         "prte",       "mpirun",
                                                        "mpiexec",       "mpiexec.hydra", "orterun",    "prterun",
                                                        "hydra_pmi_pro", "hydra_bstrap_", "slurmstepd", "palsd"};

constexpr std::array ranks = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "MV2_COMM_WORLD_RANK", "PALS_RANKID", "SLURM_PROCID"};
constexpr std::array sizes = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"};

std::optional<int> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (!text || !*text) return {};
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  if (*end != 0 || number < 0 || number > 100'000'000) return {};
  return static_cast<int>(number);
}

}  // namespace

std::optional<Rank> rank_of_launcher(const std::filesystem::path& root) {
  std::string parent;
  std::getline(std::ifstream(root / "proc" / std::to_string(::getppid()) / "comm"), parent);
  bool is_launched = false;
  for (const std::string_view name : launchers) is_launched = is_launched || name.substr(0, 15) == parent;
  if (!is_launched) return {};
  for (const char* variable : ranks) {
    const auto rank = number_in(variable);
    if (!rank) continue;
    Rank result{*rank, {}};
    for (const char* size : sizes)
      if (!result.size) result.size = number_in(size);
    return result;
  }
  return {};
}

bool has_launcher_variables() {
  return std::any_of(ranks.begin(), ranks.end(), [](const char* variable) { return number_in(variable).has_value(); });
}

}  // namespace gapkit::apps
