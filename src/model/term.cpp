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

std::shared_ptr<const Kernel> kernel_for(const Descriptor& descriptor, const std::string& name, const Parameters& parameters) {
  std::shared_ptr<const Kernel> kernel = kernel_kind(name).make(parameters);
  const FeatureFacts facts = {descriptor.size(), descriptor.has_nonnegative_products(), descriptor.has_unit_length(),
                              descriptor.usual_square()};
  kernel->check_features(facts.size, facts.has_nonnegative_products);
  const std::shared_ptr<const Kernel> own_form = kernel->for_features(facts);
  return own_form ? own_form : kernel;
}

void require_derivatives(std::span<const Term> terms) {
  for (const Term& term : terms)
    if (const std::string reason = term.kernel->without_derivatives(); !reason.empty())
      throw InputError("term '" + term.label() + "': forces, stress and virials are not available: " + reason);
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
