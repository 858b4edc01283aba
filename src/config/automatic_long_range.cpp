#include "config/automatic_long_range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/fit/long_range_trial.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "config/automatic_terms.hpp"

namespace gapkit {
namespace {

constexpr std::int64_t fewest_frames = 20;
constexpr int points_of_property = 300;
constexpr double neutral = 1e-9;
constexpr double smallest_mean_volume = 0.2, largest_mean_volume = 2;  // over that of the free atom

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

/// A column that a property learns.
PropertyOptions learned_property(const DataSummary& data, PropertyKeys keys, double cutoff) {
  PropertyOptions property;
  property.keys = std::move(keys);
  TermOptions term = soap_term(data.is_molecular(), cutoff, data.atoms_of.size());
  term.n_sparse = points_of_property;
  term.delta = 0.2;
  property.terms = {term};
  return property;
}

LongRangeCandidate learned_charges(const DataSummary& data, const std::string& column, double cutoff) {
  PropertyKeys keys{.name = "charge", .unit = "e", .column = column};
  if (data.has_total_charges) keys.total = "total_charge";
  return {.potentials = {make_potential("coulomb", {{"charges", std::string("learned")}})},
          .properties = {learned_property(data, keys, cutoff)},
          .reason = fmt::format("charges learned from the column '{}'", column)};
}

bool are_in_all_frames(std::int64_t frames, const DataSummary& data) {
  return frames >= data.frames - data.single_atoms;
}

bool are_enough(const DataSummary& data) {
  return data.frames - data.single_atoms >= fewest_frames;
}

}  // namespace

void note_long_range(const Structure& s, DataSummary& data) {
  constexpr std::size_t most_compositions = 1000;
  if (s.size() < 2) return;
  std::map<int, int> composition;
  for (const int z : s.atomic_numbers) ++composition[z];
  if (data.compositions.size() < most_compositions) data.compositions.insert(std::move(composition));
  data.has_total_charges |= s.find_field("total_charge") != nullptr;
  const auto numbers = [&](const char* name) {
    const Column* column = s.find_column(name);
    return column && column->count == 1 ? std::get_if<std::vector<double>>(&column->values) : nullptr;
  };
  for (const char* name : {"charge", "charges", "initial_charges", "REF_charges", "dft_charges", "hirshfeld_charges", "mulliken_charges"})
    if (numbers(name)) ++data.charge_columns[name];
  for (const char* name : {"hirshfeld_rel_volume", "hirshfeld_rel_volumes", "hirshfeld_v", "hirshfeld_volume", "hirshfeld_volumes",
                           "hirshfeld_ratio", "hirshfeld_ratios", "volume_ratio", "volume_ratios", "rel_volume", "rel_volumes"})
    if (const auto* values = numbers(name)) {
      DataSummary::VolumeColumn& column = data.volume_columns[name];
      ++column.frames;
      for (const double v : *values) {
        ++column.values;
        column.sum += v;
        column.smallest = std::min(column.smallest, v);
      }
    }
}

std::vector<LongRangeCandidate> coulomb_candidates(const DataSummary& data, double cutoff) {
  std::vector<LongRangeCandidate> candidates;
  if (!are_enough(data)) return candidates;
  for (const auto& [column, frames] : data.charge_columns)
    if (are_in_all_frames(frames, data)) {
      candidates.push_back(learned_charges(data, column, cutoff));
      break;
    }
  if (const std::map<int, double> charges = formal_charges(data); !charges.empty())
    candidates.push_back({.potentials = {make_potential("coulomb", {{"charges", element_values_text(charges)}, {"scale", true}})},
                          .properties = {},
                          .reason = fmt::format("charges in the ratio of the formal ones ({})", element_values_text(charges))});
  return candidates;
}

std::vector<LongRangeCandidate> dispersion_candidates(const DataSummary& data, double cutoff, std::vector<std::string>& reasons) {
  if (!are_enough(data)) return {};
  for (const auto& [name, column] : data.volume_columns) {
    if (!are_in_all_frames(column.frames, data)) continue;
    const double mean = column.sum / static_cast<double>(column.values);
    if (!(mean > smallest_mean_volume && mean < largest_mean_volume && column.smallest > 0)) {
      reasons.push_back(
          fmt::format("long range: the column '{}' (mean {:.3g}, smallest {:.3g}) does not hold volumes over those of the free "
                      "atoms: no dispersion is tried",
                      name, mean, column.smallest));
      continue;
    }
    return {{.potentials = {make_potential("dispersion", {{"volumes", std::string("learned")}})},
             .properties = {learned_property(data, {.name = "volume", .column = name}, cutoff)},
             .reason = fmt::format("dispersion with volumes learned from the column '{}'", name)}};
  }
  return {};
}

namespace {

/// Tries candidates on top of the long range that was chosen before.
class LongRangeChooser {
 public:
  LongRangeChooser(const FitData& given, const DataSummary& data, FitConfiguration options, std::vector<std::string>& reasons,
                   const ProgressCallback& progress)
      : given_(given), data_(data), chosen_(std::move(options)), reasons_(reasons), progress_(progress) {}

  void try_all(const std::vector<LongRangeCandidate>& candidates) {
    const FitConfiguration before = chosen_;
    before_ = before.baselines.empty() ? "" : fmt::format(" ({} alone)", names(before.baselines));
    const std::optional<LeftOutErrors> errors_before = errors_;
    double best = INFINITY;
    for (const LongRangeCandidate& candidate : candidates) {
      FitConfiguration tried = before;
      tried.baselines.insert(tried.baselines.end(), candidate.potentials.begin(), candidate.potentials.end());
      tried.properties.insert(tried.properties.end(), candidate.properties.begin(), candidate.properties.end());
      const std::optional<LongRangeTrial> trial = run(tried, candidate);
      if (!trial) continue;
      const LeftOutErrors without = errors_before ? *errors_before : trial->gain.without;
      const bool is_better = helps(trial->gain.with, without);
      say(candidate, *trial, without, is_better);
      const double own = score(trial->gain.with, without);
      if (!is_better || own >= best) continue;
      best = own;
      errors_ = trial->gain.with;
      chosen_ = tried;
      if (trial->scale) take_charges(trial->baselines);
    }
  }

  const FitConfiguration& chosen() const { return chosen_; }

 private:
  /// Absent if it cannot be tried.
  std::optional<LongRangeTrial> run(const FitConfiguration& tried, const LongRangeCandidate& candidate) {
    const ProgressCallback shown = [&](const ProgressEvent& event) {
      ProgressEvent named = event;
      named.phase = "try a long range: " + event.phase;
      if (progress_) progress_(named);
    };
    try {
      return try_long_range(given_, tried, data_.isolated, shown);
    } catch (const InputError& error) {  // of columns that are no data for a fit
      reasons_.push_back(fmt::format("long range: {} cannot be tried: {}", candidate.reason, error.what()));
      return std::nullopt;
    }
  }

  void say(const LongRangeCandidate& candidate, const LongRangeTrial& trial, const LeftOutErrors& without, bool is_better) {
    const std::string scale =
        trial.scale ? fmt::format(", times {:.3g} ± {:.1g} by evidence", trial.scale->factor(), trial.scale->factor_std()) : std::string();
    const LongRangeGain& gain = trial.gain;
    reasons_.push_back(fmt::format(
        "long range: {}{}: errors of {} structures, each left out with its fold of {}: {:.3g} meV/atom and {:.3g} eV/Å with, {:.3g} and "
        "{:.3g} without{}; {}",
        candidate.reason, scale, gain.left_out, gain.folds, 1000 * gain.with.energy, gain.with.force, 1000 * without.energy, without.force,
        before_, is_better ? "it helps" : "it does not help and is left out"));
  }

  static std::string names(const std::vector<PotentialPointer>& potentials) {
    std::string text;
    for (const PotentialPointer& p : potentials) text += (text.empty() ? "" : " and ") + p->name();
    return text;
  }

  static double score(const LeftOutErrors& with, const LeftOutErrors& without) {
    const double energy = with.energy / without.energy, force = with.force / without.force;
    return (std::isfinite(energy) ? energy : 1) * (std::isfinite(force) ? force : 1);
  }

  /// The charges that were found, without fields of a fit to the sample.
  void take_charges(const std::vector<PotentialPointer>& tried) {
    for (std::size_t i = 0; i < chosen_.baselines.size(); ++i)
      if (has_free_scale(*chosen_.baselines[i])) chosen_.baselines[i] = tried[i];
  }

  const FitData& given_;
  const DataSummary& data_;
  FitConfiguration chosen_;
  std::optional<LeftOutErrors> errors_;  // with the chosen one
  std::string before_;                   // names what was chosen before, for brackets
  std::vector<std::string>& reasons_;
  const ProgressCallback& progress_;
};

}  // namespace

void choose_long_range(const FitData& given, const DataSummary& data, double cutoff, FitConfiguration& options,
                       std::vector<std::string>& reasons, const ProgressCallback& progress) {
  LongRangeChooser chooser(given, data, options, reasons, progress);
  chooser.try_all(coulomb_candidates(data, cutoff));
  chooser.try_all(dispersion_candidates(data, cutoff, reasons));
  options = chooser.chosen();
}

}  // namespace gapkit
