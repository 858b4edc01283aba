#pragma once

#include <gapkit/active/choose.hpp>
#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/io/targets.hpp>

namespace gapkit {

/// One trajectory of a source.
struct Replica {
  double temperature = 0;    ///< K, of the thermostat
  double volume_factor = 1;  ///< of the initial structure
  MdState state;
  MdState sane;                    ///< at the last check below the upper threshold
  std::int64_t quiet_steps = 0;    ///< since the last error bar above the threshold
  std::int64_t turn_steps = 0;     ///< in the current turn
  std::int64_t last_proposal = 0;  ///< step
  int proposals = 0;               ///< in this round
  bool is_stopped = false;         ///< for this round
  double largest_std = 0;          ///< in this round
};

struct MdProposal {
  int turn = 0;  ///< RoundContext::turn of the proposal
  Proposal proposal;
};

/// All trajectories of a source and their proposals in this round.
struct Replicas {
  std::vector<Replica> list;
  std::vector<MdProposal> proposals;
  int turns = 0;  ///< finished turns
};

/// Saves to `<stem>.<number>.h5` and `.xyz`, then to `<stem>.json`, which names them; removes the files of the previous save.
void save_replicas(const Replicas& replicas, const std::filesystem::path& stem, const TargetKeys& keys);
/// False if there is no saved state.
bool load_replicas(Replicas& replicas, const std::filesystem::path& stem, const TargetKeys& keys);

}  // namespace gapkit
