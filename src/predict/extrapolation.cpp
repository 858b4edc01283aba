#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/predict/extrapolation.hpp>
#include <gapkit/predict/posterior_check.hpp>

namespace gapkit {
namespace {

const ExtrapolationThreshold* threshold_of(const Model& model, int element) {
  const auto& all = model.calibration->extrapolation;
  const auto found = std::find_if(all.begin(), all.end(), [&](const ExtrapolationThreshold& t) { return t.element == element; });
  return found == all.end() ? nullptr : &*found;
}

std::string lack_of(int element) {
  return fmt::format(
      "the model has no extrapolation threshold for {}, because its calibration left out too few atoms of it; "
      "predict without the grade, or fit more structures with this element",
      element_symbol(element));
}

}  // namespace

bool gives_extrapolation(const Model& model, std::span<const int> elements) {
  return model.has_extrapolation() &&
         std::all_of(elements.begin(), elements.end(), [&](int z) { return threshold_of(model, z) != nullptr; });
}

void require_extrapolation(const Model& model) {
  require_posterior(model);
  if (model.has_extrapolation()) return;
  throw InputError(
      "this model has no extrapolation thresholds: it is of an earlier version, its data were too few, or its error bars are not "
      "calibrated "
      "by leaving structures out; a fit with [calibration] source = \"leave_one_out\" (the default), or gap-fit --refit, --append or "
      "--merge "
      "with --train, gives them");
}

void require_extrapolation(const Model& model, std::span<const int> elements, const std::string& where) {
  require_extrapolation(model);
  for (std::size_t i = 0; i < elements.size(); ++i)
    if (!threshold_of(model, elements[i])) throw InputError(fmt::format("{}: atom {}: {}", where, i + 1, lack_of(elements[i])));
}

double extrapolation_grade(const Model& model, int element, const Variance& local_energy) {
  const ExtrapolationThreshold* threshold = threshold_of(model, element);
  if (!threshold) throw InputError(lack_of(element));
  return std::max({std::sqrt(local_energy.relative) / threshold->novelty, std::sqrt(local_energy.total()) / threshold->std,
                   std::sqrt(local_energy.full) / threshold->full_novelty});
}

}  // namespace gapkit
