#include "config/automatic_long_range.hpp"

#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/fit/long_range_trial.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "config/automatic_terms.hpp"

namespace gapkit {
namespace {

constexpr std::int64_t fewest_frames = 20;
constexpr int points_of_charges = 300;
constexpr double neutral = 1e-9;

/// Usual charges of ions in solids and melts.
const std::map<int, double>& anions() {
  static const std::map<int, double> charges = {{9, -1}, {17, -1}, {35, -1}, {53, -1}, {8, -2}, {16, -2}, {34, -2}, {7, -3}};
  return charges;
}
const std::map<int, double>& cations() {
  static const std::map<int, double> charges = {{3, 1},  {11, 1}, {19, 1}, {37, 1}, {55, 1}, {4, 2},  {12, 2}, {20, 2},
                                                {38, 2}, {56, 2}, {30, 2}, {48, 2}, {13, 3}, {31, 3}, {49, 3}, {21, 3},
                                                {39, 3}, {57, 3}, {14, 4}, {22, 4}, {40, 4}, {72, 4}, {58, 4}, {50, 4}};
  return charges;
}

/// Empty if an element has none, or if a composition of several elements is not neutral.
std::map<int, double> formal_charges(const DataSummary& data) {
  std::map<int, double> charges;
  bool has_anion = false, has_cation = false;
  for (const auto& [z, atoms] : data.atoms_of) {
    const auto anion = anions().find(z), cation = cations().find(z);
    if (anion == anions().end() && cation == cations().end()) return {};
    has_anion |= anion != anions().end();
    has_cation |= cation != cations().end();
    charges[z] = anion != anions().end() ? anion->second : cation->second;
  }
  if (!has_anion || !has_cation) return {};
  for (const std::map<int, int>& composition : data.compositions) {
    double sum = 0;
    for (const auto& [z, count] : composition) sum += count * charges.at(z);
    if (std::abs(sum) > neutral) return {};
  }
  return charges;
}

LongRangeCandidate learned_candidate(const DataSummary& data, const std::string& column, double cutoff) {
  PropertyOptions property;
  property.keys = {.name = "charge", .unit = "e", .column = column};
  if (data.has_total_charges) property.keys.total = "total_charge";
  TermOptions term = soap_term(data.is_molecular(), cutoff, data.atoms_of.size());
  term.n_sparse = points_of_charges;
  term.delta = 0.2;
  property.terms = {term};
  return {.potentials = {make_potential("coulomb", {{"charges", std::string("learned")}})},
          .properties = {property},
          .reason = fmt::format("charges learned from the column '{}'", column)};
}

std::string trial_text(const LongRangeGain& gain) {
  return fmt::format(
      "errors of {} structures left out of fits to {} others: {:.3g} meV/atom and {:.3g} eV/Å with, {:.3g} and {:.3g} without",
      gain.left_out, gain.fitted, 1000 * gain.with.energy, gain.with.force, 1000 * gain.without.energy, gain.without.force);
}

double score(const LongRangeGain& gain) {
  const double energy = gain.with.energy / gain.without.energy, force = gain.with.force / gain.without.force;
  return (std::isfinite(energy) ? energy : 1) * (std::isfinite(force) ? force : 1);
}

}  // namespace

std::vector<LongRangeCandidate> long_range_candidates(const DataSummary& data, double cutoff) {
  std::vector<LongRangeCandidate> candidates;
  if (data.frames - data.single_atoms < fewest_frames) return candidates;
  for (const auto& [column, frames] : data.charge_columns)
    if (frames >= data.frames - data.single_atoms) {
      candidates.push_back(learned_candidate(data, column, cutoff));
      break;
    }
  if (const std::map<int, double> charges = formal_charges(data); !charges.empty())
    candidates.push_back({.potentials = {make_potential("coulomb", {{"charges", element_values_text(charges)}, {"scale", true}})},
                          .properties = {},
                          .reason = fmt::format("charges in the ratio of the formal ones ({})", element_values_text(charges))});
  return candidates;
}

void choose_long_range(const FitData& given, const DataSummary& data, double cutoff, FitConfiguration& options,
                       std::vector<std::string>& reasons, const ProgressCallback& progress) {
  const std::vector<LongRangeCandidate> candidates = long_range_candidates(data, cutoff);
  const ProgressCallback shown = [&](const ProgressEvent& event) {
    ProgressEvent named = event;
    named.phase = "try a long range: " + event.phase;
    if (progress) progress(named);
  };
  double best = INFINITY;
  FitConfiguration chosen = options;
  for (const LongRangeCandidate& candidate : candidates) {
    FitConfiguration tried = options;
    tried.baselines.insert(tried.baselines.end(), candidate.potentials.begin(), candidate.potentials.end());
    tried.properties.insert(tried.properties.end(), candidate.properties.begin(), candidate.properties.end());
    std::optional<LongRangeTrial> trial;
    try {
      trial = try_long_range(given, tried, data.isolated, shown);
    } catch (const InputError& error) {  // of charges that are no data for a fit
      reasons.push_back(fmt::format("long range: {} cannot be tried: {}", candidate.reason, error.what()));
      continue;
    }
    if (!trial) continue;
    const std::string scale = trial->scale
                                  ? fmt::format(", times {:.3g} ± {:.1g} by evidence", trial->scale->factor(), trial->scale->factor_std())
                                  : std::string();
    const bool helps = trial->helps();
    reasons.push_back(fmt::format("long range: {}{}: {}; {}", candidate.reason, scale, trial_text(trial->gain),
                                  helps ? "it helps" : "it does not help and is left out"));
    if (!helps || score(trial->gain) >= best) continue;
    best = score(trial->gain);
    chosen = tried;
    if (trial->scale) chosen.baselines = trial->baselines;  // with the charges that were found
  }
  options = chosen;
}

}  // namespace gapkit
