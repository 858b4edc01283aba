#include <fmt/format.h>

#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/field_values.hpp>
#include <gapkit/model/term_potential.hpp>
#include <gapkit/potentials/pair_sums.hpp>

namespace gapkit {

FieldValues::FieldValues(const FittedProperty& property) : name_(property.keys.name), field_(property.field) {
  const auto offsets = sparse_offsets(field_->terms);
  for (std::size_t t = 0; t < field_->terms.size(); ++t)
    terms_.push_back(
        std::make_shared<TermPotential>(field_->terms[t], Vector(field_->weights.segment(offsets[t], field_->terms[t].sparse.size()))));
}

Vector FieldValues::compute(const Environments& environments, int atoms, bool has_derivatives, const std::string& where) {
  Vector values = Vector::Zero(atoms);
  for (const int i : environments.centre) {
    const int z = environments.atomic_number[static_cast<std::size_t>(i)];
    const auto mean = field_->reference_energies.find(z);
    if (mean == field_->reference_energies.end())
      throw InputError(
          fmt::format("{}atom {} is {}, for which the model has no data of the property '{}'", where, i + 1, element_symbol(z), name_));
    values[i] += mean->second;
  }
  dq_dr_.assign(has_derivatives ? environments.neighbor.size() : 0, Vector3::Zero());
  for (const auto& term : terms_) term->add(environments, {values.data(), static_cast<std::size_t>(atoms)}, dq_dr_);
  if (!values.allFinite()) throw NumericalError(fmt::format("{}a value of the property '{}' is not finite", where, name_));
  return values;
}

void FieldValues::add_pullback(const Environments& environments, std::span<const double> weights, Positions& forces,
                               Matrix3& virial) const {
  if (dq_dr_.size() != environments.neighbor.size()) throw Error("FieldValues: a pullback needs the derivatives of the same environments");
  std::vector<Vector3> weighted = dq_dr_;
  for (std::size_t c = 0; c < environments.centre.size(); ++c)
    for (std::size_t p = environments.begin[c]; p < environments.begin[c + 1]; ++p)
      weighted[p] *= weights[static_cast<std::size_t>(environments.centre[c])];
  add_pair_forces(environments, weighted, forces);
  virial += pair_virial(environments.vector, weighted);
}

}  // namespace gapkit
