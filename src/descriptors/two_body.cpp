#include "descriptors/two_body.hpp"

#include <gapkit/core/errors.hpp>

namespace gapkit {

TwoBody::TwoBody(const Parameters& parameters, const std::vector<int>& species)
    : parameters_(parameters), species_(species), cutoff_(parameters.real("cutoff")), width_(parameters.real("cutoff_width")) {
  if (width_ > cutoff_) throw InputError("two_body: cutoff_width is larger than cutoff");
}

Matrix TwoBody::domain_points(int count) const {
  Matrix points(count, 1);
  for (int i = 0; i < count; ++i) points(i, 0) = cutoff_ * (i + 0.5) / count;
  return points;
}

template <class Visit>
void TwoBody::for_each_pair(const Environments& environments, int c, Visit&& visit) const {
  const auto position = static_cast<std::size_t>(c);
  const int zi = environments.atomic_number[static_cast<std::size_t>(environments.centre[position])];
  if (zi != species_[0] && zi != species_[1]) return;
  const int wanted = zi == species_[0] ? species_[1] : species_[0];
  for (std::size_t p = environments.begin[position]; p < environments.begin[position + 1]; ++p)
    if (environments.distance[p] < cutoff_ && environments.atomic_number[static_cast<std::size_t>(environments.neighbor[p])] == wanted)
      visit(p);
}

EnvironmentCount TwoBody::count(const Environments& environments, int c) const {
  EnvironmentCount result;
  for_each_pair(environments, c, [&](std::size_t) { ++result.environments; });
  result.pairs = result.environments;
  return result;
}

void TwoBody::fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const {
  for (int c = begin; c < end; ++c) {
    for_each_pair(environments, c, [&](std::size_t p) {
      out.centre.push_back(environments.centre[static_cast<std::size_t>(c)]);
      out.partner.push_back(environments.neighbor[p]);
      out.pair.push_back(p);
    });
  }
  const std::size_t count = out.pair.size();
  out.x.resize(static_cast<Eigen::Index>(count), 1);
  out.covariance_cutoff.resize(count);
  for (std::size_t e = 0; e < count; ++e) {
    const double r = environments.distance[out.pair[e]];
    out.x(static_cast<Eigen::Index>(e), 0) = r;
    out.covariance_cutoff[e] = cutoff_value(r, cutoff_, width_);
  }
  if (derivatives != Derivatives::jacobian) return;
  out.make_blocks(1);
  JacobianBlock& block = out.blocks[0];
  block.environment.resize(count);
  block.neighbor = out.partner;
  block.pair = out.pair;
  block.vector.resize(count);
  block.values.resize(static_cast<Eigen::Index>(3 * count), 1);
  block.projection.assign(3 * count, 0.0);
  block.cutoff_gradient.resize(3 * count);
  for (std::size_t e = 0; e < count; ++e) {
    const double r = environments.distance[out.pair[e]];
    const Vector3& v = environments.vector[out.pair[e]];
    const double inverse = r > 1e-10 ? 1 / r : 0;
    const double df = cutoff_derivative(r, cutoff_, width_);
    block.environment[e] = static_cast<int>(e);
    block.vector[e] = v;
    for (int a = 0; a < 3; ++a) {
      block.values(static_cast<Eigen::Index>(3 * e) + a, 0) = v[a] * inverse;
      block.cutoff_gradient[3 * e + static_cast<std::size_t>(a)] = df * v[a] * inverse;
    }
  }
}

void TwoBody::pullback(const Environments& environments, int /*begin*/, int /*end*/, const Features& features,
                       const FeatureGradient& gradient, std::span<Vector3> dE_dr) const {
  for (std::size_t e = 0; e < features.pair.size(); ++e) {
    const std::size_t p = features.pair[e];
    const double r = environments.distance[p];
    if (r <= 1e-10) continue;
    const double slope = gradient.dE_dx(static_cast<Eigen::Index>(e), 0) + gradient.dE_df[e] * cutoff_derivative(r, cutoff_, width_);
    dE_dr[p] += slope / r * environments.vector[p];
  }
}

}  // namespace gapkit
