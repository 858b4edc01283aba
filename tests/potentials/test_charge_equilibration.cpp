// Charge equilibration: reference numbers, the adjoint, errors.

#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <gapkit/potentials/charge_equilibration.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "potentials/long_range_reference.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const CoulombOptions exact{.accuracy = 1e-13};

/// Electronegativities, hardness and widths of the reference; χ_i = χ_Z + 0.6 Σ_j (Z_j/10) exp(−r²/1.5²).
struct Setup {
  Structure structure;
  Vector chi;
  std::vector<double> hardness, widths;

  explicit Setup(const nlohmann::json& entry) : structure(structure_of(entry)) {
    const nlohmann::json& parameters = long_range_reference().at("charge_equilibration").at("parameters");
    chi = Vector::Zero(structure.size());
    for (int i = 0; i < structure.size(); ++i) {
      const int z = structure.atomic_numbers[static_cast<std::size_t>(i)];
      hardness.push_back(parameters.at("hardness_J").at(std::string(element_symbol(z))));
      widths.push_back(parameters.at("sigma").at(std::string(element_symbol(z))));
      chi[i] = parameters.at("chi_of_element").at(std::to_string(z));
    }
    for_pairs([&](int i, int, const Vector3& r, double factor) { chi[i] += factor * std::exp(-r.squaredNorm() / 2.25); });
  }

  template <class Visit>
  void for_pairs(const Visit& visit) const {
    const NeighborList list(structure, 6);
    for (int i = 0; i < structure.size(); ++i)
      for (std::size_t p = list.begin()[static_cast<std::size_t>(i)]; p < list.begin()[static_cast<std::size_t>(i) + 1]; ++p)
        visit(i, list.index()[p], list.vector()[p], 0.06 * structure.atomic_numbers[static_cast<std::size_t>(list.index()[p])]);
  }

  /// Adds the chain rule dE/dχ · dχ/dr.
  void add_chain(EquilibratedEnergy& energy) const {
    for_pairs([&](int i, int j, const Vector3& r, double factor) {
      const Vector3 slope = energy.slope[i] * factor * std::exp(-r.squaredNorm() / 2.25) * (-2 / 2.25) * r;  // by r
      energy.forces.row(i) += slope.transpose();
      energy.forces.row(j) -= slope.transpose();
      energy.virial -= slope * r.transpose();
    });
  }
};

void check_energy(const EquilibratedEnergy& energy, const nlohmann::json& entry) {
  check_close(energy.energy, entry.at("energy"), 0, 1e-9);
  CHECK(largest_difference(energy.forces, matrix_of(entry.at("forces"))) <= 1e-9);
  CHECK(largest_difference(energy.virial, matrix_of(entry.at("virial"))) <= 1e-9);
}

}  // namespace

TEST_CASE("charge equilibration: charges, energies, forces and virials of the reference") {
  int checked = 0;
  for (const auto& [name, entry] : long_range_reference().at("charge_equilibration").items()) {
    if (!entry.contains("charges")) continue;
    const std::string label = name;
    CAPTURE(label);
    ++checked;
    const Setup s(entry);
    CHECK(largest_difference(s.chi, vector_of(entry.at("chi"))) <= 1e-9);
    const ChargeEquilibration equilibration(s.structure, s.widths, s.hardness, exact);
    const double total = entry.at("total_charge");
    CHECK(largest_difference(equilibration.matrix(), matrix_of(entry.at("A"))) <= 1e-9);
    const Vector q = equilibration.charges(s.chi, total);
    CHECK(largest_difference(q, vector_of(entry.at("charges"))) <= 1e-9);
    check_close(q.sum(), total, 1e-12);
    check_close(equilibration.multiplier(s.chi, total), entry.at("lagrange_multiplier"), 1e-9);
    const std::vector<double> charges(q.data(), q.data() + q.size());
    const ChargeCloud cloud{s.structure, charges, s.widths};
    EquilibratedEnergy whole = equilibrated_energy(cloud, s.hardness, s.chi, exact);
    s.add_chain(whole);
    check_energy(whole, entry.at("qeq"));
    EquilibratedEnergy coulomb = equilibrated_coulomb(cloud, equilibration, {.accuracy = 1e-13, .self_energy = true});
    s.add_chain(coulomb);
    check_energy(coulomb, entry.at("coulomb"));
  }
  CHECK(checked == 6);
}

TEST_CASE("charge equilibration: charges are linear in χ and Q, and the response is their adjoint") {
  for (const auto& [name, entry] : long_range_reference().at("charge_equilibration").items()) {
    if (!entry.contains("charges")) continue;
    const Setup s(entry);
    const ChargeEquilibration equilibration(s.structure, s.widths, s.hardness, exact);
    const int n = s.structure.size();
    check_close(equilibration.share().sum(), 1, 1e-12);
    CHECK(largest_difference(Vector(equilibration.charges(s.chi, 2) - equilibration.charges(s.chi, 0)),
                             Vector(2 * equilibration.share())) <= 1e-12);
    Vector weight = Vector::LinSpaced(n, -1, 2);
    for (int i = 0; i < n; ++i) {
      Vector moved = s.chi;
      moved[i] += 1;
      const double change = weight.dot(equilibration.charges(moved, 1) - equilibration.charges(s.chi, 1));
      check_close(change, -equilibration.response(weight)[i], 1e-11);
    }
    check_close(equilibration.response(weight).sum(), 0, 1e-12);
    CHECK(largest_entry(equilibration.response(Vector::Ones(n))) <= 1e-11);
  }
}

namespace {

/// The rule of the reference as a field of a model.
class ReferenceField final : public AtomField {
 public:
  explicit ReferenceField(const nlohmann::json& entry) : entry_(entry) {
    const Setup s(entry);
    for (std::size_t i = 0; i < s.widths.size(); ++i) {
      of_elements_.widths[s.structure.atomic_numbers[i]] = s.widths[i];
      of_elements_.hardness[s.structure.atomic_numbers[i]] = s.hardness[i];
    }
  }

  AtomValues compute(const Structure& structure, bool) const override {
    Setup s(entry_);
    CHECK(structure.size() == s.structure.size());
    AtomValues result;
    result.values = s.chi;
    result.pull_back = [s](std::span<const double> slopes, Positions& forces, Matrix3& virial) {
      EquilibratedEnergy sum{.energy = 0,
                             .slope = Eigen::Map<const Vector>(slopes.data(), static_cast<Eigen::Index>(slopes.size())),
                             .potential = {},
                             .forces = forces,
                             .virial = virial};
      s.add_chain(sum);
      forces = sum.forces;
      virial = sum.virial;
    };
    return result;
  }
  const std::string& total_key() const override {
    static const std::string key = "total_charge";
    return key;
  }
  std::string fingerprint() const override { return ""; }
  const Equilibration* equilibration() const override { return &of_elements_; }

 private:
  nlohmann::json entry_;
  Equilibration of_elements_;
};

}  // namespace

TEST_CASE("charge equilibration: a potential with charges = \"equilibrated\" has energies, forces and virials of the reference") {
  int checked = 0;
  for (const auto& [name, entry] : long_range_reference().at("charge_equilibration").items()) {
    if (!entry.contains("charges")) continue;
    const std::string label = name;
    CAPTURE(label);
    ++checked;
    const PotentialPointer bare = make_potential("coulomb", {{"charges", std::string("equilibrated")}, {"accuracy", 1e-13}});
    Structure s = structure_of(entry);
    s.set_field("total_charge", entry.at("total_charge").get<double>());
    CHECK(missing_property(*bare) == "charge");
    CHECK(message_of<InputError>([&] { evaluate(*bare, s); }).find("needs a model with the property 'charge'") != std::string::npos);
    const PotentialPointer potential = field_dependence(*bare)->with_field(std::make_shared<ReferenceField>(entry));
    const Evaluation found = evaluate(*potential, s);
    const nlohmann::json& expected = entry.at("coulomb");
    check_close(found.energy, expected.at("energy"), 0, 1e-9);
    CHECK(largest_difference(found.forces, matrix_of(expected.at("forces"))) <= 1e-9);
    CHECK(largest_difference(found.virial, matrix_of(expected.at("virial"))) <= 1e-9);
    const std::vector<double> charges = charges_of(*potential, s);
    for (std::size_t i = 0; i < charges.size(); ++i) check_close(charges[i], entry.at("charges").at(i), 1e-9);
  }
  CHECK(checked == 6);
}

TEST_CASE("charge equilibration: parameters of other charges, impossible values and widths of 0 are refused") {
  const auto message = [](const Parameters& parameters) { return message_of<InputError>([&] { make_potential("coulomb", parameters); }); };
  const std::string equilibrated = "equilibrated";
  CHECK(message({{"charges", std::string("Na = 1, Cl = -1")}, {"hardness", std::string("Na = 5")}}) ==
        "coulomb: 'hardness' belongs to charges = \"equilibrated\"; leave it out");
  CHECK(message({{"charges", equilibrated}, {"widths", std::string("Na = 0")}}).find("the width of Na is 0") != std::string::npos);
  CHECK(message({{"charges", equilibrated}, {"hardness", std::string("Na = -1")}}).find("hardness of Na is -1") != std::string::npos);
  CHECK(message({{"charges", std::string("Cl = 0, Na = 0")}, {"scale", true}}).find("all of them are 0") != std::string::npos);
  CHECK(message({{"charges", equilibrated}, {"scale", true}}).find("'scale' multiplies charges of elements") != std::string::npos);
  CHECK(message({{"charges", equilibrated}, {"property", std::string()}}).find("'property' is empty") != std::string::npos);
}

TEST_CASE("charge equilibration without a minimum, and of a wire, is refused") {
  const Setup s(long_range_reference().at("charge_equilibration").at("molecule_Q0"));
  const std::vector<double> wide(s.widths.size(), 3.0), negative(s.widths.size(), -20.0), points(s.widths.size(), 0.0);
  CHECK(message_of<InputError>([&] { ChargeEquilibration(s.structure, wide, negative); }).find("no minimum") != std::string::npos);
  CHECK(message_of<InputError>([&] { ChargeEquilibration(s.structure, points, s.hardness); }).find("widths") != std::string::npos);
  Structure wire = s.structure;
  wire.cell = 8 * Matrix3::Identity();
  wire.pbc = {true, false, false};
  CHECK(message_of<InputError>([&] { ChargeEquilibration(wire, s.widths, s.hardness); }).find("wire") != std::string::npos);
}
