#include <fmt/format.h>

#include <gapkit/core/elements.hpp>
#include <gapkit/potentials/charge_equilibration.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "potentials/charge_source.hpp"

namespace gapkit {
namespace {

std::vector<double> values_of_atoms(const Structure& structure, const std::map<int, double>& values, const char* what) {
  std::vector<double> of_atoms;
  for (const int z : structure.atomic_numbers) {
    const auto found = values.find(z);
    if (found == values.end())
      throw InputError(
          fmt::format("{}charge equilibration has no {} of {}, which its data lack", structure.place(), what, element_symbol(z)));
    of_atoms.push_back(found->second);
  }
  return of_atoms;
}

/// Charges that minimise the energy of equilibration, with electronegativities that a local property of the model gives, and the total
/// charge of the frame.
class EquilibratedCharges final : public ChargeSource {
 public:
  EquilibratedCharges(std::string property, AtomFieldPointer field) : property_(std::move(property)), field_(std::move(field)) {
    if (property_.empty())
      throw InputError("coulomb: 'property' is empty, expected the name of the [[property]] with the charges, such as \"charge\"");
    if (field_ && !field_->equilibration())
      throw InputError(
          fmt::format("coulomb: charges = \"equilibrated\", but the property '{}' of the model has no electronegativities", property_));
  }

  std::vector<double> charges(const ChargeRequest& request) const override { return solve(request, false).charges; }

  void add(const ChargeRequest& request, const StructureSums& sums) const override {
    const Solution solution = solve(request, sums.forces != nullptr);
    const EquilibratedEnergy energy = energy_of(request, solution, sums.forces != nullptr);
    for (std::size_t i = 0; i < solution.charges.size(); ++i)
      sums.local_energy[i] += 0.5 * solution.charges[i] * energy.potential[static_cast<Eigen::Index>(i)];
    if (sums.forces == nullptr) return;
    *sums.forces += energy.forces;
    *sums.virial += energy.virial;
    solution.field.pull_back({energy.slope.data(), static_cast<std::size_t>(energy.slope.size())}, *sums.forces, *sums.virial);
  }

  std::string property() const override { return property_; }
  AtomFieldPointer field() const override { return field_; }
  ChargeSourcePointer with_field(AtomFieldPointer field) const override { return std::make_shared<EquilibratedCharges>(property_, field); }

  Vector slopes(const ChargeRequest& request) const override { return energy_of(request, solve(request, false), false).slope; }

 private:
  struct Solution {
    AtomValues field;
    std::vector<double> widths;
    ChargeEquilibration equilibration;
    std::vector<double> charges = {};
  };

  Solution solve(const ChargeRequest& request, bool derivatives) const {
    const Structure& structure = request.structure;
    if (!field_)
      throw InputError(fmt::format("{}coulomb: charges = \"equilibrated\" needs a model with the property '{}', which only a fit can give",
                                   structure.place(), property_));
    const Equilibration& of_elements = *field_->equilibration();
    Solution solution{field_->compute(structure, derivatives), values_of_atoms(structure, of_elements.widths, "width"),
                      equilibration_of(structure, of_elements, {.accuracy = request.accuracy})};
    const Vector q = solution.equilibration.charges(solution.field.values, total_charge_of(structure, field_->total_key()));
    solution.charges.assign(q.data(), q.data() + q.size());
    return solution;
  }

  static EquilibratedEnergy energy_of(const ChargeRequest& request, const Solution& solution, bool derivatives) {
    return equilibrated_coulomb({request.structure, solution.charges, solution.widths}, solution.equilibration,
                                {.accuracy = request.accuracy, .derivatives = derivatives, .self_energy = true});
  }

  std::string property_;
  AtomFieldPointer field_;
};

}  // namespace

ChargeEquilibration equilibration_of(const Structure& structure, const Equilibration& of_elements, const CoulombOptions& options) {
  return ChargeEquilibration(structure, values_of_atoms(structure, of_elements.widths, "width"),
                             values_of_atoms(structure, of_elements.hardness, "hardness"), options);
}

ChargeSourcePointer equilibrated_charges(const std::string& property) {
  return std::make_shared<EquilibratedCharges>(property, nullptr);
}

std::optional<Equilibration> given_equilibration(const Potential& potential) {
  if (potential.name() != "coulomb" || potential.parameters().text("charges") != "equilibrated") return std::nullopt;
  Equilibration given{.widths = element_values_of(potential.parameters().text("widths"), "coulomb: widths"),
                      .hardness = element_values_of(potential.parameters().text("hardness"), "coulomb: hardness")};
  for (const auto& [z, width] : given.widths)
    if (!(width > 0))
      throw InputError(fmt::format("coulomb: the width of {} is {} Å, and equilibration needs more than 0", element_symbol(z), width));
  for (const auto& [z, hardness] : given.hardness)
    if (!(hardness >= 0 && hardness <= 1000))
      throw InputError(fmt::format("coulomb: the hardness of {} is {} eV/e², expected 0 to 1000", element_symbol(z), hardness));
  return given;
}

}  // namespace gapkit
