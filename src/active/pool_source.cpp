#include <fmt/format.h>

#include <algorithm>
#include <gapkit/fit/dataset.hpp>
#include <gapkit/io/checksum.hpp>
#include <gapkit/io/targets.hpp>
#include <queue>

#include "active/source.hpp"

namespace gapkit {
namespace {

/// Frames of files, each at most once.
class PoolSource : public Source {
 public:
  explicit PoolSource(const SourceOptions& source) : source_(source) {}

  void propose(const RoundContext& context, std::vector<Proposal>& proposals) override {
    const auto& options = context.options;
    const bool is_random = options.choose.method == ChooseOptions::Method::random;
    const bool wants_std = options.threshold.mode != ThresholdOptions::Mode::none || !is_random;
    const auto used = context.used.find(source_.name);
    const std::uint64_t seed = context.seed_of(source_.name);
    const auto most = static_cast<std::size_t>(std::max(options.choose.candidates, options.choose.per_round));
    std::vector<Entry> kept;  // a heap with the smallest key first
    const auto is_behind = [](const Entry& a, const Entry& b) {
      return a.key != b.key ? a.key > b.key : a.proposal.frame < b.proposal.frame;
    };
    left_ = above_ = 0;
    largest_ = 0;
    FileDataset(source_.files, options.fit.keys).visit([&](const Structure& frame, const FramePlace& place) {
      const std::int64_t number = place.number;
      if (used != context.used.end() && used->second.count(number) > 0) return;
      ++left_;
      check_base(frame, options.fit);
      const double std = wants_std ? context.error_bar_of(frame) : 0;
      if (context.progress) context.progress({.phase = "propose", .done = static_cast<double>(number + 1), .unit = "frames"});
      largest_ = std::max(largest_, std);
      if (options.threshold.mode != ThresholdOptions::Mode::none && !(std > context.threshold.value)) return;
      ++above_;
      // Keeps the frames with the largest error bars; for a random choice, random frames.
      kept.push_back({is_random ? random_key(seed, number) : std, make_proposal(frame, source_, number, std, reason_of(context, std))});
      std::push_heap(kept.begin(), kept.end(), is_behind);
      if (kept.size() <= most) return;
      std::pop_heap(kept.begin(), kept.end(), is_behind);
      kept.pop_back();
    });
    std::sort(kept.begin(), kept.end(), [](const Entry& a, const Entry& b) { return a.proposal.frame < b.proposal.frame; });
    for (Entry& entry : kept) proposals.push_back(std::move(entry.proposal));
  }

  bool is_quiet() const override { return true; }  // one call visits all frames
  bool has_frames() const override { return true; }
  std::string summary() const override {
    return fmt::format(R"({{"frames_left": {}, "above_threshold": {}, "largest_std": {:.6g}}})", left_, above_, largest_);
  }

 private:
  struct Entry {
    double key;
    Proposal proposal;
  };

  // A frame without values of the base can be neither predicted nor learned, once it is labelled.
  static void check_base(const Structure& frame, const FitConfiguration& fit) {
    for (const TargetInfo& target : targets())
      if (fit.use[target.property] && fit.keys.base.has(target) && target.can_be_fitted(frame)) base_rows(frame, fit.keys.base, target);
  }

  static double random_key(std::uint64_t seed, std::int64_t number) {
    Checksum sum;
    sum.add(static_cast<std::int64_t>(seed));
    sum.add(number);
    return static_cast<double>(sum.value() >> 11);
  }

  SourceOptions source_;
  std::int64_t left_ = 0, above_ = 0;
  double largest_ = 0;
};

}  // namespace

std::unique_ptr<Source> make_pool_source(const SourceOptions& source) {
  return std::make_unique<PoolSource>(source);
}

}  // namespace gapkit
