#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/potentials/coulomb.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "potentials/potential_kinds.hpp"

namespace gapkit {
namespace {

constexpr const char* given = "given";

constexpr double largest_charge = 100, largest_width = 10;  // e, Å: beyond these a unit is wrong

/// Coulomb energy of charges that elements have, or that a column of the frame gives.
class CoulombPotential final : public Potential {
 public:
  explicit CoulombPotential(const Parameters& parameters)
      : parameters_(parameters),
        column_(parameters.text("column")),
        is_given_(parameters.text("charges") == given),
        accuracy_(parameters.real("accuracy")) {
    if (!is_given_) charges_ = element_values_of(parameters.text("charges"), "coulomb: charges");
    if (!is_given_ && charges_.empty())
      throw InputError("coulomb: 'charges' is empty, expected a charge of each element, as in { Na = 1.0, Cl = -1.0 }, or \"given\"");
    if (is_given_ && column_.empty()) throw InputError("coulomb: 'column' is empty, expected the name of the column with the charges");
    widths_ = element_values_of(parameters.text("widths"), "coulomb: widths");
    for (const auto& [z, width] : widths_)
      if (!(width >= 0 && width <= largest_width))
        throw InputError(fmt::format("coulomb: the width of {} is {} Å, expected 0 to {}", element_symbol(z), width, largest_width));
    for (const auto& [z, charge] : charges_)
      if (!(std::abs(charge) <= largest_charge))
        throw InputError(fmt::format("coulomb: the charge of {} is {} e, expected at most {}", element_symbol(z), charge, largest_charge));
    if (!(accuracy_ >= 1e-14 && accuracy_ <= 0.01))
      throw InputError(fmt::format("coulomb: 'accuracy' is {} eV per atom, expected 1e-14 to 0.01", accuracy_));
    if (is_given_ && parameters.boolean("scale"))
      throw InputError("coulomb: 'scale' multiplies charges of elements, and those of a column stay as they are; leave 'scale' out");
    if (!is_given_) parameters_.set("charges", element_values_text(charges_));
    parameters_.set("widths", element_values_text(widths_));
  }

  std::string name() const override { return "coulomb"; }
  const Parameters& parameters() const override { return parameters_; }
  double cutoff() const override { return 0; }
  void add(const Environments&, std::span<double>, std::span<Vector3>) const override {}
  bool needs_structure() const override { return true; }

  void check_elements(std::span<const int> atomic_numbers) const override {
    for (const int z : atomic_numbers)
      if (!is_given_ && charges_.count(z) == 0)
        throw InputError(fmt::format("coulomb: no charge of {}; charges are given for {}", element_symbol(z), names()));
  }

  void add_structure(const Structure& structure, const StructureSums& sums) const override {
    if (structure.size() < 2) return;  // an isolated atom, whose energy is its reference energy
    const std::vector<double> charges = charges_of_atoms(structure);
    std::vector<double> widths;
    if (!widths_.empty())
      for (const int z : structure.atomic_numbers) widths.push_back(widths_.count(z) > 0 ? widths_.at(z) : 0);
    const CoulombSum sum = coulomb_sum({structure, charges, widths}, {.accuracy = accuracy_, .derivatives = sums.forces != nullptr});
    for (std::size_t i = 0; i < charges.size(); ++i) sums.local_energy[i] += 0.5 * charges[i] * sum.potential[static_cast<Eigen::Index>(i)];
    if (sums.forces == nullptr) return;
    *sums.forces += sum.forces;
    *sums.virial += sum.virial;
  }

  std::vector<double> charges_of_atoms(const Structure& structure) const {
    std::vector<double> charges;
    if (is_given_) {
      charges = column_of_frame(structure, column_, "coulomb: charges = \"given\"");
      for (std::size_t i = 0; i < charges.size(); ++i)
        if (!(std::abs(charges[i]) <= largest_charge))
          throw InputError(fmt::format("{}atom {}: column '{}' has the charge {} e, expected at most {}", structure.place(), i + 1, column_,
                                       charges[i], largest_charge));
      return charges;
    }
    for (const int z : structure.atomic_numbers) charges.push_back(charges_.at(z));
    return charges;
  }

 private:
  std::string names() const {
    std::string text;
    for (const auto& [z, charge] : charges_) text += (text.empty() ? "" : ", ") + element_symbol(z);
    return text;
  }

  Parameters parameters_;
  std::string column_;
  bool is_given_;
  double accuracy_;
  std::map<int, double> charges_, widths_;
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
  if (potential.name() != "coulomb" || potential.parameters().text("charges") == given) return nullptr;
  Parameters parameters = potential.parameters();
  std::map<int, double> charges = element_values_of(parameters.text("charges"), "coulomb: charges");
  for (auto& [z, charge] : charges) charge *= factor;
  parameters.set("charges", element_values_text(charges));
  parameters.set("scale", false);
  return std::make_shared<CoulombPotential>(parameters);
}

bool has_free_scale(const Potential& potential) {
  return potential.name() == "coulomb" && potential.parameters().boolean("scale");
}

PotentialKind coulomb_kind() {
  using Type = ParameterInfo::Type;
  return {"coulomb",
          "Coulomb energy of point or Gaussian charges: Ewald sums in cells, slabs and wires, pairs in molecules",
          {{.name = "charges", .type = Type::text, .unit = "e", .description = "of each element, or \"given\": a column of the frames"},
           {.name = "column",
            .type = Type::text,
            .description = "of the charges, with charges = \"given\"",
            .default_value = std::string("charge")},
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
