// Sums over environments do not depend on their division: chunks, threads, subsets of centres, ghosts, kernel rows.

#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/predict/predictor.hpp>
#include <map>

#include "same_prediction.hpp"
#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Environments with arrays of their own, as in a molecular-dynamics program.
struct OwnedEnvironments {
  std::vector<int> centre, atomic_number, neighbor;
  std::vector<std::size_t> begin = {0};
  std::vector<Vector3> vector;
  std::vector<double> distance;
  double cutoff = 0;

  void add(const Environments& environments, int c) {
    const auto i = static_cast<std::size_t>(c);
    centre.push_back(environments.centre[i]);
    for (std::size_t p = environments.begin[i]; p < environments.begin[i + 1]; ++p) {
      neighbor.push_back(environments.neighbor[p]);
      vector.push_back(environments.vector[p]);
      distance.push_back(environments.distance[p]);
    }
    begin.push_back(neighbor.size());
    atomic_number.assign(environments.atomic_number.begin(), environments.atomic_number.end());
    cutoff = environments.cutoff;
  }
  Environments view() const { return {centre, atomic_number, begin, neighbor, vector, distance, cutoff}; }
};

/// The same with every periodic image as an atom (a ghost) of its own; owner[k] is the atom that index k stands for.
OwnedEnvironments with_ghosts(const Structure& structure, double cutoff, std::vector<int>& owner) {
  const NeighborList list(structure, cutoff);
  const int n = structure.size();
  std::map<std::pair<int, std::array<int, 3>>, int> ghosts;
  OwnedEnvironments result;
  result.cutoff = cutoff;
  result.atomic_number = structure.atomic_numbers;
  owner.clear();
  for (int i = 0; i < n; ++i) owner.push_back(i);
  for (int i = 0; i < n; ++i) {
    result.centre.push_back(i);
    for (std::size_t p = list.begin()[static_cast<std::size_t>(i)]; p < list.begin()[static_cast<std::size_t>(i) + 1]; ++p) {
      int j = list.index()[p];
      if (list.shift()[p] != std::array<int, 3>{0, 0, 0}) {
        const auto [ghost, is_new] = ghosts.try_emplace({j, list.shift()[p]}, static_cast<int>(owner.size()));
        if (is_new) {
          owner.push_back(j);
          result.atomic_number.push_back(structure.atomic_numbers[static_cast<std::size_t>(j)]);
        }
        j = ghost->second;
      }
      result.neighbor.push_back(j);
      result.vector.push_back(list.vector()[p]);
      result.distance.push_back(list.distance()[p]);
    }
    result.begin.push_back(result.neighbor.size());
  }
  return result;
}

void add_to(Prediction& sum, const Prediction& part) {
  sum.energy += part.energy;
  sum.local_energy += part.local_energy;
  *sum.forces += *part.forces;
  *sum.virial += *part.virial;
}

Prediction nothing(int atoms) {
  Prediction p;
  p.local_energy = Vector::Zero(atoms);
  p.forces = Positions::Zero(atoms, 3);
  p.virial = Matrix3::Zero();
  return p;
}

}  // namespace

TEST_CASE("a structure of many chunks is the sum of its atoms, each with environments of its own") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    const Structure large = random_triclinic(1500, 31, toy.elements);
    const StructureEnvironments environments(large, toy.model->cutoff());
    REQUIRE(environments.view().neighbor.size() > 16'384);
    Prediction sum = nothing(large.size());
    for (int c = 0; c < large.size(); ++c) {
      OwnedEnvironments one;
      one.add(environments.view(), c);
      add_to(sum, predictor.compute(one.view(), large.size()));
    }
    check_same(predictor.compute(large), sum, 1e-10);
  }
}

TEST_CASE("subsets of the centres add up to the whole") {
  for (const ToyModel& toy : toy_models())
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(toy.label);
      CAPTURE(sample.label);
      Predictor predictor(toy.model);
      const int n = sample.structure.size();
      const Prediction whole = predictor.compute(sample.structure);
      const StructureEnvironments environments(sample.structure, toy.model->cutoff() + 0.5);  // beyond the cutoff
      const Environments& all = environments.view();
      check_same(predictor.compute(all, n), whole, 1e-11);

      // Two halves as views into the same arrays: the second begins in the middle of them
      const auto half = static_cast<std::size_t>(n) / 2;
      Environments first = all, second = all;
      first.centre = all.centre.first(half);
      first.begin = all.begin.first(half + 1);
      second.centre = all.centre.subspan(half);
      second.begin = all.begin.subspan(half);
      Prediction sum = predictor.compute(first, n);
      add_to(sum, predictor.compute(second, n));
      check_same(sum, whole, 1e-11);

      // Even and odd centres, backwards, with arrays of their own
      OwnedEnvironments even, odd;
      for (int c = n - 1; c >= 0; --c) (c % 2 == 0 ? even : odd).add(all, c);
      sum = predictor.compute(even.view(), n);
      if (n > 1) add_to(sum, predictor.compute(odd.view(), n));
      check_same(sum, whole, 1e-11);
    }
}

TEST_CASE("periodic images as ghosts: their forces added to their owners are the whole forces") {
  for (const ToyModel& toy : toy_models())
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(toy.label);
      CAPTURE(sample.label);
      Predictor predictor(toy.model);
      const int n = sample.structure.size();
      std::vector<int> owner;
      const OwnedEnvironments ghosted = with_ghosts(sample.structure, toy.model->cutoff(), owner);
      const int atoms = static_cast<int>(owner.size());
      const Prediction raw = predictor.compute(ghosted.view(), atoms);
      REQUIRE(raw.forces->rows() == atoms);
      REQUIRE(raw.local_energy.size() == atoms);
      Prediction folded = nothing(n);
      folded.energy = raw.energy;
      folded.virial = raw.virial;
      for (int k = 0; k < atoms; ++k) {
        folded.forces->row(owner[static_cast<std::size_t>(k)]) += raw.forces->row(k);
        folded.local_energy[owner[static_cast<std::size_t>(k)]] += raw.local_energy[k];
        if (k >= n) CHECK(raw.local_energy[k] == 0);  // the centre has its whole share
      }
      check_same(folded, predictor.compute(sample.structure), 1e-11);
    }
}

TEST_CASE("given neighbours, error bars alone, virials of atoms: equal to the whole prediction") {
  const PredictionRequest everything{
      .forces = true, .energy_std = true, .local_std = true, .force_std = true, .stress_std = true, .atom_virial = true};
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    std::vector<Structure> structures;
    for (const ToyStructure& sample : toy_structures(toy.elements)) structures.push_back(sample.structure);
    const std::vector<Prediction> together = predictor.compute(structures, {.atom_virial = true});
    for (std::size_t k = 0; k < structures.size(); ++k) {
      const Structure& s = structures[k];
      CAPTURE(s.source);
      const StructureEnvironments environments(s, toy.model->cutoff());
      const Prediction whole = predictor.compute(s, everything), given = predictor.compute(s, environments.view(), everything);
      check_same(given, whole, 1e-12);
      CHECK(largest_difference(*given.forces_std, *whole.forces_std) == 0);
      const Prediction bars = predictor.error_bars(environments.view(), s.size(), everything);
      check_close(*bars.energy_std, *whole.energy_std, 0, 1e-9);
      CHECK(largest_difference(*bars.forces_std, *whole.forces_std) <= 1e-9);
      CHECK(largest_difference(*bars.virial_std, *whole.virial_std) <= 1e-9);
      CHECK(largest_difference(*bars.local_energy_std_epistemic, *whole.local_energy_std_epistemic) <= 1e-7);
      Matrix3 sum = Matrix3::Zero();
      for (int i = 0; i < s.size(); ++i) {
        const Matrix3& one = (*whole.atom_virial)[static_cast<std::size_t>(i)];
        sum += one;
        CHECK(largest_difference((*together[k].atom_virial)[static_cast<std::size_t>(i)], one) <= 1e-9 * (1 + largest_entry(one)));
      }
      CHECK(largest_difference(sum, *whole.virial) <= 1e-11 * (1 + largest_entry(*whole.virial)));
    }
  }
}

TEST_CASE("no centres: empty results") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    const std::vector<std::size_t> begin = {0};
    const std::vector<int> numbers = {14, 14};
    const Prediction p = predictor.compute(Environments{{}, numbers, begin, {}, {}, {}, toy.model->cutoff()}, 2);
    check_same(p, nothing(2), 0);
  }
}

TEST_CASE("one thread and two give the same prediction, error bars included") {
  const int threads = thread_count();
  const PredictionRequest everything{.forces = true, .energy_std = true, .local_std = true};
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    const Structure s = random_triclinic(150, 32, toy.elements);
    set_thread_count(1);
    const Prediction one = Predictor(toy.model).compute(s, everything);
    set_thread_count(2);
    const Prediction two = Predictor(toy.model).compute(s, everything);
    set_thread_count(threads);
    check_same(two, one, 1e-12);
    check_close(*two.energy_std_epistemic, *one.energy_std_epistemic, 0, 1e-6);
    CHECK(largest_difference(*two.local_energy_std_epistemic, *one.local_energy_std_epistemic) <=
          1e-6 * one.local_energy_std_epistemic->maxCoeff());
  }
}

TEST_CASE("one predictor gives the same results again, whatever it computed in between") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    const Structure small = random_triclinic(3, 33, toy.elements), large = random_triclinic(60, 34, toy.elements);
    const Prediction before = predictor.compute(small);
    predictor.compute(large, {.forces = true, .energy_std = true, .local_std = true});
    predictor.compute(large, {.forces = false});
    check_same(predictor.compute(small), before, 0);
  }
}

TEST_CASE("kernel rows times weights are the predictor's energy, local energies, forces and virial") {
  for (const ToyModel& toy : toy_models()) {
    std::vector<ToyStructure> samples = toy_structures(toy.elements);
    samples.push_back({"300 atoms", random_triclinic(300, 35, toy.elements)});
    for (const ToyStructure& sample : samples) {
      CAPTURE(toy.label);
      CAPTURE(sample.label);
      const Structure& s = sample.structure;
      const int n = s.size();
      const Prediction expected = Predictor(toy.model).compute(s);
      const StructureEnvironments environments(s, toy.model->cutoff());
      KernelRows rows(toy.model->terms);
      const Observables wanted;
      Matrix k(wanted.rows(n), rows.columns());
      rows.compute(environments.view(), n, wanted, k);
      const Vector values = k * toy.model->weights;
      Vector baseline(n);
      for (int i = 0; i < n; ++i) baseline[i] = toy.model->reference_energies.at(s.atomic_numbers[static_cast<std::size_t>(i)]);
      check_close(values[0] + baseline.sum(), expected.energy, 1e-9, 1e-9);
      const Eigen::Map<const Positions> forces(values.data() + wanted.forces_row(), n, 3);
      CHECK(largest_difference(forces, *expected.forces) <= 1e-9 * (1e-3 + expected.forces->cwiseAbs().maxCoeff()));
      Voigt virial;
      virial << stress_of(*expected.virial, -1);  // W in Voigt order
      CHECK(largest_difference(Vector(values.tail(6)), virial) <= 1e-9 * (1e-3 + virial.cwiseAbs().maxCoeff()));
      Matrix local(n, rows.columns());
      rows.compute_local(environments.view(), n, local);
      CHECK(largest_difference(Vector(local * toy.model->weights + baseline), expected.local_energy) <= 1e-9);

      // Rows asked for one property at a time
      Matrix energy_row(1, rows.columns()), force_rows(3 * n, rows.columns()), virial_rows(6, rows.columns());
      rows.compute(environments.view(), n, {.energy = true, .forces = false, .virial = false}, energy_row);
      rows.compute(environments.view(), n, {.energy = false, .forces = true, .virial = false}, force_rows);
      rows.compute(environments.view(), n, {.energy = false, .forces = false, .virial = true}, virial_rows);
      Matrix stacked(k.rows(), k.cols());
      stacked << energy_row, force_rows, virial_rows;
      CHECK(largest_difference(stacked, k) <= 1e-12 * (1 + k.cwiseAbs().maxCoeff()));
    }
  }
}

TEST_CASE("several structures at once equal one after the other") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    std::vector<Structure> structures;
    for (unsigned seed = 1; seed <= 5; ++seed) structures.push_back(random_triclinic(3 + static_cast<int>(seed), 40 + seed, toy.elements));
    structures.insert(structures.begin() + 2, Structure());
    structures[2].positions.resize(0, 3);
    const PredictionRequest request{.energy_std = true, .local_std = true};
    const std::vector<Prediction> together = predictor.compute(structures, request);
    REQUIRE(together.size() == structures.size());
    for (std::size_t k = 0; k < structures.size(); ++k) {
      CAPTURE(k);
      const Prediction alone = predictor.compute(structures[k], request);
      check_close(together[k].energy, alone.energy, 1e-10, 1e-10);
      CHECK(largest_difference(together[k].local_energy, alone.local_energy) <= 1e-10);
      CHECK(largest_difference(*together[k].forces, *alone.forces) <= 1e-9);
      CHECK(largest_difference(*together[k].virial, *alone.virial) <= 1e-9);
      CHECK(*together[k].energy_std == *alone.energy_std);
      CHECK(largest_difference(*together[k].local_energy_std_epistemic, *alone.local_energy_std_epistemic) <= 1e-8);
      CHECK(together[k].unsampled_terms == alone.unsampled_terms);
    }
  }
  CHECK(Predictor(toy_models().front().model).compute(std::span<const Structure>()).empty());
}
