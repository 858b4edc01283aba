#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/term.hpp>

namespace gapkit {

std::string combination_name(const std::vector<int>& species) {
  std::string name;
  for (const int z : species) name += (name.empty() ? "" : "-") + element_symbol(z);
  return name;
}

double Term::weight() const {
  return delta * delta * descriptor->multiplicity();
}

std::string Term::label() const {
  return name + " " + combination_name(species);
}

Term shortened(const Term& term) {
  Term result = term;
  if (term.kernel->is_stationary() || term.kernel->has_own_slope() || term.kernel->metric(term.descriptor->size()).size() > 0)
    return result;
  const auto [descriptor, points] = term.descriptor->short_form();
  if (!descriptor) return result;
  result.descriptor = descriptor;
  result.sparse.x = points(term.sparse.x);
  return result;
}

Matrix sparse_covariance(const Term& term) {
  const Eigen::Index m = term.sparse.size();
  Matrix k(m, m);
  term.kernel->compute(term.sparse.x, term.sparse.x, k);
  const Vector f = term.delta * term.sparse.covariance_cutoff;
  k = f.asDiagonal() * k * f.asDiagonal();
  return k;
}

std::vector<Eigen::Index> sparse_offsets(std::span<const Term> terms) {
  std::vector<Eigen::Index> offsets = {0};
  for (const Term& term : terms) offsets.push_back(offsets.back() + term.sparse.size());
  return offsets;
}

Eigen::Index sparse_count(std::span<const Term> terms) {
  return sparse_offsets(terms).back();
}

double largest_cutoff(std::span<const Term> terms) {
  double cutoff = 0;
  for (const Term& term : terms) cutoff = std::max(cutoff, term.descriptor->cutoff());
  return cutoff;
}

}  // namespace gapkit
