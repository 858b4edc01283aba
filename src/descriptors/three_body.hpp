#pragma once

#include <gapkit/descriptors/descriptor.hpp>

namespace gapkit {

/// Triplet of a centre i and two neighbours j, k (QUIP's angle_3b): x = (r_ij + r_ik, (r_ij − r_ik)², r_jk), the same for (j, k) and
/// (k, j), with covariance cutoff f_c(r_ij) f_c(r_ik). r_jk has no cutoff: it reaches up to twice the cutoff.
///
/// `species` is {Z_i, Z_j, Z_k}, the centre first and Z_j ≤ Z_k. Each unordered {j, k} is one environment that counts twice
/// (`multiplicity`); its local energy belongs to the centre (methods.md, section 2). Two images of one atom are two neighbours.
/// Environments of a centre are in the order of j, then k, in the neighbour list.
/// Cost: O(P²) per centre with P neighbours inside the cutoff.
class ThreeBody final : public Descriptor {
 public:
  ThreeBody(const Parameters& parameters, const std::vector<int>& species);

  int size() const override { return 3; }
  double cutoff() const override { return cutoff_; }
  const Parameters& parameters() const override { return parameters_; }
  const std::vector<int>& species() const override { return species_; }
  EnvironmentCount count(const Environments& environments, int c) const override;
  bool has_nonnegative_products() const override { return true; }
  int multiplicity() const override { return 2; }
  double covariance_cutoff(std::span<const double> x) const override;
  /// A low-discrepancy set over r_ij, r_ik ≤ cutoff and all angles, denser towards the boundaries.
  Matrix domain_points(int count) const override;
  void pullback(const Environments& environments, int begin, int end, const Features& features, const FeatureGradient& gradient,
                std::span<Vector3> dE_dr) const override;

 private:
  void fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const override;

  struct Neighbors;
  void fill_centre(const Environments& environments, const Neighbors& neighbors, std::size_t c, bool with_jacobian, Features& out) const;

  Parameters parameters_;
  std::vector<int> species_;
  double cutoff_, width_;
};

}  // namespace gapkit
