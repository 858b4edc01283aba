// Energies, forces and virials of fitted models: derivatives, symmetries, limits. Every property is asked of every toy model.

#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/predict/predictor.hpp>
#include <numeric>

#include "same_prediction.hpp"
#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

double energy_of(Predictor& predictor, const Structure& s) {
  return predictor.compute(s, {.forces = false}).energy;
}

constexpr double h = 4e-4;  // small, so that no distance crosses the end of a cutoff function

/// f'(0) by central differences of fifth order
template <class F>
double slope_at_zero(F&& f) {
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}

/// Rounding error of such a slope: energies are sums of large weights times kernels, which cancel.
double rounding(const Model& model) {
  double sum = 0;
  Eigen::Index column = 0;
  for (const Term& term : model.terms)
    for (Eigen::Index m = 0; m < term.sparse.size(); ++m)
      sum += std::abs(model.weights[column++]) * term.delta * term.delta * term.sparse.covariance_cutoff[m];
  return 4 * std::numeric_limits<double>::epsilon() * sum / h;
}

void keep_worst(double& worst, double value) {
  worst = worse(worst, value);
}

Structure dimer(int first, int second, double distance) {
  Structure s;
  s.atomic_numbers = {first, second};
  s.positions = Positions::Zero(2, 3);
  const Vector3 direction = Vector3(1, -2, 0.5).normalized();
  s.positions.row(1) = distance * direction.transpose();
  return s;
}

}  // namespace

TEST_CASE("toy models describe their training data") {
  // Otherwise the tests below would compare zeros.
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    double error = 0, size = 0;
    for (const Structure& frame : toy_training_frames(toy.elements)) {
      error = worse(error, largest_difference(*predictor.compute(frame).forces, *frame.forces));
      size = std::max(size, frame.forces->cwiseAbs().maxCoeff());
    }
    CHECK(size > 0.5);
    CHECK(error <= (toy.has_pairs ? 0.1 : 0.9) * size);  // the data come from a pair potential
  }
}

TEST_CASE("forces are minus the derivative of the energy") {
  for (const ToyModel& toy : toy_models())
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(toy.label);
      CAPTURE(sample.label);
      Predictor predictor(toy.model);
      const Prediction prediction = predictor.compute(sample.structure);
      double worst = 0, largest = 0;
      for (int i = 0; i < sample.structure.size(); ++i)
        for (int a = 0; a < 3; ++a) {
          const double numerical = -slope_at_zero([&](double step) {
            Structure moved = sample.structure;
            moved.positions(i, a) += step;
            return energy_of(predictor, moved);
          });
          largest = std::max(largest, std::abs(numerical));
          keep_worst(worst, std::abs(numerical - (*prediction.forces)(i, a)));
        }
      if (sample.structure.size() > 1) CHECK(largest > 1e-3);
      REQUIRE(rounding(*toy.model) < 1e-6);
      CHECK(worst <= 1e-8 + 1e-8 * largest + rounding(*toy.model));
    }
}

TEST_CASE("the virial is minus the derivative of the energy with respect to strain, all six components") {
  for (const ToyModel& toy : toy_models())
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(toy.label);
      CAPTURE(sample.label);
      Predictor predictor(toy.model);
      const Matrix3 virial = *predictor.compute(sample.structure).virial;
      CHECK(largest_difference(virial, Matrix3(virial.transpose())) == 0);
      double worst = 0, largest = 0;
      for (int a = 0; a < 3; ++a)
        for (int b = a; b < 3; ++b) {
          const double numerical = -slope_at_zero([&](double step) {
            Matrix3 deformation = Matrix3::Identity();
            deformation(a, b) += step;
            if (a != b) deformation(b, a) += step;
            return energy_of(predictor, deformed(sample.structure, deformation));
          });
          largest = std::max(largest, std::abs(numerical));
          keep_worst(worst, std::abs(numerical - (a == b ? 1 : 2) * virial(a, b)));
        }
      CHECK(largest > 1e-3);
      CHECK(worst <= 1e-8 + 1e-8 * largest + rounding(*toy.model));
    }
}

TEST_CASE("stress is minus virial over volume, in ASE's order") {
  Matrix3 virial;
  virial << 1, 6, 5, 6, 2, 4, 5, 4, 3;
  Voigt expected;
  expected << -0.5, -1, -1.5, -2, -2.5, -3;
  CHECK(largest_difference(stress_of(virial, 2), expected) == 0);
}

TEST_CASE("rotation turns forces and virial and leaves energies") {
  for (const ToyModel& toy : toy_models())
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(toy.label);
      CAPTURE(sample.label);
      Predictor predictor(toy.model);
      const Prediction before = predictor.compute(sample.structure);
      Structure s = sample.structure;
      s.energy = before.energy;
      s.forces = before.forces;
      s.virial = before.virial;
      const Structure turned = rotated(s, 77);
      Prediction expected = before;
      expected.forces = turned.forces;
      expected.virial = turned.virial;
      check_same(predictor.compute(turned), expected, 1e-10);
    }
}

TEST_CASE("translation, shifts by cell vectors and mirrors leave the energy; permutation permutes") {
  for (const ToyModel& toy : toy_models())
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(toy.label);
      CAPTURE(sample.label);
      Predictor predictor(toy.model);
      const Structure& s = sample.structure;
      const Prediction before = predictor.compute(s);
      Structure moved = s;
      moved.positions.rowwise() += Eigen::RowVector3d(17.3, -4.1, 0.77);
      for (int k = 0; k < 3; ++k)
        if (s.pbc[static_cast<std::size_t>(k)]) moved.positions.row(0) += (k - 3) * s.cell->row(k);
      check_same(predictor.compute(moved), before, 1e-10);

      const Structure mirrored = deformed(s, Matrix3(Vector3(1, -1, 1).asDiagonal()));
      check_close(energy_of(predictor, mirrored), before.energy, 1e-10, 1e-10);

      std::vector<int> order(static_cast<std::size_t>(s.size()));
      std::iota(order.begin(), order.end(), 0);
      std::mt19937 random(5);
      test::shuffle(order, random);
      Structure permuted = s;
      Prediction expected = before;
      for (int i = 0; i < s.size(); ++i) {
        const int from = order[static_cast<std::size_t>(i)];
        permuted.positions.row(i) = s.positions.row(from);
        permuted.atomic_numbers[static_cast<std::size_t>(i)] = s.atomic_numbers[static_cast<std::size_t>(from)];
        expected.forces->row(i) = before.forces->row(from);
        expected.local_energy[i] = before.local_energy[from];
      }
      check_same(predictor.compute(permuted), expected, 1e-10);
    }
}

TEST_CASE("a supercell has the energy and virial of its copies, and repeats forces and local energies") {
  for (const ToyModel& toy : toy_models())
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      if (!sample.structure.cell) continue;
      CAPTURE(toy.label);
      CAPTURE(sample.label);
      Predictor predictor(toy.model);
      const auto& pbc = sample.structure.pbc;
      const int n[3] = {pbc[0] ? 3 : 1, pbc[1] ? 2 : 1, pbc[2] ? 2 : 1}, copies = n[0] * n[1] * n[2];
      Prediction expected = predictor.compute(sample.structure);
      expected.energy *= copies;
      *expected.virial *= copies;
      expected.forces = Positions(expected.forces->replicate(copies, 1));
      expected.local_energy = Vector(expected.local_energy.replicate(copies, 1));
      check_same(predictor.compute(supercell(sample.structure, n[0], n[1], n[2])), expected, 1e-10);
    }
}

TEST_CASE("local energies add up to the energy, forces to zero, independent of other requests") {
  for (const ToyModel& toy : toy_models())
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(toy.label);
      CAPTURE(sample.label);
      Predictor predictor(toy.model);
      const Prediction all = predictor.compute(sample.structure, {.forces = true, .energy_std = true, .local_std = true});
      const Prediction plain = predictor.compute(sample.structure, {.forces = false});
      CHECK(all.local_energy.size() == sample.structure.size());
      check_close(all.local_energy.sum(), all.energy, 1e-12, 1e-12);
      CHECK(largest_entry(all.forces->colwise().sum()) <= 1e-11 * (1 + all.forces->cwiseAbs().maxCoeff()) * sample.structure.size());
      check_close(plain.energy, all.energy, 1e-12, 1e-12);
      CHECK_FALSE(plain.forces);
      CHECK_FALSE(plain.virial);
      CHECK_FALSE(plain.energy_std);
      CHECK_FALSE(plain.local_energy_std_epistemic);
    }
}

TEST_CASE("energy and forces are continuous when an atom crosses a cutoff") {
  const double step = 1e-6;
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    for (const double distance : toy_breaks()) {
      CAPTURE(distance);
      // Also with a third atom, so that there are features to normalise
      for (const bool third : {false, true}) {
        const auto at = [&](double r) {
          Structure s = dimer(14, toy.elements[0], r);
          if (third) {
            s.atomic_numbers.push_back(14);
            s.positions.conservativeResize(3, 3);
            s.positions.row(2) << 0.3, 1.1, 1.9;
          }
          return predictor.compute(s);
        };
        const Prediction inside = at(distance - step), outside = at(distance + step);
        // The functions are once continuously differentiable: the energy continues linearly, forces change in proportion to the step.
        const Vector3 direction = Vector3(1, -2, 0.5).normalized();
        const double force = inside.forces->row(1).dot(direction);
        check_close(outside.energy - inside.energy, -force * 2 * step, 1e-10);
        CHECK(largest_difference(*outside.forces, *inside.forces) <= 1e3 * step);
      }
    }
  }
}

TEST_CASE("atoms out of reach of each other do not interact") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    const int a = toy.elements.front(), b = toy.elements.back();
    const Prediction apart = predictor.compute(dimer(a, b, 4.2000001));
    check_close(apart.energy, energy_of(predictor, lone_atom(a)) + energy_of(predictor, lone_atom(b)), 1e-11);
    CHECK(largest_entry(*apart.forces) == 0);
    CHECK(largest_entry(*apart.virial) == 0);
  }
}

TEST_CASE("an isolated atom has its reference energy, the terms' energy without neighbours, and no force") {
  for (const ToyModel& toy : toy_models())
    for (const int element : toy.elements) {
      CAPTURE(toy.label);
      CAPTURE(element);
      Predictor predictor(toy.model);
      double expected = toy.model->reference_energies.at(element);
      Eigen::Index column = 0;
      for (const Term& term : toy.model->terms) {
        if (term.descriptor_name == "soap" && term.species[0] == element) {
          // The density of the centre alone: the first channel of its own species, l = 0. Normalised, that is one unit feature.
          const auto own =
              static_cast<Eigen::Index>(std::find(term.elements.begin(), term.elements.end(), element) - term.elements.begin());
          const Eigen::Index channel = own * term.descriptor->parameters().integer("n_max");
          const Eigen::Index feature = (channel * (channel + 1) / 2 + channel) * (term.descriptor->parameters().integer("l_max") + 1);
          for (Eigen::Index m = 0; m < term.sparse.size(); ++m)
            expected += toy.model->weights[column + m] * term.delta * term.delta *
                        std::pow(term.sparse.x(m, feature), term.kernel->parameters().real("zeta"));
        }
        column += term.sparse.size();
      }
      const Prediction alone = predictor.compute(lone_atom(element));
      check_close(alone.energy, expected, 1e-11);
      CHECK(largest_entry(*alone.forces) == 0);
      CHECK(largest_entry(*alone.virial) == 0);
      if (!toy.has_soap) CHECK(alone.energy == toy.model->reference_energies.at(element));
    }
}

TEST_CASE("an element that the model does not know is named, with structure and atom") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    Structure s = random_triclinic(4, 3, {14});
    s.source = "slab.xyz:12 (frame 3)";
    s.atomic_numbers[2] = 8;
    const std::string message = message_of<InputError>([&] { predictor.compute(s); });
    CAPTURE(message);
    for (const std::string part : {"slab.xyz:12 (frame 3)", "atom 3", "O", "Si"}) CHECK(message.find(part) != std::string::npos);
    CHECK(predictor.compute(random_triclinic(4, 3, {14})).energy < 0);  // and the predictor still works
  }
}

TEST_CASE("an unknown element among given environments is an error too, as a centre and as a neighbour") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    const std::vector<int> centre = {0}, numbers = {14, 8}, swapped = {8, 14}, neighbor = {1};
    const std::vector<std::size_t> begin = {0, 1};
    const std::vector<Vector3> vector = {{0, 0, 2.2}};
    const std::vector<double> distance = {2.2};
    const Environments ghost{centre, numbers, begin, neighbor, vector, distance, 4.2},
        own{centre, swapped, begin, neighbor, vector, distance, 4.2};
    CHECK(message_of<InputError>([&] { predictor.compute(ghost, 2); }).find("atom 2 is O") != std::string::npos);
    CHECK(message_of<InputError>([&] { predictor.compute(own, 2); }).find("atom 1 is O") != std::string::npos);
  }
}

TEST_CASE("atoms at one place give finite numbers or an error, never NaN") {
  for (const ToyModel& toy : toy_models())
    for (const double distance : {0.0, 1e-300, 1e-160, 1e-12, 1e-10, 1e-5, 1e-3}) {
      CAPTURE(toy.label);
      CAPTURE(distance);
      Predictor predictor(toy.model);
      Structure s = random_triclinic(4, 9, toy.elements);
      s.positions.row(3) = s.positions.row(1);
      s.positions(3, 0) += distance;
      try {
        const Prediction p = predictor.compute(s, {.forces = true, .energy_std = true, .local_std = true});
        CHECK(std::isfinite(p.energy));
        CHECK(p.local_energy.allFinite());
        CHECK(p.forces->allFinite());
        CHECK(p.virial->allFinite());
        CHECK(std::isfinite(*p.energy_std));
        CHECK(p.local_energy_std_epistemic->allFinite());
      } catch (const NumericalError& error) {
        CHECK(std::string(error.what()).find("finite") != std::string::npos);
      }
    }
}

TEST_CASE("a model whose weights are damaged is a NumericalError, not NaN") {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), 1e308}) {
    Model model = *toy_models().front().model;
    model.weights.setConstant(bad);
    Predictor predictor(std::make_shared<const Model>(model));
    CHECK_THROWS_AS(predictor.compute(random_triclinic(4, 9)), NumericalError);
    const Structure structure = random_triclinic(4, 9);
    const StructureEnvironments environments(structure, model.cutoff());
    CHECK_THROWS_AS(predictor.compute(environments.view(), 4), NumericalError);
  }
}

TEST_CASE("a model whose posterior is damaged is a NumericalError, not an error bar of NaN") {
  const Structure structure = random_triclinic(4, 9);
  for (const ToyModel& toy : toy_models()) {
    if (toy.elements.size() > 1) continue;
    CAPTURE(toy.label);
    for (const bool whitening : {false, true}) {
      Model model = *toy.model;
      if (whitening) {
        std::vector<Matrix> blocks = model.factor.blocks();
        blocks.back()(0, 0) = std::nan("");
        model.factor = SparseFactor(blocks, model.factor.jitter());
      } else {
        model.posterior.factor(0, 0) = std::nan("");
      }
      Predictor predictor(std::make_shared<const Model>(model));
      CHECK_THROWS_AS(predictor.compute(structure, {.energy_std = true}), NumericalError);
      CHECK_THROWS_AS(predictor.compute(structure, {.local_std = true}), NumericalError);
      CHECK(predictor.compute(structure).forces->allFinite());
    }
  }
}
