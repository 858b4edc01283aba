#include "fit/frame_sample.hpp"

#include <algorithm>
#include <gapkit/math/random_stream.hpp>

namespace gapkit {
namespace {

/// Of one config type.
struct Quota {
  std::int64_t wanted = 0, to_come = 0, atoms = 0;
};

/// One more frame of each type in turn, up to the bound.
std::map<std::string, Quota> quotas_of(const std::map<std::string, std::int64_t>& frames_of_types) {
  std::map<std::string, Quota> quotas;
  for (const auto& [name, count] : frames_of_types) quotas[name].to_come = count;
  std::int64_t left = most_frames_of_sample;
  for (bool has_changed = true; has_changed && left > 0;) {
    has_changed = false;
    for (auto& [name, quota] : quotas) {
      if (left == 0 || quota.wanted == quota.to_come) continue;
      ++quota.wanted;
      --left;
      has_changed = true;
    }
  }
  return quotas;
}

}  // namespace

std::vector<std::int64_t> choose_sample(const DatasetSummary& summary, std::uint64_t seed) {
  std::map<std::string, Quota> quotas = quotas_of(summary.frames_of_types());
  const std::int64_t atoms_of_type = most_atoms_of_sample / std::max<std::int64_t>(1, static_cast<std::int64_t>(quotas.size()));
  RandomStream random{.seed = seed, .stream = 0x8CB92BA72F3D8DD7u};
  std::vector<std::int64_t> sample;
  for (const DatasetSummary::Frame& frame : summary.frames) {
    Quota& quota = quotas[summary.config_types[static_cast<std::size_t>(frame.config_type)]];
    // Each frame to come has the same probability.
    const bool is_chosen = random.below(static_cast<std::uint64_t>(quota.to_come)) < static_cast<std::uint64_t>(quota.wanted);
    --quota.to_come;
    if (!is_chosen) continue;
    --quota.wanted;
    if (frame.atoms < 2 || quota.atoms + frame.atoms > atoms_of_type) continue;
    quota.atoms += frame.atoms;
    sample.push_back(frame.number);
  }
  return sample;
}

void FrameSample::add(const Structure& frame, std::int64_t number) {
  if (!std::binary_search(numbers_.begin(), numbers_.end(), number)) return;
  frames_.push_back(frame);
}

}  // namespace gapkit
