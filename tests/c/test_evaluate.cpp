// The C interface gives the results of Predictor, for positions and cell and for neighbours with ghosts.

#include "c/c_support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

constexpr PredictionRequest everything{.forces = true, .energy_std = true, .local_std = true, .force_std = true, .stress_std = true};
constexpr double rounding = 1e-12;
// Positions of images are rounded, and the weights of the models are large.
constexpr double rounding_of_images = 1e-10;
// Error bars are square roots of differences: tolerances are relative to the largest of the same kind, larger where they cancel.
constexpr double rounding_of_std = 1e-7, vanishing_std = 2e-7;

Matrix3 as_matrix(const Voigt& v) {
  Matrix3 m;
  m << v[0], v[5], v[4], v[5], v[1], v[3], v[4], v[3], v[2];
  return m;
}

template <class A, class B>
void check_same(const A& actual, const B& expected, double tolerance) {
  CHECK(largest_difference(actual, expected) <= tolerance * (1 + largest_entry(expected)));
}

template <class A, class B>
void check_same_std(const A& actual, const B& expected) {
  CHECK(largest_difference(actual, expected) <= vanishing_std + rounding_of_std * largest_entry(expected));
}

/// Rows of atoms of the structure, from rows of the centres among all; the others must be 0.
Matrix of_centres(const Ghosts& ghosts, const Matrix& rows, int n) {
  Matrix result = Matrix::Zero(n, rows.cols()), others = rows;
  for (const int c : ghosts.centres) {
    result.row(ghosts.original[static_cast<std::size_t>(c)]) = rows.row(c);
    others.row(c).setZero();
  }
  CHECK(largest_entry(others) == 0);
  return result;
}

void evaluate(const Handle& handle, const gapkit_environments& environments, const gapkit_results& results) {
  const int code = gapkit_evaluate_environments(handle.get(), &environments, &results);
  INFO(gapkit_error_message());
  REQUIRE(code == GAPKIT_OK);
}

void check_mean(const Results& r, const Prediction& p, double tolerance) {
  check_close(r.energy, p.energy, tolerance, tolerance);
  check_same(r.virial, *p.virial, tolerance);
  if (p.closeness.ratio)
    check_close(r.distance_ratio, *p.closeness.ratio, 0, rounding);
  else
    CHECK(r.distance_ratio == std::numeric_limits<double>::infinity());
  Matrix3 sum = Matrix3::Zero();
  for (const Matrix3& one : r.atom_virials) {
    sum += one;
    check_same(one, Matrix3(one.transpose()), 0);
  }
  check_same(sum, *p.virial, 10 * tolerance);
}

void check_bars_without_forces(const Results& r, const Prediction& p) {
  check_close(r.energy_std, *p.energy_std, 0, rounding_of_std);
  check_close(r.energy_std_epistemic, *p.energy_std_epistemic, 0, rounding_of_std);
  check_same_std(r.virial_std, as_matrix(*p.virial_std));
  check_same_std(r.virial_std_epistemic, as_matrix(*p.virial_std_epistemic));
}

/// Compares results of centres among ghosts with those of the whole structure.
void check_ghosts(const Handle& handle, const Ghosts& ghosts, const gapkit_environments& view, const Prediction& p, int n) {
  Results r(ghosts.atoms());
  evaluate(handle, view, r.all());
  check_mean(r, p, rounding_of_images);
  check_bars_without_forces(r, p);
  check_same(folded(ghosts, r.forces, n), *p.forces, rounding_of_images);
  check_same(of_centres(ghosts, r.atom_energies, n), p.local_energy, rounding_of_images);
  check_same_std(of_centres(ghosts, r.atom_energies_std_epistemic, n), *p.local_energy_std_epistemic);
  check_same_std(of_centres(ghosts, r.forces_std, n), *p.forces_std);
  check_same_std(of_centres(ghosts, r.forces_std_epistemic, n), *p.forces_std_epistemic);
}

}  // namespace

TEST_CASE("positions and cell: every result is Predictor's") {
  for (const ToyModel& toy : c_models()) {
    CAPTURE(toy.label);
    const Handle handle = handle_of(*toy.model);
    CHECK(gapkit_cutoff(handle.get()) == toy.model->cutoff());
    Predictor predictor(toy.model);
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(sample.label);
      const Structure& s = sample.structure;
      const Prediction p = predictor.compute(s, everything);
      for (int again = 0; again < 2; ++again) {
        Results r(s.size());
        evaluate(handle, s, r.all());
        check_mean(r, p, rounding);
        check_bars_without_forces(r, p);
        check_same(r.atom_energies, p.local_energy, rounding);
        check_same(r.forces, *p.forces, rounding);
        check_same_std(r.forces_std, *p.forces_std);
        check_same_std(r.forces_std_epistemic, *p.forces_std_epistemic);
        check_same_std(r.atom_energies_std_epistemic, *p.local_energy_std_epistemic);
      }
    }
  }
}

TEST_CASE("ghosts: every result is that of the periodic structure, forces are on the ghosts too") {
  for (const ToyModel& toy : c_models()) {
    CAPTURE(toy.label);
    const Handle handle = handle_of(*toy.model);
    Predictor predictor(toy.model);
    const double cutoff = toy.model->cutoff();
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(sample.label);
      const Structure& s = sample.structure;
      const int n = s.size();
      const Prediction p = predictor.compute(s, everything);

      const Ghosts in_order(s, all_atoms(n), cutoff, cutoff), with_skin(s, all_atoms(n), cutoff + 0.7, cutoff + 0.7, 71);
      gapkit_environments view = in_order.view();
      view.centres = nullptr;
      check_ghosts(handle, in_order, view, p, n);
      check_ghosts(handle, with_skin, with_skin.view(), p, n);

      const Ghosts wide(s, all_atoms(n), cutoff + 0.3, 2 * cutoff, 72);
      view = wide.view();
      view.owners = nullptr;  // without owners the halo must suffice
      check_ghosts(handle, wide, view, p, n);
    }
  }
}

TEST_CASE("neighbours: every result is that of Predictor for the same pairs") {
  for (const ToyModel& toy : c_models()) {
    CAPTURE(toy.label);
    const Handle handle = handle_of(*toy.model);
    Predictor predictor(toy.model);
    const double cutoff = toy.model->cutoff();
    const ToyStructure sample = toy_structures(toy.elements)[2];
    const Ghosts ghosts(sample.structure, all_atoms(sample.structure.size()), cutoff + 0.4, cutoff + 0.4, 76);
    std::vector<std::size_t> begin = {0};
    std::vector<Vector3> vector;
    std::vector<double> distance;
    for (std::size_t c = 0; c < ghosts.centres.size(); ++c) {
      for (std::size_t p = ghosts.first[c]; p < ghosts.first[c + 1]; ++p) {
        vector.emplace_back((ghosts.positions.row(ghosts.neighbors[p]) - ghosts.positions.row(ghosts.centres[c])).transpose());
        distance.push_back(vector.back().norm());
      }
      begin.push_back(vector.size());
    }
    // Pairs beyond the cutoff stay in the list without effect.
    const Environments environments{ghosts.centres, ghosts.atomic_numbers, begin, ghosts.neighbors, vector, distance, ghosts.list_cutoff};
    const Prediction p = predictor.compute(environments, ghosts.atoms(), {.forces = true, .energy_std = true, .local_std = true});
    Results r(ghosts.atoms());
    gapkit_environments view = ghosts.view();
    evaluate(handle, view, r.all());
    check_close(r.energy, p.energy, rounding, rounding);
    check_same(r.virial, *p.virial, rounding);
    check_same(r.forces, *p.forces, rounding);
    check_same(r.atom_energies, p.local_energy, rounding);
    check_close(r.energy_std, *p.energy_std, 0, rounding_of_std);
    check_same_std(r.atom_energies_std_epistemic, *p.local_energy_std_epistemic);
  }
}

TEST_CASE("two processes with half of the atoms each: sums and forces are those of the whole, error bars of forces too") {
  for (const ToyModel& toy : c_models()) {
    CAPTURE(toy.label);
    const Handle handle = handle_of(*toy.model);
    Predictor predictor(toy.model);
    const double cutoff = toy.model->cutoff();
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      const int n = sample.structure.size();
      if (n < 2) continue;
      CAPTURE(sample.label);
      const Prediction p = predictor.compute(sample.structure, everything);
      double energy = 0;
      Matrix3 virial = Matrix3::Zero();
      Positions forces = Positions::Zero(n, 3);
      Matrix energies = Matrix::Zero(n, 1), energies_std = energies, forces_std = Matrix::Zero(n, 3);
      std::vector<int> even, odd;
      for (int i = 0; i < n; ++i) (i % 2 == 0 ? even : odd).push_back(i);
      for (const std::vector<int>& own : {even, odd}) {
        const Ghosts ghosts(sample.structure, own, cutoff + 0.2, 2 * cutoff + 0.1, 73);
        Results r(ghosts.atoms());
        evaluate(handle, ghosts.view(), r.all());
        energy += r.energy;
        virial += r.virial;
        forces += folded(ghosts, r.forces, n);
        energies += of_centres(ghosts, r.atom_energies, n);
        energies_std += of_centres(ghosts, r.atom_energies_std_epistemic, n);
        forces_std += of_centres(ghosts, r.forces_std_epistemic, n);
        CHECK(r.energy_std_epistemic > 0);
      }
      check_close(energy, p.energy, rounding_of_images, rounding_of_images);
      check_same(virial, *p.virial, rounding_of_images);
      check_same(forces, *p.forces, rounding_of_images);
      check_same(energies, p.local_energy, rounding_of_images);
      check_same_std(energies_std, *p.local_energy_std_epistemic);
      check_same_std(forces_std, *p.forces_std_epistemic);
    }
  }
}

TEST_CASE("virials of atoms: minus the derivative of an atom's energy by strain") {
  for (const ToyModel& toy : c_models()) {
    CAPTURE(toy.label);
    const Handle handle = handle_of(*toy.model);
    const Structure s = toy_structures(toy.elements)[2].structure;
    Results r(s.size());
    evaluate(handle, s, r.mean());
    constexpr double step = 1e-4;
    double largest = 0;
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) {
        Matrix3 up = Matrix3::Identity(), down = up;
        up(a, b) += step;
        down(a, b) -= step;
        Results above(s.size()), below(s.size());
        evaluate(handle, deformed(s, up), above.mean());
        evaluate(handle, deformed(s, down), below.mean());
        for (int i = 0; i < s.size(); ++i) {
          const double expected = -(above.atom_energies[i] - below.atom_energies[i]) / (2 * step);
          check_close(r.atom_virials[static_cast<std::size_t>(i)](a, b), expected, 1e-5, 1e-5);
          largest = std::max(largest, std::abs(expected));
        }
      }
    CHECK(largest > 1e-2);
  }
}

TEST_CASE("no centres, no atoms: zeros") {
  const ToyModel& toy = c_models()[0];
  const Handle handle = handle_of(*toy.model);
  Structure s = toy_structures(toy.elements)[2].structure;
  const Ghosts full(s, all_atoms(s.size()), toy.model->cutoff(), toy.model->cutoff());
  gapkit_environments view = full.view();
  view.n_centres = 0;
  view.first = nullptr;
  view.neighbors = nullptr;
  Results r(full.atoms());
  evaluate(handle, view, r.all());
  for (const double number : {r.energy, r.energy_std, r.energy_std_epistemic, largest_entry(r.virial), largest_entry(r.virial_std),
                              largest_entry(r.forces), largest_entry(r.forces_std), largest_entry(r.atom_energies),
                              largest_entry(r.atom_energies_std_epistemic), largest_entry(r.atom_virials.back())})
    CHECK(number == 0);
  CHECK(r.distance_ratio == std::numeric_limits<double>::infinity());
  s.atomic_numbers.clear();
  s.positions.resize(0, 3);
  Results none(0);
  test::evaluate(handle, s, none.all());
  CHECK(none.energy == 0);
}

TEST_CASE("each result alone is the same as with all others") {
  const ToyModel& toy = c_models().back();
  const Handle handle = handle_of(*toy.model);
  const Structure s = toy_structures(toy.elements)[2].structure;
  Results whole(s.size());
  evaluate(handle, s, whole.all());
  Results r(s.size());
  const gapkit_results all = r.all();
  gapkit_results one{};
  one.size = sizeof one;
  evaluate(handle, s, one);  // nothing
  one.energy = all.energy;
  evaluate(handle, s, one);
  check_close(r.energy, whole.energy, rounding, rounding);
  CHECK(std::isnan(r.forces(0, 0)));
  one = {};
  one.size = sizeof one;
  one.atom_virials = all.atom_virials;
  evaluate(handle, s, one);
  check_same(r.atom_virials[1], whole.atom_virials[1], rounding);
  one = {};
  one.size = sizeof one;
  one.atom_energies_std_epistemic = all.atom_energies_std_epistemic;
  evaluate(handle, s, one);
  check_same_std(r.atom_energies_std_epistemic, whole.atom_energies_std_epistemic);
  one = {};
  one.size = sizeof one;
  one.forces_std = all.forces_std;
  evaluate(handle, s, one);
  check_same_std(r.forces_std, whole.forces_std);
}
