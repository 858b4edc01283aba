// The chain rule through a local property, and the functionals of its values.

#include <gapkit/core/errors.hpp>
#include <gapkit/model/covariance.hpp>
#include <gapkit/model/field_values.hpp>
#include <gapkit/model/prior.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/dense_reference.hpp"
#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Weights of both signs.
std::vector<double> weights_of(const Structure& s) {
  std::vector<double> weights;
  for (int i = 0; i < s.size(); ++i) weights.push_back(0.7 * std::cos(2.1 * i) - 0.4);
  return weights;
}

double weighted_value(FieldValues& field, const Structure& s, std::span<const double> weights) {
  const StructureEnvironments environments(s, field.cutoff());
  return field.compute(environments.view(), s.size(), false).dot(Eigen::Map<const Vector>(weights.data(), s.size()));
}

}  // namespace

TEST_CASE("property: the pullback of weights equals central differences of the weighted sum of values") {
  for (const ToyModel& toy : toy_models()) {
    FieldValues field(FittedProperty{{.name = "charge"}, toy.model});
    for (const ToyStructure& structure : toy_structures(toy.elements)) {
      CAPTURE(toy.label);
      CAPTURE(structure.label);
      const Structure& s = structure.structure;
      const std::vector<double> weights = weights_of(s);
      const StructureEnvironments environments(s, field.cutoff());
      field.compute(environments.view(), s.size(), true);
      Positions forces = Positions::Zero(s.size(), 3);
      Matrix3 virial = Matrix3::Zero();
      field.add_pullback(environments.view(), weights, forces, virial);
      REQUIRE(largest_entry(forces) + largest_entry(virial) > 1e-3);
      const double h = 1e-4;
      for (int atom = 0; atom < s.size(); ++atom)
        for (int k = 0; k < 3; ++k) {
          Structure up = s, down = s;
          up.positions(atom, k) += h;
          down.positions(atom, k) -= h;
          check_close(forces(atom, k), (weighted_value(field, down, weights) - weighted_value(field, up, weights)) / (2 * h), 1e-5, 1e-5);
        }
      for (int a = 0; a < 3; ++a)
        for (int b = 0; b <= a; ++b) {  // symmetric: a value does not change in a rotation
          Matrix3 up = Matrix3::Identity(), down = Matrix3::Identity();
          up(a, b) += h;
          down(a, b) -= h;
          check_close(virial(a, b),
                      (weighted_value(field, deformed(s, down), weights) - weighted_value(field, deformed(s, up), weights)) / (2 * h), 1e-4,
                      1e-5);
        }
    }
  }
}

TEST_CASE("property: equal weights give the forces and the virial of the energy") {
  for (const ToyModel& toy : toy_models()) {
    FieldValues field(FittedProperty{{.name = "charge"}, toy.model});
    Predictor predictor(toy.model);
    const Structure s = toy_structures(toy.elements).front().structure;
    CAPTURE(toy.label);
    const Prediction expected = predictor.compute(s);
    const StructureEnvironments environments(s, field.cutoff());
    const Vector values = field.compute(environments.view(), s.size(), true);
    CHECK(largest_difference(values, expected.local_energy) <= 1e-10);
    Positions forces = Positions::Zero(s.size(), 3);
    Matrix3 virial = Matrix3::Zero();
    field.add_pullback(environments.view(), std::vector<double>(static_cast<std::size_t>(s.size()), 1.0), forces, virial);
    CHECK(largest_difference(forces, *expected.forces) <= 1e-10);
    CHECK(largest_difference(virial, *expected.virial) <= 1e-9);
  }
}

TEST_CASE("property: rows and prior variances of values, totals and dipoles equal dense sums") {
  const Observables wanted{.energy = false, .forces = false, .virial = false, .value = true, .total = true, .dipole = true};
  for (const ToyModel& toy : toy_models())
    for (const bool is_molecule : {false, true}) {
      CAPTURE(toy.label);
      Structure s = random_triclinic(4, 31, toy.elements);
      if (is_molecule) {
        s.cell.reset();
        s.pbc = {false, false, false};
      }
      const std::vector<Term>& terms = toy.model->terms;
      const auto local = local_energies_of(terms, s);
      const Matrix weights = local_weights(wanted, s.positions);
      REQUIRE(weights.rows() == 4);
      CHECK(weights.bottomRows(3).rowwise().sum().cwiseAbs().maxCoeff() <= 1e-12);  // about the centroid
      const Matrix rows = prior_covariance(terms, local, sparse_points_of(terms)).cast<double>();
      const Matrix covariance = prior_covariance(terms, local, local).cast<double>();
      const StructureEnvironments environments(s, largest_cutoff(terms));
      KernelRows kernel(terms);
      Matrix actual(wanted.rows(s.size()), kernel.columns());
      kernel.compute_property(environments.view(), wanted, weights, actual);
      const double unit = largest_entry(rows);
      CHECK(largest_difference(Matrix(actual.topRows(s.size())), rows) <= 1e-10 * unit);
      CHECK(largest_difference(Matrix(actual.bottomRows(4)), Matrix(weights * rows)) <= 1e-9 * unit);
      Prior prior(terms);
      const Vector variances = prior.property(environments.view(), wanted, weights).value.rowwise().sum();
      const double largest = covariance.diagonal().sum();
      CHECK(largest_difference(Vector(variances.head(s.size())), Vector(covariance.diagonal())) <= 1e-9 * largest);
      CHECK(largest_difference(Vector(variances.tail(4)), Vector((weights * covariance * weights.transpose()).diagonal())) <=
            1e-8 * largest * weights.squaredNorm());
    }
}

TEST_CASE("property: error bars of the total equal those of the energy") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    const Structure s = toy_structures(toy.elements).front().structure;
    const StructureEnvironments environments(s, toy.model->cutoff());
    Covariance covariance(*toy.model);
    const Variance energy = covariance.total_energy(environments.view(), s.size());
    const Variance total = covariance.weighted_sums(environments.view(), Matrix::Ones(1, s.size())).front();
    check_close(total.prior, energy.prior, 0, 1e-9);
    check_close(total.data, energy.data, 1e-9 * energy.prior, 1e-6);
    check_close(total.novelty, energy.novelty, 1e-8 * energy.prior);
  }
}

TEST_CASE("property: an element without data is refused by name") {
  const ToyModel& toy = toy_models().front();
  FieldValues field(FittedProperty{{.name = "charge"}, toy.model});
  Structure s = random_triclinic(4, 31, toy.elements);
  s.atomic_numbers[1] = 79;
  const StructureEnvironments environments(s, field.cutoff());
  const std::string message = message_of<InputError>([&] { field.compute(environments.view(), s.size(), false, "a.xyz:7: "); });
  CHECK(message == "a.xyz:7: atom 2 is Au, for which the model has no data of the property 'charge'");
}
