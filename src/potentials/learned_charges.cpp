#include <fmt/format.h>

#include <gapkit/potentials/long_range.hpp>

#include "potentials/charge_source.hpp"

namespace gapkit {
namespace {

/// q_i = q⁰_i + (Q − Σ_j q⁰_j)/N with the values q⁰ of a local property and the total charge Q of the frame.
class LearnedCharges final : public ChargeSource {
 public:
  LearnedCharges(std::string property, AtomFieldPointer field) : property_(std::move(property)), field_(std::move(field)) {
    if (property_.empty())
      throw InputError("coulomb: 'property' is empty, expected the name of the [[property]] with the charges, such as \"charge\"");
  }

  std::vector<double> charges(const ChargeRequest& request) const override {
    return projected(request.structure, field_of(request.structure).compute(request.structure, false).values);
  }

  // With V = ∂E/∂q and λ_i = dE/dq⁰_i = V_i − ⟨V⟩, forces and virial get what comes from the change of the charges.
  void add(const ChargeRequest& request, const StructureSums& sums) const override {
    const AtomValues raw = field_of(request.structure).compute(request.structure, sums.forces != nullptr);
    const CoulombSum sum = add_coulomb(request, projected(request.structure, raw.values), sums);
    if (sums.forces == nullptr) return;
    const Vector slopes = slopes_of(sum.potential);
    raw.pull_back({slopes.data(), static_cast<std::size_t>(slopes.size())}, *sums.forces, *sums.virial);
  }

  std::string property() const override { return property_; }
  AtomFieldPointer field() const override { return field_; }
  ChargeSourcePointer with_field(AtomFieldPointer field) const override { return std::make_shared<LearnedCharges>(property_, field); }

  Vector slopes(const ChargeRequest& request) const override {
    const std::vector<double> q = charges(request);
    return slopes_of(coulomb_sum({request.structure, q, request.widths}, {.accuracy = request.accuracy, .derivatives = false}).potential);
  }

 private:
  const AtomField& field_of(const Structure& structure) const {
    if (!field_)
      throw InputError(fmt::format("{}coulomb: charges = \"learned\" needs a model with the property '{}', which only a fit can give",
                                   structure.place(), property_));
    return *field_;
  }

  std::vector<double> projected(const Structure& structure, const Vector& raw) const {
    const double share = (total_charge_of(structure, field_->total_key()) - raw.sum()) / static_cast<double>(raw.size());
    std::vector<double> charges;
    for (const double q : raw) charges.push_back(q + share);
    return charges;
  }

  static Vector slopes_of(const Vector& potential) { return potential.array() - potential.mean(); }

  std::string property_;
  AtomFieldPointer field_;
};

}  // namespace

ChargeSourcePointer learned_charges(const std::string& property) {
  return std::make_shared<LearnedCharges>(property, nullptr);
}

}  // namespace gapkit
