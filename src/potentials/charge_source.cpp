#include "potentials/charge_source.hpp"

#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "potentials/potential_kinds.hpp"

namespace gapkit {
namespace {

constexpr double largest_charge = 100;  // e: beyond it a unit is wrong

/// A charge of each element.
class FixedCharges final : public ChargeSource {
 public:
  explicit FixedCharges(std::map<int, double> charges) : charges_(std::move(charges)) {
    if (charges_.empty())
      throw InputError(
          "coulomb: 'charges' is empty, expected a charge of each element, as in { Na = 1.0, Cl = -1.0 }, \"given\", \"learned\" or "
          "\"equilibrated\"");
    for (const auto& [z, charge] : charges_)
      if (!(std::abs(charge) <= largest_charge))
        throw InputError(fmt::format("coulomb: the charge of {} is {} e, expected at most {}", element_symbol(z), charge, largest_charge));
  }

  void check_elements(std::span<const int> atomic_numbers) const override {
    for (const int z : atomic_numbers)
      if (charges_.count(z) == 0)
        throw InputError(fmt::format("coulomb: no charge of {}; charges are given for {}", element_symbol(z), names()));
  }

  std::vector<double> charges(const ChargeRequest& request) const override {
    std::vector<double> charges;
    for (const int z : request.structure.atomic_numbers) charges.push_back(charges_.at(z));
    return charges;
  }

  ChargeSourcePointer scaled(double factor) const override {
    std::map<int, double> charges = charges_;
    for (auto& [z, charge] : charges) charge *= factor;
    return std::make_shared<FixedCharges>(std::move(charges));
  }

 private:
  std::string names() const {
    std::string text;
    for (const auto& [z, charge] : charges_) text += (text.empty() ? "" : ", ") + element_symbol(z);
    return text;
  }

  std::map<int, double> charges_;
};

/// A column of the frame.
class GivenCharges final : public ChargeSource {
 public:
  explicit GivenCharges(std::string column) : column_(std::move(column)) {
    if (column_.empty()) throw InputError("coulomb: 'column' is empty, expected the name of the column with the charges");
  }

  std::vector<double> charges(const ChargeRequest& request) const override {
    std::vector<double> charges = column_of_frame(request.structure, column_, "coulomb: charges = \"given\"");
    for (std::size_t i = 0; i < charges.size(); ++i)
      if (!(std::abs(charges[i]) <= largest_charge))
        throw InputError(fmt::format("{}atom {}: column '{}' has the charge {} e, expected at most {}", request.structure.place(), i + 1,
                                     column_, charges[i], largest_charge));
    return charges;
  }

 private:
  std::string column_;
};

}  // namespace

void ChargeSource::add(const ChargeRequest& request, const StructureSums& sums) const {
  add_coulomb(request, charges(request), sums);
}

ChargeSourcePointer make_charge_source(Parameters& parameters) {
  const std::string charges = parameters.text("charges");
  if (charges == "equilibrated") return equilibrated_charges(parameters.text("property"));
  if (!parameters.text("hardness").empty()) throw InputError("coulomb: 'hardness' belongs to charges = \"equilibrated\"; leave it out");
  Parameters used;
  for (const auto& [name, value] : parameters.values())
    if (name != "hardness" && (name != "property" || charges == "learned")) used.set(name, value);
  parameters = used;
  if (charges == "learned") return learned_charges(parameters.text("property"));
  if (charges == "given") return std::make_shared<GivenCharges>(parameters.text("column"));
  std::map<int, double> of_elements = element_values_of(charges, "coulomb: charges");
  parameters.set("charges", element_values_text(of_elements));
  return std::make_shared<FixedCharges>(std::move(of_elements));
}

CoulombSum add_coulomb(const ChargeRequest& request, std::span<const double> charges, const StructureSums& sums) {
  CoulombSum sum =
      coulomb_sum({request.structure, charges, request.widths}, {.accuracy = request.accuracy, .derivatives = sums.forces != nullptr});
  for (std::size_t i = 0; i < charges.size(); ++i) sums.local_energy[i] += 0.5 * charges[i] * sum.potential[static_cast<Eigen::Index>(i)];
  if (sums.forces == nullptr) return sum;
  *sums.forces += sum.forces;
  *sums.virial += sum.virial;
  return sum;
}

double total_charge_of(const Structure& structure, const std::string& key) {
  const Field* field = structure.find_field(key);
  if (!field) return 0;
  if (const auto* real = std::get_if<double>(&field->value); real && std::isfinite(*real)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&field->value)) return static_cast<double>(*integer);
  throw InputError(fmt::format("{}the key '{}' is no finite number, expected the charge of the frame in e", structure.place(), key));
}

}  // namespace gapkit
