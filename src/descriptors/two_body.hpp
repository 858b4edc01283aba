#pragma once

#include <gapkit/descriptors/descriptor.hpp>

namespace gapkit {

/// Distance of a pair (QUIP's distance_2b): x = r_ij with covariance cutoff f_c(r_ij).
///
/// Every ordered pair (i, j) with {Z_i, Z_j} = species is an environment, so each bond counts twice; its local energy is shared half
/// and half by its ends (methods.md, section 2).
class TwoBody final : public Descriptor {
 public:
  TwoBody(const Parameters& parameters, const std::vector<int>& species);

  int size() const override { return 1; }
  double cutoff() const override { return cutoff_; }
  const Parameters& parameters() const override { return parameters_; }
  const std::vector<int>& species() const override { return species_; }
  EnvironmentCount count(const Environments& environments, int c) const override;
  bool has_nonnegative_products() const override { return true; }
  double covariance_cutoff(std::span<const double> x) const override { return cutoff_value(x[0], cutoff_, width_); }
  Matrix domain_points(int count) const override;
  void pullback(const Environments& environments, int begin, int end, const Features& features, const FeatureGradient& gradient,
                std::span<Vector3> dE_dr) const override;

 private:
  /// visit(pair) for every pair of the centre at position c that is an environment.
  template <class Visit>
  void for_each_pair(const Environments& environments, int c, Visit&& visit) const;
  void fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const override;

  Parameters parameters_;
  std::vector<int> species_;
  double cutoff_, width_;
};

}  // namespace gapkit
