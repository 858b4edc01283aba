#include "novelty_warning.hpp"

#include <fmt/format.h>

namespace gapkit::apps {
namespace {

constexpr double most_novelty = 0.5;  // of the prior variance

}  // namespace

void NoveltyWarning::look_at(const Structure& frame, const Prediction& prediction) {
  ++frames_;
  if (!prediction.novelty || !(*prediction.novelty > most_novelty)) return;
  ++outside_;
  if (*prediction.novelty > largest_) {
    largest_ = *prediction.novelty;
    worst_ = frame.source;
  }
}

std::string NoveltyWarning::text() const {
  return fmt::format(
      "{} of {} frames have environments that the sparse set does not span (novelty above {:.0f} % of the prior variance; worst: {}, "
      "{:.0f} %): their predictions and error bars are close to the prior; add such structures to the training data",
      outside_, frames_, 100 * most_novelty, worst_, 100 * largest_);
}

}  // namespace gapkit::apps
