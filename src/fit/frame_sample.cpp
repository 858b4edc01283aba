#include "fit/frame_sample.hpp"

namespace gapkit {

FrameSample::FrameSample(const std::map<std::string, std::int64_t>& config_types, std::uint64_t seed)
    : random_{.seed = seed, .stream = 0x8CB92BA72F3D8DD7u} {
  for (const auto& [name, count] : config_types) quotas_[name].to_come = count;
  // One more of each type, as long as frames are left to give.
  std::int64_t left = most_frames;
  for (bool has_changed = true; has_changed && left > 0;) {
    has_changed = false;
    for (auto& [name, quota] : quotas_) {
      if (left == 0 || quota.wanted == quota.to_come) continue;
      ++quota.wanted;
      --left;
      has_changed = true;
    }
  }
  atoms_of_type_ = most_atoms / std::max<std::int64_t>(1, static_cast<std::int64_t>(quotas_.size()));
}

void FrameSample::add(const Structure& frame) {
  Quota& quota = quotas_[frame.config_type];
  if (quota.to_come == 0) return;
  // Each of those to come is taken with the same probability.
  const bool is_chosen = random_.below(static_cast<std::uint64_t>(quota.to_come)) < static_cast<std::uint64_t>(quota.wanted);
  --quota.to_come;
  if (!is_chosen) return;
  --quota.wanted;
  if (frame.size() < 2 || quota.atoms + frame.size() > atoms_of_type_) return;
  quota.atoms += frame.size();
  Structure& kept = frames_.emplace_back(frame);
  kept.fields.clear();
  kept.columns.clear();
}

}  // namespace gapkit
