#include "fit/base_checks.hpp"

#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/units.hpp>
#include <set>

#include "fit/findings.hpp"
#include "fit/known_factors.hpp"

namespace gapkit {
namespace {

constexpr double rounding = 1e-9;            // of the size of a value: base and label are the same number
constexpr double clear_correlation = 0.7;    // of base and labels, for something to be said of the slope
constexpr double certain_correlation = 0.9;  // and for it to be an error
constexpr double usual_slope = 3;            // other models have forces that are wrong by factors up to this
constexpr double near_factor = 1.2;          // a slope this close to a unit's factor may come from it
constexpr double strongest_binding = 20;     // eV per atom, as in the checks of labels

/// Factors that bring a unit to that of the target.
std::vector<KnownFactor> units_of(const TargetInfo& target) {
  constexpr double kcal = 1 / kcal_per_mol_per_ev, kj = 1 / kj_per_mol_per_ev;
  if (target.property == Property::energy)
    return {{ev_per_hartree, "Hartree"}, {ev_per_rydberg, "Rydberg"}, {kcal, "kcal/mol"}, {kj, "kJ/mol"}, {1e-3, "meV"}};
  if (target.property == Property::force)
    return {{ev_per_hartree / angstrom_per_bohr, "Hartree/Bohr"},
            {ev_per_hartree, "Hartree/Å"},
            {ev_per_rydberg / angstrom_per_bohr, "Rydberg/Bohr"},
            {ev_per_rydberg, "Rydberg/Å"},
            {kcal, "kcal/mol/Å"},
            {kj, "kJ/mol/Å"},
            {0.1 * kj, "kJ/mol/nm"},
            {1e-3, "meV/Å"}};
  return {{ev_per_hartree, "Hartree"},
          {ev_per_rydberg, "Rydberg"},
          {kcal, "kcal/mol"},
          {kj, "kJ/mol"},
          {1 / gpa_per_ev_per_cubic_angstrom, "GPa in place of eV/Å³"},
          {0.1 / gpa_per_ev_per_cubic_angstrom, "kBar in place of eV/Å³"}};
}

/// "the base seems to be in Hartree/Bohr, or …"; empty if no unit explains the slope of labels against base.
std::string units_text(const TargetInfo& target, double slope) {
  std::string text;
  const double size = std::abs(slope);
  const auto is_near = [&](double factor) { return size < near_factor * factor && factor < near_factor * size; };
  const auto add = [&](const char* whose, const char* unit) {
    text += fmt::format("{}{} to be in {}", text.empty() ? "" : ", or ", whose, unit);
  };
  for (const KnownFactor& unit : units_of(target)) {
    if (is_near(unit.factor)) add("the base seems", unit.meaning);
    if (is_near(1 / unit.factor)) add("the labels seem", unit.meaning);
  }
  return text;
}

/// Root mean square of a sum of squares, in the unit in which errors are shown; energies are per atom already.
std::string size_text(const TargetInfo& target, double square, std::int64_t count) {
  const double value = std::sqrt(std::max(0.0, square) / static_cast<double>(count));
  return target.is_single() ? fmt::format("{:.4g} {}", value * target.shown.error_factor, target.shown.error_unit)
                            : fmt::format("{:.4g} {}", value, target.unit);
}

}  // namespace

void BaseChecks::add(const Structure& s) {
  for (const TargetInfo& target : targets()) {
    const std::vector<double> y = target.rows(s), &x = s.base[target.property];
    if (y.empty() || x.size() != y.size()) continue;
    Sums& sums = sums_[target.property];
    ++sums.frames;
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (target.is_masked(s, static_cast<int>(i))) continue;
      sums.differ = sums.differ || std::abs(x[i] - y[i]) > rounding * std::max(std::abs(x[i]), std::abs(y[i]));
      ++sums.rows;
      sums.sums.xx += x[i] * x[i];
      sums.sums.xy += x[i] * y[i];
      sums.sums.yy += y[i] * y[i];
    }
    if (target.property == Property::energy) add_energy(s, x.front(), y.front());
  }
}

void BaseChecks::add_energy(const Structure& s, double x, double y) {
  std::map<int, int> composition;
  for (const int z : s.atomic_numbers) ++composition[z];
  Composition& c = compositions_[composition];
  const double before_x = x / s.size() - c.x, before_y = y / s.size() - c.y;
  ++c.frames;
  c.x += before_x / static_cast<double>(c.frames);
  c.y += before_y / static_cast<double>(c.frames);
  const double after_x = x / s.size() - c.x, after_y = y / s.size() - c.y;
  c.within.xx += before_x * after_x;
  c.within.xy += before_x * after_y;
  c.within.yy += before_y * after_y;
}

BaseChecks::Sums BaseChecks::sums_of(const TargetInfo& target) const {
  Sums result = sums_[target.property];
  if (target.property != Property::energy || compositions_.empty()) return result;
  // Within compositions, and between them what is not linear in the atoms of each element.
  std::map<int, Eigen::Index> elements;
  for (const auto& [composition, energies] : compositions_)
    for (const auto& [z, n] : composition) elements.try_emplace(z, static_cast<Eigen::Index>(elements.size()));
  const auto count = static_cast<Eigen::Index>(compositions_.size());
  ComparedLabels means;
  means.reference.resize(count, 1);
  means.predicted.resize(count, 1);
  means.removed = Matrix::Zero(count, static_cast<Eigen::Index>(elements.size()));
  means.atoms = means.volume = Vector::Ones(count);
  result.sums = {};
  Eigen::Index row = 0;
  for (const auto& [composition, energies] : compositions_) {
    double atoms = 0;
    for (const auto& [z, n] : composition) atoms += n;
    const double weight = std::sqrt(static_cast<double>(energies.frames));
    means.reference(row, 0) = weight * energies.y;
    means.predicted(row, 0) = weight * energies.x;
    for (const auto& [z, n] : composition) means.removed(row, elements.at(z)) = weight * n / atoms;
    ++row;
    result.sums.xx += energies.within.xx;
    result.sums.xy += energies.within.xy;
    result.sums.yy += energies.within.yy;
  }
  const Eigen::Index freedom = means.freedom();
  if (freedom > 0) result.sums.add(means, {}, {0}, {0});
  result.rows = result.frames - (count - freedom);
  return result;
}

void BaseChecks::check_reference_energies(Findings& findings, const std::map<int, double>& reference_energies) const {
  for (const auto& [composition, energies] : compositions_) {
    double atoms = 0, sum = 0;
    bool is_known = true;
    for (const auto& [z, n] : composition) {
      const auto e0 = reference_energies.find(z);
      is_known = is_known && e0 != reference_energies.end();
      atoms += n;
      if (is_known) sum += n * e0->second;
    }
    const double left = energies.y - energies.x - sum / atoms;
    if (!is_known || std::abs(left) <= strongest_binding) continue;
    findings.warning(
        "units",
        fmt::format("energies of {} without base and reference energies are {:.6g} eV per atom, expected at most {:g}: with a base "
                    "the reference energies are those of the difference; use [reference_energies] mode = \"least_squares\", or "
                    "isolated atoms with the base's values",
                    formula(composition), left, strongest_binding));
    return;
  }
}

void BaseChecks::finish(Findings& findings, const BaseKeys& base, const std::map<int, double>& reference_energies) const {
  constexpr std::int64_t fewest_rows = 3;
  bool is_any_wrong = false;
  for (const TargetInfo& target : targets()) {
    const Sums found = sums_of(target);
    const RegressionSums& sums = found.sums;
    const char* plural = target.sources.front().plural;
    if (found.frames > 0 && !found.differ && (sums.yy > 0 || target.is_single())) {
      findings.error("base",
                     fmt::format("the base {} has the same {} as the labels in all {} frames, so nothing is left to learn; name the "
                                 "columns of another model in [[baseline]]",
                                 base.text(), plural, found.frames));
      is_any_wrong = true;
      continue;
    }
    if (found.rows < fewest_rows || !(sums.yy > 0)) continue;
    const double slope = sums.slope(), correlation = std::abs(sums.correlation());
    const bool is_usual = slope > 1 / usual_slope && slope < usual_slope;
    if (!is_usual && correlation > clear_correlation) {
      const std::string units = std::abs(slope) > 1 / usual_slope && std::abs(slope) < usual_slope ? "" : units_text(target, slope);
      std::string cause = slope < 0 ? fmt::format("the {} of the base have the opposite sign{}", plural,
                                                  target.is_vector_of_atoms() ? " (a gradient?)" : "")
                                    : "";
      if (!units.empty()) cause += (cause.empty() ? "" : "; moreover, ") + units + fmt::format(", expected {}", target.unit);
      if (cause.empty()) cause = "are units and columns right?";
      const std::string text = fmt::format("the {} of the labels are {:.4g} times those of the base (correlation {:.2f}): {}", plural,
                                           slope, sums.correlation(), cause);
      const bool is_certain = correlation > certain_correlation && (slope < 0 || !units.empty());
      is_certain ? findings.error("base", text) : findings.warning("base", text);
      is_any_wrong = true;
      continue;
    }
    const double error = sums.xx - 2 * sums.xy + sums.yy;
    if (error > sums.yy)
      findings.warning("base", fmt::format("the base is worse than none for {}: its error is {}, the labels themselves have {} (root mean "
                                           "squares{}); are units and columns right? Else leave the [[baseline]] out",
                                           plural, size_text(target, error, found.rows), size_text(target, sums.yy, found.rows),
                                           target.is_single() ? ", without the part of reference energies" : ""));
  }
  if (!is_any_wrong) check_reference_energies(findings, reference_energies);
}

}  // namespace gapkit
