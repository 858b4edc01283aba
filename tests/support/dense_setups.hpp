#pragma once

#include <gapkit/model/covariance.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

namespace gapkit::test {

inline const std::vector<int> silicon = {14}, silicon_carbide = {6, 14};

/// Terms and structures small enough for dense references.
struct Setup {
  std::string label;
  std::vector<Term> terms;
  std::vector<Structure> train, other;  ///< `other` is not fitted
  FitConfiguration options;             ///< σ and targets of the fit
  double jitter = 1e-8;                 ///< eV², of every term
  bool once_differentiable = false;     ///< finite differences of covariances converge with the step only
};

/// Small structures with and without images, one and two species, SOAP, pairs and triplets together.
std::vector<Setup> general_setups();

Matrix random_points(Eigen::Index count, Eigen::Index size, unsigned seed);
/// A term for each combination of the elements; its sparse points are at most `count` of the environments of the structures.
void add_terms(std::vector<Term>& terms, const TermOptions& options, const std::vector<int>& elements,
               const std::vector<Structure>& structures, Eigen::Index count);
std::vector<Structure> random_structures(int count, int atoms, unsigned seed, const std::vector<int>& elements);
/// The same atoms without cell: no periodic images, no virial.
std::vector<Structure> as_molecules(std::vector<Structure> structures);
/// Energies of the isolated atoms C and Si.
std::map<int, double> lone_atom_energies();

/// The posterior from the library: kernel rows, whitening, sufficient statistics, solution. `scale`: amplitudes relative to δ.
Model model_of(const Setup& setup, const std::vector<double>& scale);
Model model_of(const Setup& setup);
/// The model's prediction of the rows, without reference energies.
LongVector mean_of(const Model& model, const Structure& s, const Observables& wanted);
std::vector<Structure> all_of(const Setup& setup);

struct Expected {
  LongVector prior, novelty, data;
};

/// Worst deviation of variances, relative to k**; NaN stays NaN.
struct Worst {
  double prior = 0, novelty = 0, data = 0, total = 0;
};

void update(double& worst, double deviation);
/// `floor`: smallest k** in the comparison.
Worst compare(const std::vector<Variance>& actual, const Expected& expected, double floor = 0);

}  // namespace gapkit::test
