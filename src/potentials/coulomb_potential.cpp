#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "potentials/charge_source.hpp"
#include "potentials/potential_kinds.hpp"

namespace gapkit {
namespace {

constexpr double largest_width = 10;  // Å: beyond it a unit is wrong

/// Coulomb energy of charges that a source gives.
class CoulombPotential final : public Potential, public FieldDependence {
 public:
  explicit CoulombPotential(const Parameters& parameters)
      : parameters_(parameters), source_(make_charge_source(parameters_)), accuracy_(parameters.real("accuracy")) {
    widths_ = element_values_of(parameters.text("widths"), "coulomb: widths");
    for (const auto& [z, width] : widths_)
      if (!(width >= 0 && width <= largest_width))
        throw InputError(fmt::format("coulomb: the width of {} is {} Å, expected 0 to {}", element_symbol(z), width, largest_width));
    if (!(accuracy_ >= 1e-14 && accuracy_ <= 0.01))
      throw InputError(fmt::format("coulomb: 'accuracy' is {} eV per atom, expected 1e-14 to 0.01", accuracy_));
    if (parameters.boolean("scale") && !source_->scaled(1))
      throw InputError("coulomb: 'scale' multiplies charges of elements, { Na = 1.0, Cl = -1.0 }; leave it out with other charges");
    if (parameters.boolean("scale")) {
      const std::map<int, double> charges = element_values_of(parameters_.text("charges"), "coulomb: charges");
      if (std::all_of(charges.begin(), charges.end(), [](const auto& entry) { return entry.second == 0; }))
        throw InputError(
            "coulomb: 'scale' multiplies the charges of the elements, but all of them are 0; give their ratio, { Na = 1.0, Cl = -1.0 }");
    }
    parameters_.set("widths", element_values_text(widths_));
    given_equilibration(*this);  // checks its values
  }

  std::string name() const override { return "coulomb"; }
  const Parameters& parameters() const override { return parameters_; }
  double cutoff() const override { return 0; }
  void add(const Environments&, std::span<double>, std::span<Vector3>) const override {}
  bool needs_structure() const override { return true; }
  void check_elements(std::span<const int> atomic_numbers) const override { source_->check_elements(atomic_numbers); }

  void add_structure(const Structure& structure, const StructureSums& sums) const override {
    if (structure.size() < 2) return;  // an isolated atom, whose energy is its reference energy
    const std::vector<double> widths = widths_of(structure);
    source_->add({structure, widths, accuracy_}, sums);
  }

  std::vector<double> charges_of_atoms(const Structure& structure) const {
    const std::vector<double> widths = widths_of(structure);
    return source_->charges({structure, widths, accuracy_});
  }

  /// With charges times a factor; null if the source has no such.
  PotentialPointer scaled(double factor) const {
    const ChargeSourcePointer source = source_->scaled(factor);
    if (!source) return nullptr;
    Parameters parameters = parameters_;
    std::map<int, double> charges = element_values_of(parameters.text("charges"), "coulomb: charges");
    for (auto& [z, charge] : charges) charge *= factor;
    parameters.set("charges", element_values_text(charges));
    parameters.set("scale", false);
    return with(source, std::move(parameters));
  }

  std::string property() const override { return source_->property(); }
  AtomFieldPointer field() const override { return source_->field(); }
  PotentialPointer with_field(AtomFieldPointer field) const override { return with(source_->with_field(std::move(field)), parameters_); }

  Vector slopes(const Structure& structure) const override {
    if (structure.size() < 2) return Vector::Zero(structure.size());
    const std::vector<double> widths = widths_of(structure);
    return source_->slopes({structure, widths, accuracy_});
  }

 private:
  PotentialPointer with(ChargeSourcePointer source, Parameters parameters) const {
    auto changed = std::make_shared<CoulombPotential>(*this);
    changed->source_ = std::move(source);
    changed->parameters_ = std::move(parameters);
    return changed;
  }

  std::vector<double> widths_of(const Structure& structure) const {
    std::vector<double> widths;
    if (!widths_.empty())
      for (const int z : structure.atomic_numbers) widths.push_back(widths_.count(z) > 0 ? widths_.at(z) : 0);
    return widths;
  }

  Parameters parameters_;
  ChargeSourcePointer source_;
  double accuracy_;
  std::map<int, double> widths_;
};

}  // namespace

std::vector<double> column_of_frame(const Structure& structure, const std::string& name, const std::string& where) {
  const Column* column = structure.find_column(name);
  if (!column)
    throw InputError(
        fmt::format("{}{} needs the column '{}' with a number of each atom, which this frame lacks", structure.place(), where, name));
  std::vector<double> values;
  if (const auto* reals = std::get_if<std::vector<double>>(&column->values)) values = *reals;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column->values)) values.assign(integers->begin(), integers->end());
  if (column->count != 1 || values.size() != static_cast<std::size_t>(structure.size()))
    throw InputError(fmt::format("{}{}: the column '{}' does not hold one number of each atom", structure.place(), where, name));
  for (const double value : values)
    if (!std::isfinite(value))
      throw InputError(fmt::format("{}{}: the column '{}' holds {}, expected finite numbers", structure.place(), where, name, value));
  return values;
}

std::vector<double> charges_of(const Potential& potential, const Structure& structure) {
  const auto* coulomb = dynamic_cast<const CoulombPotential*>(&potential);
  return coulomb ? coulomb->charges_of_atoms(structure) : std::vector<double>();
}

PotentialPointer with_scaled_charges(const Potential& potential, double factor) {
  const auto* coulomb = dynamic_cast<const CoulombPotential*>(&potential);
  return coulomb ? coulomb->scaled(factor) : nullptr;
}

const FieldDependence* field_dependence(const Potential& potential) {
  const auto* dependence = dynamic_cast<const FieldDependence*>(&potential);
  return dependence && !dependence->property().empty() ? dependence : nullptr;
}

std::set<std::string> total_keys(std::span<const PotentialPointer> potentials) {
  std::set<std::string> keys;
  for (const PotentialPointer& potential : potentials)
    if (const FieldDependence* dependence = field_dependence(*potential);
        dependence && dependence->field() && potential->name() == "coulomb")
      keys.insert(dependence->field()->total_key());
  return keys;
}

std::string missing_property(const Potential& potential) {
  const FieldDependence* dependence = field_dependence(potential);
  return dependence && !dependence->field() ? dependence->property() : "";
}

bool has_free_scale(const Potential& potential) {
  return potential.name() == "coulomb" && potential.parameters().boolean("scale");
}

PotentialKind coulomb_kind() {
  using Type = ParameterInfo::Type;
  return {"coulomb",
          "Coulomb energy of point or Gaussian charges: Ewald sums in cells, slabs and wires, pairs in molecules",
          {{.name = "charges",
            .type = Type::text,
            .unit = "e",
            .description =
                "of each element, \"given\": a column of the frames, \"learned\": a local property of the model, or \"equilibrated\""},
           {.name = "column",
            .type = Type::text,
            .description = "of the charges, with charges = \"given\"",
            .default_value = std::string("charge")},
           {.name = "property",
            .type = Type::text,
            .description = "name of the [[property]] with the charges, with charges = \"learned\" or \"equilibrated\"",
            .default_value = std::string("charge")},
           {.name = "hardness",
            .type = Type::text,
            .unit = "eV/e²",
            .description = "of each element, with charges = \"equilibrated\"; found by evidence if not given",
            .default_value = std::string()},
           {.name = "widths",
            .type = Type::text,
            .unit = "Å",
            .description = "standard deviation of each element's Gaussian charge; points if not given",
            .default_value = std::string()},
           {.name = "scale",
            .type = Type::boolean,
            .description = "a fit multiplies the charges of the elements by the factor that its data prefer",
            .default_value = false},
           positive_parameter("accuracy", "eV per atom", "of the sums", 1e-8)},
          [](const Parameters& parameters) { return std::make_shared<CoulombPotential>(parameters); }};
}

}  // namespace gapkit
