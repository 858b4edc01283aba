#pragma once

#include <gapkit/core/neighbor_list.hpp>
#include <memory>

namespace gapkit {

class Descriptor;
class Kernel;

/// The representative environments of one term.
struct SparseSet {
  Matrix x;                               ///< [M, D] feature vectors
  Vector covariance_cutoff;               ///< [M] f_m
  std::vector<EnvironmentOrigin> origin;  ///< [M], or empty if they are from a file

  Eigen::Index size() const { return x.rows(); }
};

/// One additive part of the energy: E_t(S) = Σ_e ε_t(x_e) over its environments, ε_t ~ GP(0, δ² f κ(x, x') f').
struct Term {
  std::string name;  ///< of its [[term]]; terms of one name share their amplitude unless delta is a table
  std::string descriptor_name;
  std::string kernel_name;
  std::vector<int> species;   ///< its combination
  std::vector<int> elements;  ///< neighbour elements of its descriptor
  std::shared_ptr<const Descriptor> descriptor;
  std::shared_ptr<const Kernel> kernel;
  double delta = 1;  ///< eV
  SparseSet sparse;

  /// Factor of f κ(·, x_m) f_m in an observable: δ² times the descriptor's multiplicity, eV².
  double weight() const;
  /// "soap Si", "two_body Si-O"
  std::string label() const;
};

/// The term with descriptor and sparse points in the short form (Descriptor::short_form), if the descriptor has one and the kernel depends
/// on scalar products only; else a copy. Covariances of environments with each other and with the points are the same.
Term shortened(const Term& term);

/// "Si", "Si-O": a combination of elements in configuration and messages.
std::string combination_name(const std::vector<int>& species);

/// δ² f_m κ(x_m, x_m') f_m' between the sparse points of a term, [M, M], eV².
Matrix sparse_covariance(const Term& term);

/// Number of sparse points in all terms, and the first column of each term.
Eigen::Index sparse_count(std::span<const Term> terms);
std::vector<Eigen::Index> sparse_offsets(std::span<const Term> terms);
double largest_cutoff(std::span<const Term> terms);

}  // namespace gapkit
