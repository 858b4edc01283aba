#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/masses.hpp>
#include <gapkit/model/bound_fields.hpp>
#include <gapkit/model/charge_dipole.hpp>

namespace gapkit {
namespace {

std::string letters_of(const std::string& text) {
  std::string result;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c))) result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Whether charges in this unit, times Å, are in the unit of the tensor; unknown if one of them is not named.
bool are_units_equal(const std::string& charges, const std::string& tensor) {
  if (charges.empty() || tensor.empty()) return true;
  const std::string found = letters_of(tensor), charge = letters_of(charges);
  return found == charge + "angstrom" || found == charge + "a" || (found == charge && tensor.find("Å") != std::string::npos);
}

}  // namespace

std::shared_ptr<const ChargeDipole> ChargeDipole::of(const TensorKeys& keys, std::span<const FittedProperty> properties,
                                                     const std::string& where) {
  if (keys.charges.empty()) return nullptr;
  const auto found =
      std::find_if(properties.begin(), properties.end(), [&](const FittedProperty& p) { return p.keys.name == keys.charges; });
  if (found == properties.end())
    throw InputError(
        fmt::format("{}the tensor '{}' takes the charges '{}', a property that the model does not have", where, keys.name, keys.charges));
  if (found->equilibration)
    throw InputError(
        fmt::format("{}the tensor '{}' takes the charges '{}', which come from an equilibration; expected a [[property]] that "
                    "no [[long_range]] equilibrates",
                    where, keys.name, keys.charges));
  if (!are_units_equal(found->keys.unit, keys.units))
    throw InputError(fmt::format("{}charges in '{}' times Å do not have the unit '{}' of the tensor '{}', expected '{}*angstrom'", where,
                                 found->keys.unit, keys.units, keys.name, found->keys.unit));
  return std::shared_ptr<const ChargeDipole>(new ChargeDipole(field_of(*found), keys.origin));
}

/// r₀ = Σ w_i r_i
Vector ChargeDipole::weights_of_origin(const Structure& structure) const {
  Vector weights(structure.size());
  for (Eigen::Index i = 0; i < weights.size(); ++i) {
    const int z = structure.atomic_numbers[static_cast<std::size_t>(i)];
    weights[i] = origin_ == "mass" ? atomic_mass(z) : origin_ == "nuclear_charge" ? static_cast<double>(z) : 1.0;
  }
  return weights / weights.sum();
}

Positions ChargeDipole::from_origin(const Structure& structure) const {
  const Vector3 origin = structure.positions.transpose() * weights_of_origin(structure);
  return structure.positions.rowwise() - origin.transpose();
}

ChargeDipole::Value ChargeDipole::compute(const Structure& structure, bool derivatives) const {
  if (structure.cell && (structure.pbc[0] || structure.pbc[1] || structure.pbc[2]))
    throw InputError(
        fmt::format("{}the frame is periodic, and the dipole of charges in a cell is not defined: leave out 'charges' in "
                    "[[tensor]]",
                    structure.place()));
  const AtomValues charges = charges_->compute(structure, derivatives);
  const Positions distances = from_origin(structure);
  Value result;
  result.dipole = distances.transpose() * charges.values;
  if (!derivatives) return result;
  const Vector weights = weights_of_origin(structure);
  const double total = charges.values.sum();
  result.derivatives = Matrix::Zero(3 * structure.size(), 3);
  for (Eigen::Index b = 0; b < 3; ++b) {
    const Vector slopes = distances.col(b);
    Positions forces = Positions::Zero(structure.size(), 3);
    Matrix3 virial = Matrix3::Zero();
    charges.pull_back({slopes.data(), static_cast<std::size_t>(slopes.size())}, forces, virial);
    for (Eigen::Index k = 0; k < forces.rows(); ++k) {
      result.derivatives.col(b).segment<3>(3 * k) = -forces.row(k).transpose();
      result.derivatives(3 * k + b, b) += charges.values[k] - total * weights[k];
    }
  }
  return result;
}

}  // namespace gapkit
