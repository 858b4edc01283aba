// Coulomb energies of charges that depend on positions: chain rule, projection, errors. The field is an analytic one.

#include <gapkit/core/errors.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <gapkit/potentials/pair_sums.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// q_i = mean of the element + Σ_j s_Z(j) (1 − r²/c²)³ over neighbours.
class PairField final : public AtomField {
 public:
  explicit PairField(std::string total_key = "total_charge") : total_key_(std::move(total_key)) {}

  AtomValues compute(const Structure& structure, bool derivatives) const override {
    auto environments = std::make_shared<const StructureEnvironments>(structure, cutoff);
    const Environments& all = environments->view();
    AtomValues result{Vector::Zero(structure.size()), nullptr};
    auto slopes_of_pairs = std::make_shared<std::vector<Vector3>>(all.neighbor.size());
    for (std::size_t c = 0; c < all.centre.size(); ++c) {
      const int i = all.centre[c];
      result.values[i] += structure.atomic_numbers[static_cast<std::size_t>(i)] == 11 ? 0.7 : -0.5;
      for (std::size_t p = all.begin[c]; p < all.begin[c + 1]; ++p) {
        const double s = structure.atomic_numbers[static_cast<std::size_t>(all.neighbor[p])] == 11 ? -0.15 : 0.1;
        const double x = all.vector[p].squaredNorm() / (cutoff * cutoff);
        if (!(x < 1)) continue;
        result.values[i] += s * std::pow(1 - x, 3);
        (*slopes_of_pairs)[p] = -6 * s * std::pow(1 - x, 2) / (cutoff * cutoff) * all.vector[p];
      }
    }
    if (derivatives)
      result.pull_back = [environments, slopes_of_pairs](std::span<const double> slopes, Positions& forces, Matrix3& virial) {
        const Environments& same = environments->view();
        std::vector<Vector3> weighted = *slopes_of_pairs;
        for (std::size_t c = 0; c < same.centre.size(); ++c)
          for (std::size_t p = same.begin[c]; p < same.begin[c + 1]; ++p) weighted[p] *= slopes[static_cast<std::size_t>(same.centre[c])];
        add_pair_forces(same, weighted, forces);
        virial += pair_virial(same.vector, weighted);
      };
    return result;
  }
  const std::string& total_key() const override { return total_key_; }
  std::string fingerprint() const override { return "pairs"; }

  static constexpr double cutoff = 3.7;

 private:
  std::string total_key_;
};

PotentialPointer coulomb_with(AtomFieldPointer field, const std::string& widths = "") {
  const PotentialPointer unbound =
      make_potential("coulomb", {{"charges", std::string("learned")}, {"widths", widths}, {"accuracy", 1e-12}});
  return field_dependence(*unbound)->with_field(std::move(field));
}

double energy_of(const Potential& potential, const Structure& s) {
  std::vector<double> shares(static_cast<std::size_t>(s.size()), 0.0);
  potential.add_structure(s, {shares});
  return Eigen::Map<const Vector>(shares.data(), s.size()).sum();
}

}  // namespace

TEST_CASE("learned charges: forces and virial equal central differences of the energy, for every periodicity, neutral and charged") {
  for (const int directions : {0, 1, 2, 3})
    for (const double total : {0.0, 1.0})
      for (const char* widths : {"", "Na = 0.6, Cl = 0.9"}) {
        if (directions == 1 && total != 0) continue;
        CAPTURE(directions);
        CAPTURE(total);
        CAPTURE(widths);
        Structure s = random_triclinic(6, 5, {11, 17});
        s.pbc = {directions > 0, directions > 1, directions > 2};
        if (directions == 0) s.cell.reset();
        s.set_field("total_charge", total);
        const PotentialPointer potential = coulomb_with(std::make_shared<PairField>(), widths);
        const Evaluation whole = evaluate(*potential, s);
        check_close(energy_of(*potential, s), whole.energy, 1e-10);
        constexpr double step = 1e-4;
        Positions forces = whole.forces;
        for (int i = 0; i < s.size(); ++i)
          for (int k = 0; k < 3; ++k) {
            Structure up = s, down = s;
            up.positions(i, k) += step;
            down.positions(i, k) -= step;
            forces(i, k) = (energy_of(*potential, down) - energy_of(*potential, up)) / (2 * step);
          }
        CHECK(largest_difference(whole.forces, forces) <= 2e-6);
        CHECK(largest_entry(Vector3(whole.forces.colwise().sum().transpose())) <= 1e-8);
        Matrix3 virial = whole.virial;
        for (int i = 0; i < 3; ++i)
          for (int k = 0; k < 3; ++k) {
            Matrix3 up = Matrix3::Identity(), down = Matrix3::Identity();
            up(i, k) += step;
            down(i, k) -= step;
            virial(i, k) = (energy_of(*potential, deformed(s, down)) - energy_of(*potential, deformed(s, up))) / (2 * step);
          }
        CHECK(largest_difference(whole.virial, virial) <= 2e-5);
      }
}

TEST_CASE("learned charges: they sum to the total charge that the frame has, 0 without one, by equal shares") {
  Structure s = random_triclinic(7, 3, {11, 17});
  const auto own_key = std::make_shared<PairField>("charge_of_cell");
  const Vector raw = own_key->compute(s, false).values;
  const auto sum_of = [&](const AtomFieldPointer& field) {
    const std::vector<double> q = charges_of(*coulomb_with(field), s);
    const Vector shift = Eigen::Map<const Vector>(q.data(), s.size()) - raw;
    CHECK(shift.maxCoeff() - shift.minCoeff() <= 1e-14);
    return shift.sum() + raw.sum();
  };
  check_close(sum_of(own_key), 0, 1e-13);
  s.set_field("charge_of_cell", -2.0);
  s.set_field("total_charge", std::int64_t{3});
  check_close(sum_of(own_key), -2, 1e-13);
  check_close(sum_of(std::make_shared<PairField>()), 3, 1e-13);
  s.set_field("total_charge", std::string("plus"));
  s.source = "a.xyz:1 (frame 1)";
  CHECK(message_of<InputError>([&] { sum_of(std::make_shared<PairField>()); }) ==
        "a.xyz:1 (frame 1): the key 'total_charge' is no finite number, expected the charge of the frame in e");
}

TEST_CASE("learned charges: slopes are the derivatives of the energy by the values of the field") {
  /// Values that are numbers, to be changed one by one.
  class Numbers final : public AtomField {
   public:
    explicit Numbers(Vector values) : values_(std::move(values)) {}
    AtomValues compute(const Structure&, bool) const override { return {values_, nullptr}; }
    const std::string& total_key() const override { return none_; }
    std::string fingerprint() const override { return ""; }

   private:
    Vector values_;
    std::string none_;
  };
  const Structure s = random_triclinic(6, 8, {11, 17});
  const Vector values = PairField().compute(s, false).values;
  const Vector slopes = field_dependence(*coulomb_with(std::make_shared<Numbers>(values)))->slopes(s);
  REQUIRE(slopes.size() == s.size());
  for (int i = 0; i < s.size(); ++i) {
    Vector up = values, down = values;
    up[i] += 1e-4;
    down[i] -= 1e-4;
    const double difference =
        energy_of(*coulomb_with(std::make_shared<Numbers>(up)), s) - energy_of(*coulomb_with(std::make_shared<Numbers>(down)), s);
    check_close(slopes[i], difference / 2e-4, 1e-6);
  }
}

TEST_CASE("learned charges: a potential without its field, and without the name of the property, is refused in words") {
  const PotentialPointer unbound = make_potential("coulomb", {{"charges", std::string("learned")}, {"property", std::string("q")}});
  CHECK(missing_property(*unbound) == "q");
  Structure s = random_triclinic(4, 3, {11, 17});
  s.source = "a.xyz:1 (frame 1)";
  CHECK(message_of<InputError>([&] { evaluate(*unbound, s); }) ==
        "a.xyz:1 (frame 1): coulomb: charges = \"learned\" needs a model with the property 'q', which only a fit can give");
  CHECK(missing_property(*field_dependence(*unbound)->with_field(std::make_shared<PairField>())).empty());
  CHECK(message_of<InputError>([] {
          make_potential("coulomb", {{"charges", std::string("learned")}, {"property", std::string()}});
        }).find("'property' is empty") != std::string::npos);
  const PotentialPointer fixed = make_potential("coulomb", {{"charges", std::string("Na = 1, Cl = -1")}});
  CHECK(field_dependence(*fixed) == nullptr);
  CHECK(missing_property(*fixed).empty());
  CHECK(!fixed->parameters().has("property"));
  CHECK(with_scaled_charges(*unbound, 0.5) == nullptr);
}
