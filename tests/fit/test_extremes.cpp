// Extremes that the options allow: each fits, predicts, and keeps the properties that any model has.

#include <sys/resource.h>

#include <Eigen/LU>
#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/predict/predictor.hpp>
#include <set>

#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct ExtremeFit {
  FitConfiguration options;
  FitReport report;
  std::vector<std::string> warnings;
  std::shared_ptr<const Model> model;
};

ExtremeFit extreme_fit(const std::vector<Structure>& frames, std::vector<TermOptions> terms, std::uint64_t seed = 0) {
  const TemporaryFolder folder;
  ExtremeFit result;
  result.options = small_options(write_frames((folder.path() / "train.xyz").string(), frames), std::move(terms));
  result.options.reference_energies.values.clear();
  for (const Structure& s : frames)
    for (const int z : s.atomic_numbers) result.options.reference_energies.values[element_symbol(z)] = lone_atom_energy(z);
  result.options.jitter = 1e-6;  // weights so small that finite differences of energies are not lost in rounding
  result.options.seed = seed;
  FitResult fit_result = fit(result.options, [&](const ProgressEvent& event) {
    if (event.is_warning) result.warnings.push_back(event.message);
  });
  result.report = std::move(fit_result.report);
  result.model = std::make_shared<const Model>(std::move(fit_result.model));
  return result;
}

std::vector<Structure> triclinic_frames(int count, int atoms, unsigned seed, const std::vector<int>& elements = std::vector<int>{14}) {
  std::vector<Structure> frames;
  for (int i = 0; i < count; ++i) frames.push_back(labelled(random_triclinic(atoms, seed + static_cast<unsigned>(i), elements)));
  return frames;
}

std::vector<Structure> molecules(int count, int atoms, unsigned seed) {
  std::vector<Structure> frames;
  for (int i = 0; i < count; ++i) {
    Structure s = random_triclinic(atoms, seed + static_cast<unsigned>(i));
    s.cell.reset();
    s.pbc = {false, false, false};
    frames.push_back(labelled(s));
  }
  return frames;
}

std::int64_t atoms_in(const std::vector<Structure>& frames) {
  std::int64_t sum = 0;
  for (const Structure& s : frames) sum += s.size();
  return sum;
}

// Distances at which a cutoff function of a term begins or ends: there a second derivative jumps.
std::vector<double> breaks_of(const std::vector<TermOptions>& terms) {
  std::vector<double> breaks;
  for (const TermOptions& t : terms) {
    const double cutoff = t.descriptor_parameters.real("cutoff");
    breaks.insert(breaks.end(), {cutoff, cutoff - t.descriptor_parameters.real("cutoff_width")});
  }
  return breaks;
}

// The first structure from `seed` on without distances within `margin` of a break: small steps see smooth functions.
Structure smooth_structure(int atoms, unsigned seed, const std::vector<int>& elements, const std::vector<double>& breaks, double margin,
                           bool periodic = true) {
  for (unsigned trial = seed; trial < seed + 2000; ++trial) {
    Structure s = random_triclinic(atoms, trial, elements);
    if (!periodic) {
      s.cell.reset();
      s.pbc = {false, false, false};
    }
    const NeighborList list(s, *std::max_element(breaks.begin(), breaks.end()) + 1);
    const bool smooth = std::all_of(list.distance().begin(), list.distance().end(), [&](double r) {
      return std::all_of(breaks.begin(), breaks.end(), [&](double b) { return std::abs(r - b) > margin; });
    });
    s.source = "seed " + std::to_string(trial);
    if (smooth) return s;
  }
  FAIL("no structure without distances close to a cutoff");
  return {};
}

// Central difference of fourth order of f around 0.
template <class F>
double derivative(F&& f, double step) {
  return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step);
}

// |analytic − central difference|. Where that is not `good`, with smaller steps: what is left of the difference's own error falls with the
// fourth power of the step, while its rounding grows, so that nothing else than it can pass.
template <class F>
double difference_from(double analytic, F&& f, double step, double good) {
  double smallest = std::numeric_limits<double>::infinity();
  for (int halvings = 0; halvings < 3 && !(smallest <= good); ++halvings, step /= 2)
    smallest = std::min(smallest, std::abs(analytic - derivative(f, step)));
  return smallest;
}

// Forces and virial against differences of the energy, relative to the largest; `step` in Å, of strain step / 4 Å.
void check_derivatives(Predictor& predictor, const Structure& s, double step, double tolerance) {
  const Prediction p = predictor.compute(s);
  const auto energy = [&](const Structure& moved) { return predictor.compute(moved, {.forces = false}).energy; };
  const double floor = 1e-12 / step;  // rounding of energies of some eV
  const double unit = p.forces->cwiseAbs().maxCoeff();
  double worst = 0;
  for (int i = 0; i < s.size(); ++i)
    for (int a = 0; a < 3; ++a) {
      const double difference = difference_from((*p.forces)(i, a),
                                                [&](double h) {
                                                  Structure moved = s;
                                                  moved.positions(i, a) -= h;
                                                  return energy(moved);
                                                },
                                                step, tolerance * unit + floor);
      worst = worse(worst, difference);
    }
  INFO("forces: worst difference ", worst, " of ", unit, " eV/Å, rounding ", floor);
  CHECK(worst <= tolerance * unit + floor);
  if (!s.cell) return;
  const double strain = step / 4, largest = p.virial->cwiseAbs().maxCoeff();
  double worst_virial = 0;
  for (int a = 0; a < 3; ++a)
    for (int b = a; b < 3; ++b) {
      const double difference = difference_from((*p.virial)(a, b),
                                                [&](double h) {
                                                  Matrix3 deformation = Matrix3::Identity();
                                                  deformation(a, b) -= h / 2;
                                                  deformation(b, a) -= h / 2;
                                                  return energy(deformed(s, deformation));
                                                },
                                                strain, tolerance * largest + 4 * floor);
      worst_virial = worse(worst_virial, difference);
    }
  INFO("virial: worst difference ", worst_virial, " of ", largest, " eV, rounding ", 4 * floor);
  CHECK(worst_virial <= tolerance * largest + 4 * floor);
}

// Σ (residual / σ)² over all rows, of the model and of the reference energies alone.
std::pair<double, double> weighted_squares(const ExtremeFit& fit, Predictor& predictor, const std::vector<Structure>& frames) {
  double model = 0, nothing = 0;
  const SigmaOptions& sigma = fit.options.regularization.standard;
  const auto add = [&](double target, double predicted, double baseline, double noise) {
    model += std::pow((target - predicted) / noise, 2);
    nothing += std::pow((target - baseline) / noise, 2);
  };
  for (const Structure& s : frames) {
    const Prediction p = predictor.compute(s);
    double baseline = 0;
    for (const int z : s.atomic_numbers) baseline += predictor.model().reference_energies.at(z);
    const double root = std::sqrt(s.size());
    add(*s.energy, p.energy, baseline, sigma[Property::energy] * root);
    for (Eigen::Index i = 0; i < s.forces->size(); ++i) add(s.forces->data()[i], p.forces->data()[i], 0, sigma[Property::force]);
    for (int a = 0; a < 3; ++a)
      for (int b = a; b < 3 && s.virial; ++b) add((*s.virial)(a, b), (*p.virial)(a, b), 0, sigma[Property::virial] * root);
  }
  return {model, nothing};
}

void check_error_bars(const Prediction& p) {
  CHECK((*p.energy_std_epistemic >= 0 && std::isfinite(*p.energy_std_epistemic)));
  CHECK((*p.energy_std > 0 && std::isfinite(*p.energy_std)));
  CHECK(p.local_energy_std_epistemic->allFinite());
  CHECK(p.local_energy_std_epistemic->minCoeff() >= 0);
}

// Properties of every model, on its training frames and on other structures. Returns the part of Σ (y/σ)² that the fit leaves.
double check_model(const ExtremeFit& fit, const std::vector<Structure>& frames, const std::vector<Structure>& others, double step,
                   double tolerance) {
  CHECK(fit.model->weights.allFinite());
  CHECK(fit.model->weights.size() > 0);
  CHECK(std::isfinite(fit.report.log_evidence));
  Predictor predictor(fit.model);
  const auto [left, all] = weighted_squares(fit, predictor, frames);
  CHECK(left <= all * (1 + 1e-9));  // the weights minimise |residuals/σ|² + |u|², which u = 0 makes `all`
  const PredictionRequest everything{.forces = true, .energy_std = true, .local_std = true};
  check_error_bars(predictor.compute(frames[0], everything));
  for (const Structure& s : others) {
    CAPTURE(s.source);
    check_error_bars(predictor.compute(s, everything));
    check_derivatives(predictor, s, step, tolerance);
  }
  return left / all;
}

class OneThread {  // the frames are too small to share
 public:
  OneThread() { set_thread_count(1); }
  ~OneThread() { set_thread_count(before_); }

 private:
  int before_ = thread_count();
};

double peak_memory_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

TEST_CASE("extremes: l_max and n_max, zeta, one sparse point and as many as candidates") {
  const OneThread one_thread;
  const std::vector<Structure> frames = triclinic_frames(3, 3, 900);
  const auto candidates = static_cast<int>(atoms_in(frames));
  const char* selections[] = {"variance", "cur", "fps", "random"};
  unsigned number = 0;
  for (const int l_max : {0, 20})
    for (const int n_max : {1, 20})
      for (const double zeta : {1.0, 2.5, 10.0})
        for (const int n_sparse : {1, candidates}) {
          CAPTURE(l_max);
          CAPTURE(n_max);
          CAPTURE(zeta);
          CAPTURE(n_sparse);
          TermOptions soap = small_soap(n_max, l_max, zeta, n_sparse);
          soap.selection = selections[number++ % 4];
          CAPTURE(soap.selection);
          const ExtremeFit fit = extreme_fit(frames, {soap}, number);
          const Structure other = smooth_structure(2, 1000 + 31 * number, std::vector<int>{14}, breaks_of({soap}), 6e-3);
          const double left = check_model(fit, frames, {other}, 1e-3, 1e-7);
          CHECK(fit.model->weights.size() <= n_sparse);
          if (n_sparse == 1) CHECK(fit.model->weights.size() == 1);
          // A single radial function, at the centre, is the same for all environments after normalisation.
          if (n_max > 1 && n_sparse == candidates) {
            CHECK(fit.model->weights.size() == candidates);
            CHECK(left < 0.5);
          }
        }
}

TEST_CASE("extremes: random combinations of legal options") {
  const OneThread one_thread;
  for (unsigned seed = 0; seed < 24; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto draw = [&](std::initializer_list<double> values) { return *(values.begin() + random() % values.size()); };
    const std::vector<int> elements = random() % 2 ? std::vector<int>{14} : std::vector<int>{6, 14};
    const int atoms = 1 + static_cast<int>(random() % 5), count = 1 + static_cast<int>(random() % 4);
    const std::vector<Structure> frames =
        triclinic_frames(count, std::max(atoms, static_cast<int>(elements.size())), 1200 + 17 * seed, elements);
    const auto candidates = static_cast<double>(atoms_in(frames));
    std::vector<TermOptions> terms;
    // One draw after the other: compilers evaluate arguments in different orders.
    if (random() % 2) {
      const double cutoff = draw({2.5, 4.2, 9.0}), points = draw({1, 7, 40}), length_scale = draw({0.3, 1.0, 20.0});
      terms.push_back(small_two_body(length_scale, static_cast<int>(points), cutoff));
    }
    if (terms.empty() || random() % 2) {
      const double cutoff = draw({2.0, 3.6, 6.0}), points = draw({1, 3, candidates}), zeta = draw({1.0, 2.0, 2.5, 4.0, 10.0});
      const double l_max = draw({0, 1, 3, 20}), n_max = draw({1, 2, 5, 20});
      terms.push_back(small_soap(static_cast<int>(n_max), static_cast<int>(l_max), zeta, static_cast<int>(points), cutoff));
    }
    for (TermOptions& t : terms) {
      t.delta = draw({0.01, 1.0, 30.0});
      CAPTURE(t.descriptor);
      CAPTURE(t.n_sparse);
    }
    const ExtremeFit fit = extreme_fit(frames, terms, seed);
    check_model(fit, frames, {smooth_structure(2, 1700 + 100 * seed, elements, breaks_of(terms), 6e-3)}, 1e-3, 1e-7);
  }
}

TEST_CASE("extremes: a cutoff of 15 Å in a cell of two atoms") {
  const OneThread one_thread;
  const std::vector<Structure> frames = triclinic_frames(3, 2, 930);
  TermOptions soap = small_soap(4, 3, 4, 6, 15.0);
  for (const std::vector<TermOptions>& terms :
       {std::vector{soap}, {small_two_body(1.0, 20, 15.0)}, {small_two_body(1.0, 20, 15.0), soap}}) {
    const ExtremeFit fit = extreme_fit(frames, terms);
    const Structure other = smooth_structure(2, 940, std::vector<int>{14}, breaks_of(terms), 4e-4);
    REQUIRE(NeighborList(other, 15).pair_count() > 1500);
    check_model(fit, frames, {other}, 1e-4, 1e-7);
  }
}

TEST_CASE("extremes: one molecule in vacuum, and one atom") {
  const OneThread one_thread;
  for (unsigned seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    const std::vector<Structure> frames = molecules(1, 5, 950 + seed);
    const std::vector<TermOptions> terms = {small_two_body(0.8, 12), small_soap(3, 3, 4, 5)};
    const ExtremeFit fit = extreme_fit(frames, terms);
    const double left =
        check_model(fit, frames, {smooth_structure(5, 960 + 10 * seed, std::vector<int>{14}, breaks_of(terms), 6e-3, false)}, 1e-3, 1e-7);
    CHECK(left < 0.2);
    CHECK_FALSE(Predictor(fit.model).compute(frames[0]).forces->isZero());
  }
  // An isolated atom gives its reference energy only: predictions are the mean of the prior, with its error bar.
  const ExtremeFit alone = extreme_fit({lone_atom(14)}, {small_soap(3, 3, 4, 1)});
  Predictor predictor(alone.model);
  check_close(predictor.compute(lone_atom(14)).energy, lone_atom_energy(14), 1e-10);
}

TEST_CASE("extremes: ten elements") {
  const OneThread one_thread;
  const std::vector<int> ten = {1, 6, 8, 14, 22, 26, 29, 47, 79, 92};
  const std::vector<Structure> frames = triclinic_frames(2, 14, 970, ten);
  const std::vector<TermOptions> terms = {small_two_body(1.0, 4, 3.0), small_soap(2, 2, 4, 2, 3.4)};
  const ExtremeFit fit = extreme_fit(frames, terms);
  std::set<std::pair<int, int>> pairs;  // that occur within the pairs' own cutoff, which is not the largest
  for (const Structure& s : frames) {
    const NeighborList list(s, 3.0);
    for (int i = 0; i < s.size(); ++i)
      for (std::size_t p = list.begin()[static_cast<std::size_t>(i)]; p < list.begin()[static_cast<std::size_t>(i) + 1]; ++p)
        pairs.insert(
            std::minmax(s.atomic_numbers[static_cast<std::size_t>(i)], s.atomic_numbers[static_cast<std::size_t>(list.index()[p])]));
  }
  REQUIRE(pairs.size() > 20);
  REQUIRE(pairs.size() < 55);
  CHECK(fit.model->terms.size() == 55 + 10);
  CHECK(std::any_of(fit.warnings.begin(), fit.warnings.end(),
                    [](const std::string& w) { return w.find("term 'two_body' has no environment of ") != std::string::npos; }));
  for (const Term& term : fit.model->terms)
    CHECK((term.sparse.size() > 0) == (term.species.size() == 1 || pairs.count({term.species[0], term.species[1]}) > 0));
  const double left = check_model(fit, frames, {smooth_structure(10, 980, ten, breaks_of(terms), 4e-3)}, 1e-3, 1e-7);
  CHECK(left < 0.5);
}

TEST_CASE("extremes: 100000 atoms in one frame, in bounded memory") {
  const std::vector<TermOptions> terms = {small_two_body(1.0, 12, 4.0), small_soap(4, 3, 4, 50, 4.0)};
  const ExtremeFit fit = extreme_fit(triclinic_frames(8, 8, 990), terms);
  Structure diamond;
  const double a = 5.43;
  diamond.cell = Matrix3(a * Matrix3::Identity());
  diamond.pbc = {true, true, true};
  diamond.atomic_numbers.assign(8, 14);
  diamond.positions.resize(8, 3);
  diamond.positions << 0, 0, 0, 0, 2, 2, 2, 0, 2, 2, 2, 0, 1, 1, 1, 1, 3, 3, 3, 1, 3, 3, 3, 1;
  diamond.positions *= a / 4;
  std::mt19937 random(7);
  test::Normal normal(0, 0.1);
  for (Eigen::Index i = 0; i < diamond.positions.size(); ++i) diamond.positions.data()[i] += normal(random);

  const Structure large = supercell(diamond, 25, 25, 20);
  REQUIRE(large.size() == 100000);
  Predictor predictor(fit.model);
  const Prediction small = predictor.compute(diamond, {.forces = true, .energy_std = false, .local_std = true});
  const double before = peak_memory_mb();
  const Prediction p = predictor.compute(large, {.forces = true, .energy_std = false, .local_std = true});
  const double after = peak_memory_mb();
  INFO("peak memory ", before, " MB before, ", after, " MB after");
  const std::size_t pairs = 12500 * NeighborList(diamond, 4.0).pair_count();
  // Neighbour list (index, shift, vector, distance) and one gradient per pair; frame and results; chunks
  const double expected = (48 + 24) * 1.5 * static_cast<double>(pairs) / 1e6 + 100;
  CHECK(after - before <= expected);

  check_close(p.energy, 12500 * small.energy, 0, 1e-9);
  const double unit = small.forces->cwiseAbs().maxCoeff();
  REQUIRE(unit > 0.1);
  CHECK(largest_difference(*p.virial, Matrix3(12500 * *small.virial)) <= 1e-9 * 12500 * small.virial->cwiseAbs().maxCoeff());
  double worst_force = 0, worst_std = 0;  // of each atom of the large cell against its like in the small one
  const Matrix3 inverse = diamond.cell->inverse();
  for (int i = 0; i < large.size(); ++i) {
    int like = -1;
    for (int j = 0; j < 8 && like < 0; ++j) {
      const Vector3 turns = inverse.transpose() * (large.positions.row(i) - diamond.positions.row(j)).transpose();
      if ((turns.array() - turns.array().round()).abs().maxCoeff() < 1e-6) like = j;
    }
    REQUIRE(like >= 0);
    const double force = (p.forces->row(i) - small.forces->row(like)).cwiseAbs().maxCoeff();
    worst_force = worse(worst_force, force);
    const double std = std::abs((*p.local_energy_std_epistemic)[i] / (*small.local_energy_std_epistemic)[like] - 1);
    worst_std = worse(worst_std, std);
  }
  CHECK(worst_force <= 1e-9 * unit);
  CHECK(worst_std <= 1e-6);
}
