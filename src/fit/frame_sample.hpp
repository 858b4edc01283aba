#pragma once

#include <gapkit/fit/dataset.hpp>

namespace gapkit {

/// Bounds of a sample.
inline constexpr std::int64_t most_frames_of_sample = 200, most_atoms_of_sample = 10'000;

/// Numbers of some frames, drawn at random with a seed: equally many of each config type, or all that it has. Frames of one atom are left
/// out.
std::vector<std::int64_t> choose_sample(const DatasetSummary& summary, std::uint64_t seed);

/// Keeps the frames of a sample, without fields; potentials may read columns (charges).
class FrameSample {
 public:
  explicit FrameSample(std::vector<std::int64_t> numbers) : numbers_(std::move(numbers)) {}

  void add(const Structure& frame, std::int64_t number);
  const std::vector<Structure>& frames() const { return frames_; }

 private:
  std::vector<std::int64_t> numbers_;
  std::vector<Structure> frames_;
};

}  // namespace gapkit
