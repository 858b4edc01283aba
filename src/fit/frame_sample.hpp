#pragma once

#include <gapkit/core/structure.hpp>
#include <gapkit/math/random_stream.hpp>
#include <map>

namespace gapkit {

/// Some of the frames that pass by, drawn at random with a seed within each config type: equally many of each type, as far as it has
/// them. Frames of one atom are passed over. Memory: that of the frames' atoms, within the bounds.
class FrameSample {
 public:
  static constexpr std::int64_t most_frames = 200, most_atoms = 10'000;

  /// `config_types`: the number of frames to come, by config type.
  FrameSample(const std::map<std::string, std::int64_t>& config_types, std::uint64_t seed);

  void add(const Structure& frame);
  const std::vector<Structure>& frames() const { return frames_; }

 private:
  struct Quota {
    std::int64_t wanted = 0, to_come = 0, atoms = 0;
  };

  std::map<std::string, Quota> quotas_;
  std::int64_t atoms_of_type_ = 0;  // that each type may have
  RandomStream random_;
  std::vector<Structure> frames_;
};

}  // namespace gapkit
