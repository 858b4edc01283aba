#pragma once

#include <gapkit/core/neighbor_list.hpp>
#include <memory>

namespace gapkit {

class Descriptor;
class Kernel;

/// The representative environments of one term.
struct SparseSet {
  Matrix x;                               ///< [M, D] feature vectors
  Vector cutoff;                          ///< [M] covariance cutoffs
  std::vector<EnvironmentOrigin> origin;  ///< [M], or empty if they came from a file

  Eigen::Index size() const { return x.rows(); }
};

/// One additive part of the energy: E_t(S) = Σ_e ε_t(x_e) over its environments, ε_t ~ GP(0, δ² f κ(x, x') f').
struct Term {
  std::string name;  ///< of the [[term]] it belongs to; terms of one name share their amplitude unless delta is a table
  std::string descriptor_name;
  std::string kernel_name;
  std::vector<int> species;   ///< the combination it is for
  std::vector<int> elements;  ///< neighbour elements it was made with
  std::shared_ptr<const Descriptor> descriptor;
  std::shared_ptr<const Kernel> kernel;
  double delta = 1;  ///< eV
  SparseSet sparse;

  /// What an environment's f κ(·, x_m) f_m is multiplied with in an observable: δ² times the descriptor's multiplicity, eV².
  double weight() const;
  /// "soap Si", "two_body Si-O"
  std::string label() const;
};

/// The term with descriptor and sparse points in the short form that the descriptor may have (Descriptor::short_form), if the kernel knows
/// scalar products only; else the term as it is. Covariances of environments with each other and with the points are the same.
Term shortened(const Term& term);

/// "Si", "Si-O": a combination of elements as configuration and messages write it.
std::string combination_name(const std::vector<int>& species);

/// δ² f_m κ(x_m, x_m') f_m' between the sparse points of a term, [M, M], eV².
Matrix sparse_covariance(const Term& term);

/// Sparse points in all terms, and where each term's columns begin.
Eigen::Index sparse_count(std::span<const Term> terms);
std::vector<Eigen::Index> sparse_offsets(std::span<const Term> terms);
double largest_cutoff(std::span<const Term> terms);

}  // namespace gapkit
