#include <fmt/format.h>

#include <algorithm>
#include <gapkit/fit/dataset.hpp>

#include "active/source.hpp"

namespace gapkit {
namespace {

/// Random displacements and strains of given frames, different in every round.
class RattleSource : public Source {
 public:
  RattleSource(const SourceOptions& source, const LoopOptions& loop) : source_(source) {
    FileDataset(source.files, loop.fit.keys).visit([&](const Structure& s, const FramePlace&) { frames_.push_back(s); });
    for (Structure& s : frames_) remove_targets(s);
  }

  void propose(const RoundContext& context, std::vector<Proposal>& proposals) override {
    PerturbOptions perturb = source_.perturb;
    perturb.seed = context.seed_of(source_.name);
    largest_ = 0;
    above_ = astray_ = 0;
    std::uint64_t index = 0;
    const std::int64_t first = static_cast<std::int64_t>(context.round) * source_.count * static_cast<std::int64_t>(frames_.size());
    for (const Structure& frame : frames_)
      for (int i = 0; i < source_.count; ++i, ++index) {
        Structure s = perturbed(frame, perturb, index);
        const double std = context.error_bar_of(s);
        if (context.progress) context.progress({.phase = "propose", .done = static_cast<double>(index + 1), .unit = "structures"});
        largest_ = std::max(largest_, std);
        if (!(std > context.threshold.value)) continue;
        ++(std > context.threshold.upper ? astray_ : above_);
        proposals.push_back(make_proposal(std::move(s), source_, first + static_cast<std::int64_t>(index), std, reason_of(context, std)));
      }
  }

  bool is_quiet() const override { return true; }
  std::string summary() const override {
    return fmt::format(R"({{"above_threshold": {}, "above_upper": {}, "largest_std": {:.6g}}})", above_ + astray_, astray_, largest_);
  }

 private:
  SourceOptions source_;
  std::vector<Structure> frames_;
  int above_ = 0, astray_ = 0;
  double largest_ = 0;
};

}  // namespace

std::unique_ptr<Source> make_rattle_source(const SourceOptions& source, const LoopOptions& loop) {
  return std::make_unique<RattleSource>(source, loop);
}

}  // namespace gapkit
