#include "long_range_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/phase_clock.hpp>
#include <nlohmann/json.hpp>

#include "words.hpp"

namespace gapkit::apps {
namespace {

using Json = nlohmann::ordered_json;

// NaN where the left-out structures lack a target.
Json error_json(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

/// Single structures with errors far above those of the others.
std::string worst_text(const LongRangeGain& gain) {
  constexpr double far = 5;  // times the root mean square of the others
  std::string text;
  const auto name = [&](const char* what, const OddStructure& worst, double of_others, double unit, const char* unit_name) {
    if (!(std::max(worst.with, worst.without) > far * of_others)) return;
    text += fmt::format("{} {} of {}: {:.3g} {} with, {:.3g} without", text.empty() ? "Unlike all others: the" : "; the", what, worst.place,
                        unit * worst.with, unit_name, unit * worst.without);
  };
  name("energy", gain.worst_energy, std::max(gain.with.energy, gain.without.energy), 1000, "meV/atom");
  name("forces", gain.worst_force, std::max(gain.with.force, gain.without.force), 1, "eV/Å");
  return text.empty() ? text : text + ".\n";
}

Json worst_json(const OddStructure& worst, double unit) {
  if (worst.place.empty()) return nullptr;
  return {{"structure", worst.place}, {"with", unit * worst.with}, {"without", unit * worst.without}};
}

}  // namespace

std::optional<LongRangeGain> find_long_range_gain(const FitData& data, const FitConfiguration& options, FitResult& result,
                                                  const Model& model, ProgressDisplay& display) {
  PhaseClock clock;
  // The fits to the sample show their progress only: their warnings would not be those of the model.
  const ProgressCallback shown = [&](const ProgressEvent& event) {
    if (!event.message.empty()) return;
    ProgressEvent named = event;
    named.phase = "long range: " + event.phase;
    display.show(named);
  };
  FitOptions fitted = options;
  fitted.baselines = model.baselines;  // with the charges that the fit has found
  const std::optional<LongRangeGain> gain = long_range_gain(data, fitted, model.reference_energies, shown);
  display.finish();
  if (!gain) return gain;
  result.report.phases["long range"] = clock.lap();
  if (const std::string warning = gain->warning(); !warning.empty()) display.warning(warning);
  return gain;
}

std::string long_range_text(const LongRangeGain& gain) {
  std::string text =
      fmt::format("Long range ({}): errors of {} of a sample of {}, each left out with its fold of {} (RMSE without the {} largest)\n",
                  gain.kinds, plural(gain.left_out, "structure"), gain.structures, gain.folds, gain.left_aside);
  text += fmt::format("{:<12}{:>18}{:>16}{:>16}\n", "", "energy (meV/atom)", "forces (eV/Å)", "log evidence");
  const auto line = [&](const char* name, const LeftOutErrors& errors, double evidence) {
    text += fmt::format("{:<12}{:>18.4g}{:>16.4g}{:>16.1f}\n", name, 1000 * errors.energy, errors.force, evidence);
  };
  line("with", gain.with, gain.evidence_with);
  line("without", gain.without, gain.evidence_without);
  text += worst_text(gain);
  if (gain.charge_factor)
    text += fmt::format(
        "The evidence is largest for the charges times {:.3f} (± {:.2g} from its curvature alone; errors of the model come on top).\n",
        *gain.charge_factor, *gain.charge_factor_std);
  else if (gain.has_fixed_charges)
    text += "The evidence has no maximum at charges of this pattern other than 0.\n";
  if (gain.charged_cells > 0)
    text += fmt::format(
        "{} of these structures are charged cells: their Coulomb energy has a uniform background in three periodic directions, none in "
        "two, "
        "and only differences at equal cells have a meaning.\n",
        gain.charged_cells);
  return text + "\n";
}

std::string charge_scale_text(const ChargeScale& scale) {
  return fmt::format(
      "Charges: found {:.4f} ± {:.2g} times those of [[long_range]] from {} (± {:.2g} if rows were independent). Error bars lack the "
      "uncertainty of this factor.\n\n",
      scale.factor(), scale.factor_std(), plural(scale.structures, "structure"),
      scale.factor_std() * scale.posterior_std / scale.square_std);
}

Json charge_scale_json(const ChargeScale& scale) {
  return {{"factor", scale.factor()},
          {"factor_std", scale.factor_std()},
          {"square", scale.square},
          {"square_std", scale.square_std},
          {"square_posterior_std", scale.posterior_std},
          {"structures", scale.structures}};
}

Json long_range_json(const LongRangeGain& gain) {
  const auto errors = [](const LeftOutErrors& e, double evidence) {
    return Json{{"energy", error_json(1000 * e.energy)}, {"forces", error_json(e.force)}, {"log_evidence", evidence}};
  };
  Json json = {{"kinds", gain.kinds}, {"structures", gain.structures}, {"folds", gain.folds}};
  json["left_out"] = gain.left_out;
  json["left_aside"] = gain.left_aside;
  json["charged_cells"] = gain.charged_cells;
  json["with"] = errors(gain.with, gain.evidence_with);
  json["without"] = errors(gain.without, gain.evidence_without);
  json["largest_errors"] = {{"energy", worst_json(gain.worst_energy, 1000)}, {"forces", worst_json(gain.worst_force, 1)}};
  json["charge_factor"] = gain.charge_factor ? Json(*gain.charge_factor) : Json(nullptr);
  json["charge_factor_std"] = gain.charge_factor_std ? Json(*gain.charge_factor_std) : Json(nullptr);
  return json;
}

}  // namespace gapkit::apps
