#include "error_bar_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/model/fewer_points.hpp>
#include <gapkit/model/noise.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <numeric>

namespace gapkit::apps {
namespace {

struct Coverage {
  std::string with, without;  // names of the requested properties
};

Coverage coverage(const std::optional<Calibration>& calibration, const PredictionRequest& request, const char* between) {
  Coverage result;
  for (const TargetInfo& target : targets()) {
    if (!request.std_of(target.property)) continue;
    std::string& names = calibration && calibration->covers(target.property) ? result.with : result.without;
    names += (names.empty() ? "" : between) + std::string(target.std_names.front());
  }
  return result;
}

}  // namespace

std::string calibration_state(const Model& model, const PredictionRequest& request, int points) {
  const auto [with, without] = coverage(calibration_of_points(model, points), request, " ");
  if (with.empty()) return "uncalibrated";
  if (!request.calibrated) return "raw";
  return without.empty() ? "calibrated" : fmt::format("calibrated: {}; uncalibrated: {}", with, without);
}

std::string calibration_message(const Model& model, const PredictionRequest& request, int points) {
  if (!model.calibration) return "the error bars are uncalibrated (a fit calibrates them unless [calibration] source = \"none\")";
  const std::optional<Calibration> calibration = calibration_of_points(model, points);
  const auto [with, without] = coverage(calibration, request, ", ");
  if (with.empty() && without.empty()) return "error bars of local energies are the posterior's, without calibration";
  const auto [with_all, without_all] = coverage(model.calibration, request, ", ");
  if (with != with_all) {
    const int quick = quick_points(model);
    return fmt::format(
        "{}the error bars of {} are uncalibrated: the model has no calibration for {} of its {} sparse points, but for {}all",
        with.empty() ? "" : fmt::format("the error bars of {} are calibrated ({}); ", with, model.calibration->source), without, points,
        model.factor.size(), quick > 0 ? fmt::format("{} and for ", quick) : "");
  }
  if (with.empty()) return fmt::format("the error bars are uncalibrated: the calibration had no data of {}", without);
  if (!request.calibrated) return "--raw: the error bars come from the posterior and the fitted noise, without the model's calibration";
  if (!without.empty())
    return fmt::format("the error bars of {} are calibrated ({}), the error bars of {} are not: the calibration had no such data", with,
                       model.calibration->source, without);
  return fmt::format("the error bars are calibrated ({})", model.calibration->source);
}

std::string learned_part_note(const Model& model, const PredictionRequest& request) {
  std::string text;
  for (const PotentialPointer& potential : model.baselines) {
    const FieldDependence* dependence = field_dependence(*potential);
    if (!dependence) continue;
    const bool is_calibrated = std::any_of(model.properties.begin(), model.properties.end(), [&](const FittedProperty& p) {
      return p.keys.name == dependence->property() && p.field->calibration && p.field->calibration->covers(Property::value);
    });
    std::string names = request.energy_std && !is_calibrated ? "energies" : "";
    if (request.force_std || request.stress_std || request.local_std)
      names += std::string(names.empty() ? "" : ", ") + "forces, stress and energies of atoms";
    if (names.empty()) continue;
    text += fmt::format("{}the error bars of {} lack the uncertainty of the property '{}', on which the part '{}' of the energy depends{}",
                        text.empty() ? "" : "; ", names, dependence->property(), potential->name(),
                        is_calibrated && request.energy_std ? " (those of energies have it)" : "");
  }
  return text;
}

const char* calibration_source_text(const Calibration& calibration) {
  if (calibration.source == "leave_one_out") return "each left out of the fit";
  return calibration.source == "holdout" ? "set aside, then added to the data" : "of the validation data";
}

std::string uncalibrated_properties(const Calibration& calibration) {
  std::string names;
  for (const TargetInfo& target : targets())
    if (!calibration.covers(target.property)) names += (names.empty() ? "" : ", ") + std::string(target.name);
  return names;
}

void NoiseNote::look_at(const Structure& frame, const Prediction& prediction) {
  for (const TargetInfo& target : targets()) {
    const Property property = target.property;
    if (prediction.std_of(property).empty() || frame.size() == 0 || own_sigma(frame, property)) continue;
    const NoiseLevel level = noise_level(model_, property, frame.config_type);
    Seen& seen = seen_[property];
    if (level.origin == NoiseLevel::Origin::none) seen.has_none = true;
    if (level.origin != NoiseLevel::Origin::given_rows) continue;
    seen.smallest = std::min(seen.smallest, level.sigma);
    seen.largest = std::max(seen.largest, level.sigma);
  }
}

std::string NoiseNote::given_rows() const {
  std::string list;
  for (const TargetInfo& target : targets()) {
    const Seen& seen = seen_[target.property];
    if (seen.largest == 0) continue;
    const std::string unit = target.sigma_unit(model_.scale_with_atoms);
    const std::string smallest = fmt::format("{:.3g}", seen.smallest), largest = fmt::format("{:.3g}", seen.largest);
    list += fmt::format("{}{} {}{} {}", list.empty() ? "" : ", ", target.std_names.front(), smallest,
                        smallest == largest ? "" : " to " + largest, unit);
  }
  if (list.empty()) return list;
  return "the training data gave a sigma for each row of these properties, and no class of these frames has one; the noise in their error "
         "bars "
         "is the root mean square of the given sigma: " +
         list;
}

std::string NoiseNote::no_noise() const {
  std::string list;
  for (const TargetInfo& target : targets())
    if (seen_[target.property].has_none) list += (list.empty() ? "" : ", ") + std::string(target.std_names.front());
  if (list.empty()) return list;
  const auto is_fitted = [&](const RowGroup& g) { return g.fixed && seen_[g.property].has_none; };
  const auto& groups = model_.posterior.groups;
  return fmt::format("the model has no noise level of {} for these frames ({}): these error bars hold the epistemic part only", list,
                     std::any_of(groups.begin(), groups.end(), is_fitted)
                         ? "sigma was given with the training data, and this old model file does not keep it; fit again"
                         : "it was not fitted to such data");
}

std::string reduction_text(const std::shared_ptr<const Model>& model, const Structure& frame, const PredictionRequest& request,
                           const Prediction& reduced) {
  const Prediction exact = Predictor(model).compute(frame, request);
  std::string text;
  const auto add = [&](const char* name, double few, double all) {
    if (all > 0) text += fmt::format("{} {} {:.2f} times as large", text.empty() ? "" : ",", name, few / all);
  };
  const auto norm = [](std::span<const double> bars) { return std::sqrt(std::inner_product(bars.begin(), bars.end(), bars.begin(), 0.0)); };
  for (const TargetInfo& target : targets()) {
    const std::span<const double> all = exact.epistemic_of(target.property);
    if (!all.empty()) add(target.std_names.front(), norm(reduced.epistemic_of(target.property)), norm(all));
    if (target.property == Property::energy && exact.local_energy_std_epistemic)
      add("local", reduced.local_energy_std_epistemic->norm(), exact.local_energy_std_epistemic->norm());
  }
  return fmt::format("epistemic error bars of fewer sparse points, in the first frame (root mean square):{}", text);
}

}  // namespace gapkit::apps
