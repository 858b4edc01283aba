#include "fit/left_out_plan.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/math/random_stream.hpp>

namespace gapkit {
namespace {

constexpr double fewest_sampled = 100, most_sampled = 400;  // structures
constexpr double fewest_of_type = 5;

using Frame = DatasetSummary::Frame;

std::vector<Frame> draw_sample(const DatasetSummary& summary, double wanted, std::uint64_t seed, const std::vector<std::int64_t>& known) {
  std::vector<std::vector<Frame>> types(summary.config_types.size());
  std::size_t all = 0;
  for (const Frame& frame : summary.frames) {
    if (std::binary_search(known.begin(), known.end(), frame.number)) continue;
    types[static_cast<std::size_t>(frame.config_type)].push_back(frame);
    ++all;
  }
  RandomStream random{.seed = seed, .stream = 0x2545F4914F6CDD1Du};
  std::vector<Frame> sample;
  for (std::vector<Frame>& frames : types) {
    shuffle(frames, random);
    const double share = wanted * static_cast<double>(frames.size()) / static_cast<double>(all);
    const auto count = static_cast<std::size_t>(std::ceil(std::max(fewest_of_type, share)));
    frames.resize(std::min(frames.size(), count));
    sample.insert(sample.end(), frames.begin(), frames.end());
  }
  return sample;
}

/// At most this memory; masked rows are counted too.
double bytes_of_rows(const Frame& frame, const FitOptions& options, Eigen::Index points) {
  double bytes = 0;
  for (const TargetInfo& target : all_targets())
    if (options.uses(target))
      bytes +=
          static_cast<double>(target.row_count(frame.atoms)) * static_cast<double>(target.is_per_atom ? sizeof(float) : sizeof(double));
  return bytes * static_cast<double>(points);
}

std::vector<std::int64_t> numbers_of(const std::vector<Frame>& frames) {
  std::vector<std::int64_t> numbers;
  for (const Frame& frame : frames) numbers.push_back(frame.number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

LeftOutPlan plan_left_out(const DatasetSummary& summary, const FitOptions& options, Eigen::Index points, double bytes,
                          const std::vector<std::int64_t>& known) {
  bool has_jackknife = false;
  for (const TargetInfo& target : all_targets()) has_jackknife |= options.uses(target) && !target.is_per_atom;
  const bool takes_all = options.calibration.cautious || (has_jackknife && options.calibration.all_structures);
  std::vector<Frame> frames = draw_sample(summary, takes_all ? most_sampled : fewest_sampled, options.seed, known);
  LeftOutPlan plan;
  plan.sample = numbers_of(frames);
  if (takes_all)
    for (const Frame& frame : summary.frames)
      if (!std::binary_search(plan.sample.begin(), plan.sample.end(), frame.number)) frames.push_back(frame);
  plan.needed = numbers_of(frames);
  std::vector<Frame> kept;
  for (const Frame& frame : frames) {
    bytes -= bytes_of_rows(frame, options, points);
    if (bytes < 0) break;
    kept.push_back(frame);
  }
  plan.kept = numbers_of(kept);
  return plan;
}

}  // namespace gapkit
