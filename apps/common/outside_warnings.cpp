#include "outside_warnings.hpp"

#include <fmt/format.h>

#include <gapkit/potentials/atom_field.hpp>

namespace gapkit::apps {
namespace {

constexpr double novelty_limit = 0.5;  // of the prior variance

}  // namespace

void NoveltyWarning::look_at(const std::string& frame, const Prediction& prediction) {
  ++frames_;
  if (!prediction.novelty || !(*prediction.novelty > novelty_limit)) return;
  ++outside_;
  if (*prediction.novelty > largest_) {
    largest_ = *prediction.novelty;
    worst_ = frame;
  }
}

std::string NoveltyWarning::text() const {
  return fmt::format(
      "{} of {} frames have environments that the sparse set does not span (novelty above {:.0f} % of the prior variance; worst: {}, "
      "{:.0f} %): their predictions and error bars are close to the prior; add such structures to the training data",
      outside_, frames_, 100 * novelty_limit, worst_, 100 * largest_);
}

std::vector<std::string> UnsampledWarning::look_at(const std::string& frame, const Model& model, const Prediction& prediction) {
  std::vector<std::string> texts;
  for (const std::size_t t : prediction.unsampled_terms)
    if (warned_.insert(t).second)
      texts.push_back(fmt::format("{} has {} environments of '{}', of which the training data had none: their energy is left out", frame,
                                  model.terms[t].descriptor_name, combination_name(model.terms[t].species)));
  return texts;
}

std::vector<std::string> AssumptionWarning::look_at(const Structure& frame, const Model& model) {
  std::vector<std::string> texts;
  const auto once = [&](const std::string& what, const std::string& text) {
    if (warned_.insert(what).second) texts.push_back(text);
  };
  if (const auto note = model.notes.find("short_range_of"); note != model.notes.end())
    once("short range", fmt::format("the model is the short range of another one: its energies and forces lack {}", note->second));
  for (const std::string& key : total_keys(model.baselines))
    if (!frame.find_field(key))
      once(key, fmt::format("{} has no key '{}': its charge is taken as 0 e, like that of all frames without it", frame.source, key));
  return texts;
}

void OutsideWarnings::look_at(const std::string& frame, const Prediction& prediction, ProgressDisplay& display) {
  const bool was_close = closeness_.is_needed(), was_outside = novelty_.is_needed();
  closeness_.look_at(frame, prediction.closeness, prediction.is_finite);
  novelty_.look_at(frame, prediction);
  std::vector<std::string> texts = unsampled_.look_at(frame, model_, prediction);
  if (closeness_.is_needed() && !was_close) texts.push_back(closeness_.text());
  if (novelty_.is_needed() && !was_outside) texts.push_back(novelty_.text());
  for (const std::string& text : texts) display.warning(model_name_.empty() ? text : model_name_ + ": " + text);
}

}  // namespace gapkit::apps
