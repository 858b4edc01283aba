#include "descriptors/three_body.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <numbers>

namespace gapkit {
namespace {

constexpr double smallest_distance = 1e-10;  // Å; shorter vectors have no direction, their derivative is set to zero

double inverse_of(double distance) {
  return distance > smallest_distance ? 1 / distance : 0;
}

// Maps [0, 1] to [0, 1], denser towards both ends, as polynomial-like interpolation of a smooth kernel needs.
double towards_ends(double u) {
  const double s = std::sin(0.5 * std::numbers::pi * u);
  return s * s;
}

}  // namespace

ThreeBody::ThreeBody(const Parameters& parameters, const std::vector<int>& species)
    : parameters_(parameters), species_(species), cutoff_(parameters.real("cutoff")), width_(parameters.real("cutoff_width")) {
  if (width_ > cutoff_) throw InputError("three_body: cutoff_width is larger than cutoff");
  if (species_.size() != 3 || species_[1] > species_[2])
    throw InputError("three_body: species must be the centre and two neighbours in the order of their atomic numbers");
}

double ThreeBody::covariance_cutoff(std::span<const double> x) const {
  const double sum = x[0], difference = std::sqrt(x[1] < 0 ? 0 : x[1]);  // NaN stays NaN
  return cutoff_value(0.5 * (sum + difference), cutoff_, width_) * cutoff_value(0.5 * (sum - difference), cutoff_, width_);
}

Matrix ThreeBody::domain_points(int count) const {
  // Additive recurrence with the powers of 1/g, g⁴ = g + 1: the three-dimensional analogue of the golden ratio.
  constexpr double step[3] = {0.8191725133961645, 0.6710436067037893, 0.5497004779019703};
  Matrix points(count, 3);
  for (int i = 0; i < count; ++i) {
    double u[3];
    for (int d = 0; d < 3; ++d) u[d] = towards_ends(std::fmod(0.5 + step[d] * (i + 1), 1.0));
    const double r_ij = cutoff_ * u[0], r_ik = cutoff_ * u[1], shortest = std::abs(r_ij - r_ik);
    points(i, 0) = r_ij + r_ik;
    points(i, 1) = shortest * shortest;
    points(i, 2) = shortest + u[2] * (r_ij + r_ik - shortest);
  }
  return points;
}

// Pairs inside the cutoff that can be j and k, by centre; j and k are from one list if their species are equal.
struct ThreeBody::Neighbors {
  int begin = 0;                                // position of the first centre
  std::vector<std::size_t> j, k;                // indices of pairs
  std::vector<std::size_t> begin_j, begin_k;    // per centre, one more at the end
  std::vector<Eigen::Index> begin_environment;  // per centre, one more at the end
  bool one_list = false;

  Neighbors(const ThreeBody& descriptor, const Environments& environments, int first, int last)
      : begin(first), begin_j{0}, begin_k{0}, begin_environment{0}, one_list(descriptor.species_[1] == descriptor.species_[2]) {
    for (int c = first; c < last; ++c) {
      const auto position = static_cast<std::size_t>(c);
      if (environments.atomic_number[static_cast<std::size_t>(environments.centre[position])] == descriptor.species_[0])
        for (std::size_t p = environments.begin[position]; p < environments.begin[position + 1]; ++p) {
          if (!(environments.distance[p] < descriptor.cutoff_)) continue;
          const int z = environments.atomic_number[static_cast<std::size_t>(environments.neighbor[p])];
          if (z == descriptor.species_[1])
            j.push_back(p);
          else if (z == descriptor.species_[2])
            k.push_back(p);
        }
      const std::size_t n_j = j.size() - begin_j.back(), n_k = k.size() - begin_k.back();
      const std::size_t triplets = one_list ? n_j * (n_j - std::min<std::size_t>(n_j, 1)) / 2 : n_j * n_k;
      begin_j.push_back(j.size());
      begin_k.push_back(k.size());
      begin_environment.push_back(begin_environment.back() + static_cast<Eigen::Index>(triplets));
    }
  }
};

EnvironmentCount ThreeBody::count(const Environments& environments, int c) const {
  const auto position = static_cast<std::size_t>(c);
  if (environments.atomic_number[static_cast<std::size_t>(environments.centre[position])] != species_[0]) return {};
  std::int64_t j = 0, k = 0;  // neighbours that can be j; that can be k, but not j
  for (std::size_t p = environments.begin[position]; p < environments.begin[position + 1]; ++p) {
    if (!(environments.distance[p] < cutoff_)) continue;
    const int z = environments.atomic_number[static_cast<std::size_t>(environments.neighbor[p])];
    j += z == species_[1] ? 1 : 0;
    k += z == species_[2] && z != species_[1] ? 1 : 0;
  }
  const std::int64_t triplets = species_[1] == species_[2] ? j * (j - 1) / 2 : j * k;
  return {triplets, 2 * triplets};
}

void ThreeBody::fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const {
  const Neighbors neighbors(*this, environments, begin, end);
  const Eigen::Index count = neighbors.begin_environment.back();
  const auto entries = static_cast<std::size_t>(count);
  out.x.resize(count, 3);
  out.covariance_cutoff.resize(entries);
  out.centre.resize(entries);
  out.partner.assign(entries, -1);
  out.pair.resize(2 * entries);
  const bool with_jacobian = derivatives == Derivatives::jacobian;
  if (with_jacobian) {
    out.make_blocks(1);
    JacobianBlock& block = out.blocks[0];
    block.environment.resize(2 * entries);
    block.neighbor.resize(2 * entries);
    block.vector.resize(2 * entries);
    block.values.resize(6 * count, 3);
    block.projection.assign(6 * entries, 0.0);
    block.cutoff_gradient.resize(6 * entries);
    block.pair.resize(2 * entries);
  }
#pragma omp parallel for schedule(dynamic, 4) if (entries > 2000)
  for (int c = 0; c < end - begin; ++c) fill_centre(environments, neighbors, static_cast<std::size_t>(c), with_jacobian, out);
}

void ThreeBody::fill_centre(const Environments& environments, const Neighbors& neighbors, std::size_t c, bool with_jacobian,
                            Features& out) const {
  const std::vector<std::size_t>& list_k = neighbors.one_list ? neighbors.j : neighbors.k;
  const std::vector<std::size_t>& begin_k = neighbors.one_list ? neighbors.begin_j : neighbors.begin_k;
  const int centre = environments.centre[static_cast<std::size_t>(neighbors.begin) + c];
  Eigen::Index e = neighbors.begin_environment[c];
  for (std::size_t a = neighbors.begin_j[c]; a < neighbors.begin_j[c + 1]; ++a) {
    const std::size_t pj = neighbors.j[a];
    const double r_ij = environments.distance[pj];
    const double f_j = cutoff_value(r_ij, cutoff_, width_), df_j = cutoff_derivative(r_ij, cutoff_, width_);
    for (std::size_t b = neighbors.one_list ? a + 1 : begin_k[c]; b < begin_k[c + 1]; ++b, ++e) {
      const std::size_t pk = list_k[b];
      const double r_ik = environments.distance[pk], difference = r_ij - r_ik;
      const Vector3 jk = environments.vector[pk] - environments.vector[pj];
      const double r_jk = jk.norm(), f_k = cutoff_value(r_ik, cutoff_, width_);
      const auto entry = static_cast<std::size_t>(e);
      double* x = out.x.row(e);
      x[0] = r_ij + r_ik;
      x[1] = difference * difference;
      x[2] = r_jk;
      out.covariance_cutoff[entry] = f_j * f_k;
      out.centre[entry] = centre;
      out.pair[2 * entry] = pj;
      out.pair[2 * entry + 1] = pk;
      if (!with_jacobian) continue;
      JacobianBlock& block = out.blocks[0];
      const double df[2] = {df_j * f_k, f_j * cutoff_derivative(r_ik, cutoff_, width_)};
      const Vector3 direction_jk = inverse_of(r_jk) * jk;
      for (std::size_t side = 0; side < 2; ++side) {
        const std::size_t p = side == 0 ? pj : pk, q = 2 * entry + side;
        const double sign = side == 0 ? 1 : -1;
        const Vector3 direction = inverse_of(environments.distance[p]) * environments.vector[p];
        block.environment[q] = static_cast<int>(e);
        block.neighbor[q] = environments.neighbor[p];
        block.vector[q] = environments.vector[p];
        block.pair[q] = p;
        for (Eigen::Index component = 0; component < 3; ++component) {
          double* values = block.values.row(static_cast<Eigen::Index>(3 * q) + component);
          values[0] = direction[component];
          values[1] = 2 * sign * difference * direction[component];
          values[2] = -sign * direction_jk[component];
          block.cutoff_gradient[3 * q + static_cast<std::size_t>(component)] = df[side] * direction[component];
        }
      }
    }
  }
}

void ThreeBody::pullback(const Environments& environments, int /*begin*/, int /*end*/, const Features& features,
                         const FeatureGradient& gradient, std::span<Vector3> dE_dr) const {
  for (std::size_t e = 0; e < features.centre.size(); ++e) {
    const auto row = static_cast<Eigen::Index>(e);
    const std::size_t pj = features.pair[2 * e], pk = features.pair[2 * e + 1];
    const double r_ij = environments.distance[pj], r_ik = environments.distance[pk];
    const double by_sum = gradient.dE_dx(row, 0), by_difference = 2 * (r_ij - r_ik) * gradient.dE_dx(row, 1);
    const double f_j = cutoff_value(r_ij, cutoff_, width_), f_k = cutoff_value(r_ik, cutoff_, width_);
    const double slope_j = by_sum + by_difference + gradient.dE_df[e] * cutoff_derivative(r_ij, cutoff_, width_) * f_k;
    const double slope_k = by_sum - by_difference + gradient.dE_df[e] * f_j * cutoff_derivative(r_ik, cutoff_, width_);
    const Vector3 along_jk = gradient.dE_dx(row, 2) * inverse_of(features.x(row, 2)) * (environments.vector[pk] - environments.vector[pj]);
    dE_dr[pj] += slope_j * inverse_of(r_ij) * environments.vector[pj] - along_jk;
    dE_dr[pk] += slope_k * inverse_of(r_ik) * environments.vector[pk] + along_jk;
  }
}

}  // namespace gapkit
