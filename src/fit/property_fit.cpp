#include "fit/property_fit.hpp"

#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "fit/equilibration_fit.hpp"
#include "fit/property_dataset.hpp"

namespace gapkit {
namespace {

std::string named(const std::string& what, const std::string& name, const std::set<std::string>& known) {
  const std::vector<std::string> names(known.begin(), known.end());
  return fmt::format("the {} '{}'{}", what, name, names.empty() ? fmt::format(" (the frames have no {}s)", what) : suggestion(name, names));
}

/// Throws InputError for a name that no frame has, and for elements without values.
void check_facts(const PropertyOptions& options, const PropertyFacts& facts) {
  const PropertyKeys& keys = options.keys;
  const auto fail = [&](const std::string& text) { throw InputError(fmt::format("[[property]] '{}': {}", keys.name, text)); };
  const auto missing = [&](const std::string& name) { fail(fmt::format("none of the {} training frames has {}", facts.all_frames, name)); };
  if (!keys.column.empty() && facts.values == 0) missing(named("column", keys.column, facts.columns));
  if (!keys.total.empty() && facts.given_totals == 0) missing(named("key", keys.total, facts.keys));
  if (!keys.dipole.empty() && facts.dipoles == 0) {
    if (facts.periodic_dipoles == 0) missing(named("key", keys.dipole, facts.keys));
    fail(fmt::format(
        "the key '{}' stands in frames with periodic directions only, whose dipoles are defined up to lattice vectors; expected "
        "molecules, with pbc=\"F F F\"",
        keys.dipole));
  }
  if (keys.column.empty()) return;
  for (const auto& [z, first] : facts.elements)
    if (!facts.sums.count(z))
      fail(fmt::format("{} has {}, but no frame with this element has the column '{}': add such data, or take the element out", first,
                       element_symbol(z), keys.column));
}

/// The fit of the field of a property.
FitOptions options_of_field(const PropertyOptions& property, const PropertyFacts& facts, const FitOptions& all) {
  FitOptions options;
  static_cast<Numerics&>(options) = all;
  options.field = AtomicField::property;
  options.use = PerTarget<bool>(false);
  options.use[Property::value] = facts.values > 0;
  options.use[Property::total] = facts.totals > 0;
  options.use[Property::dipole] = facts.dipoles > 0;
  options.terms = property.terms;
  options.regularization.standard[Property::value] = property.sigma;
  options.regularization.standard[Property::total] = property.total_sigma;
  options.regularization.standard[Property::dipole] = property.dipole_sigma;
  options.reference_energies.mode = ReferenceEnergyOptions::Mode::explicit_values;
  for (const auto& [z, first] : facts.elements) {
    const auto sum = facts.sums.find(z);
    options.reference_energies.values[element_symbol(z)] =
        sum == facts.sums.end() ? 0.0 : sum->second.first / static_cast<double>(sum->second.second);
  }
  if (property.optimize) options.optimize.objective = OptimizeOptions::Objective::evidence;
  using Source = CalibrationOptions::Source;
  options.calibration.source = all.calibration.source == Source::none ? Source::none : Source::leave_one_out;
  return options;
}

std::string summary_line(const PropertyOptions& property, const PropertyFacts& facts) {
  const PropertyKeys& keys = property.keys;
  std::string text = fmt::format("property '{}': {} of {} frames", keys.name, facts.frames.size(), facts.all_frames);
  if (facts.values > 0) text += fmt::format(", {} values (column '{}')", facts.values, keys.column);
  if (facts.totals > 0)
    text += fmt::format(", {} totals (key '{}' in {} frames, 0 in others)", facts.totals, keys.total, facts.given_totals);
  if (facts.dipoles > 0) text += fmt::format(", {} dipoles (key '{}')", facts.dipoles, keys.dipole);
  return text;
}

/// A sentence if dipoles seem to be in another unit than values times Å; empty otherwise. Charges of any partition give dipoles of about
/// the right size and direction.
std::string dipole_unit_warning(const PropertyOptions& property, const PropertyFacts::DipoleProducts& p) {
  constexpr std::int64_t fewest = 5;
  constexpr double debye = 4.8032, atomic_unit = 1.8897;  // of e Å
  constexpr double tolerance = 0.2, least_correlation = 0.9;
  if (p.frames < fewest || !(p.given_values >= least_correlation * std::sqrt(p.values_values * p.given_given))) return "";
  const double factor = p.given_values / p.values_values;
  for (const auto& [unit, size] : {std::pair{"debye", debye}, std::pair{"e bohr", atomic_unit}})
    if (std::abs(factor / size - 1) <= tolerance)
      return fmt::format(
          "property '{}': the dipoles '{}' are {:.3g} times those of the values '{}' and the positions ({} frames), as if they were in {}; "
          "expected {} Å: divide them by {:.5g}",
          property.keys.name, property.keys.dipole, factor, property.keys.column, p.frames, unit,
          property.keys.unit.empty() ? "the unit of the values times" : property.keys.unit, size);
  return "";
}

std::vector<std::string> warnings_of(const PropertyOptions& property, const PropertyFacts& facts) {
  std::vector<std::string> warnings;
  if (facts.unequal_totals > 0)
    warnings.push_back(fmt::format("property '{}': {} ({} such frame{}); both are fitted: is one of them of another quantity or unit?",
                                   property.keys.name, facts.first_unequal, facts.unequal_totals, facts.unequal_totals == 1 ? "" : "s"));
  if (std::string text = dipole_unit_warning(property, facts.dipole_products); !text.empty()) warnings.push_back(std::move(text));
  if (facts.periodic_dipoles > 0)
    warnings.push_back(
        fmt::format("property '{}': {} dipoles of frames with periodic directions are not fitted: they are defined up to lattice vectors",
                    property.keys.name, facts.periodic_dipoles));
  return warnings;
}

/// Given widths and hardness if the charges of a Coulomb energy are the equilibrated ones of this property.
std::optional<Equilibration> equilibration_of_property(const PropertyOptions& property, const FitOptions& options) {
  for (const PotentialPointer& potential : options.baselines)
    if (missing_property(*potential) == property.keys.name)
      if (std::optional<Equilibration> given = given_equilibration(*potential)) return given;
  return property.equilibration;
}

}  // namespace

FittedProperties fit_properties(const Dataset& training, const FitOptions& options, const FieldFit& of_field,
                                const ProgressCallback& progress) {
  FittedProperties result;
  for (const PropertyOptions& given : options.properties) {
    PropertyOptions property = given;
    property.equilibration = equilibration_of_property(given, options);
    const Stopwatch stopwatch;
    const PropertyDataset data(training, property);
    const PropertyFacts& facts = data.facts();
    check_facts(property, facts);
    if (progress) progress({.phase = "properties", .message = summary_line(property, facts)});
    for (const std::string& text : warnings_of(property, facts))
      if (progress) progress({.phase = "properties", .message = text, .is_warning = true});
    ProgressCallback shown;
    if (progress)
      shown = [&](const ProgressEvent& event) {
        ProgressEvent named_event = event;
        named_event.phase = property.keys.name + ": " + event.phase;
        if (!event.message.empty()) named_event.message = fmt::format("property '{}': {}", property.keys.name, event.message);
        progress(named_event);
      };
    FitOptions field_options = options_of_field(property, facts, options);
    std::optional<Equilibration> equilibration;
    FitResult fitted;
    if (property.equilibration) {
      EquilibrationFit of_charges = fit_equilibration(training, property, facts, std::move(field_options), of_field, shown);
      fitted = std::move(of_charges.result);
      equilibration = std::move(of_charges.equilibration);
    } else {
      fitted = of_field(data, field_options, shown);
    }
    PropertyReport& report = result.reports.emplace_back();
    report.name = property.keys.name;
    report.frames = static_cast<std::int64_t>(facts.frames.size());
    report.values = facts.values;
    report.totals = facts.totals;
    report.dipoles = facts.dipoles;
    report.periodic_dipoles = facts.periodic_dipoles;
    report.means = fitted.model.reference_energies;
    report.terms = std::move(fitted.report.terms);
    report.optimization = std::move(fitted.report.optimization);
    report.seconds = stopwatch.seconds();
    report.equilibration = equilibration;
    result.properties.push_back({property.keys, std::make_shared<const Model>(std::move(fitted.model)), equilibration});
  }
  return result;
}

std::vector<CheckFinding> check_properties(const Dataset& training, const FitOptions& options) {
  std::vector<CheckFinding> findings;
  for (const PropertyOptions& property : options.properties) try {
      const PropertyDataset data(training, property);
      check_facts(property, data.facts());
      for (const std::string& text : warnings_of(property, data.facts()))
        findings.push_back({CheckFinding::Severity::warning, "property", text});
    } catch (const InputError& e) {
      findings.push_back({CheckFinding::Severity::error, "property", e.what()});
    }
  return findings;
}

}  // namespace gapkit
