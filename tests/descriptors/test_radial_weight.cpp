// SOAP against a slow form: pair sums with Legendre polynomials by the addition theorem, the weight (1 − r/cutoff)^p written out.

#include <cmath>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/math/radial_basis.hpp>
#include <numbers>

#include "support/dense_setups.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

constexpr int n_max = 3, l_max = 4;
constexpr double cutoff = 4.2, width = 1.1, sigma = 0.5, central_weight = 0.7;

Parameters parameters(std::int64_t weight) {
  const Parameters given = {{"cutoff", cutoff},
                            {"cutoff_width", width},
                            {"n_max", std::int64_t{n_max}},
                            {"l_max", std::int64_t{l_max}},
                            {"atom_sigma", sigma},
                            {"central_weight", central_weight},
                            {"radial_weight", weight}};
  return complete_parameters(given, descriptor_kind("soap").parameters, "test");
}

// Σ_m c_alm c_blm = Σ_ij R_al(r_i) R_bl(r_j) (2l+1)/4π P_l(r̂_i·r̂_j) for the neighbours, plus the centre in l = 0.
Vector spectrum(const Structure& s, int centre, int weight) {
  const RadialBasis plain(n_max, l_max, sigma, cutoff);
  const NeighborList list(s, cutoff);
  const auto c = static_cast<std::size_t>(centre);
  std::vector<Vector3> direction;
  std::vector<Vector> radial;
  for (std::size_t p = list.begin()[c]; p < list.begin()[c + 1]; ++p) {
    const double r = list.distance()[p];
    if (!(r < cutoff)) continue;
    Vector value(plain.count());
    plain.compute_directly(r, value.data(), nullptr, nullptr);
    radial.push_back(value * cutoff_value(r, cutoff, width) * std::pow(1 - r / cutoff, weight));
    direction.push_back(list.vector()[p] / r);
  }
  REQUIRE(radial.size() > 3);
  Vector p((l_max + 1) * n_max * (n_max + 1) / 2);
  Eigen::Index next = 0;
  const double per_sphere = 1 / (4 * std::numbers::pi);
  for (int a = 0; a < n_max; ++a)
    for (int b = 0; b <= a; ++b)
      for (int l = 0; l <= l_max; ++l) {
        double sum = 0;
        for (std::size_t i = 0; i < radial.size(); ++i)
          for (std::size_t j = 0; j < radial.size(); ++j)
            sum += radial[i][l * n_max + a] * radial[j][l * n_max + b] * (2 * l + 1) * per_sphere *
                   std::legendre(static_cast<unsigned>(l), std::clamp(direction[i].dot(direction[j]), -1.0, 1.0));
        if (l == 0) {
          const auto own = [&](int n) { return central_weight * plain.centre()[static_cast<std::size_t>(n)]; };
          for (const Vector& value : radial) sum += std::sqrt(per_sphere) * (value[a] * own(b) + value[b] * own(a));
          sum += own(a) * own(b);
        }
        p[next++] = sum / std::sqrt(2 * l + 1) * (a == b ? 1 : std::sqrt(2));
      }
  return p / p.norm();
}

}  // namespace

TEST_CASE("SOAP with a radial weight equals a slow pair sum") {
  const Structure s = random_structures(1, 5, 77, {14}).front();
  Matrix without;
  for (const int weight : {0, 1, 2, 5}) {
    CAPTURE(weight);
    const auto descriptor = descriptor_kind("soap").make(parameters(weight), {14}, {14});
    const StructureEnvironments environments(s, cutoff);
    Features features;
    descriptor->compute(environments.view(), 0, s.size(), Derivatives::none, features);
    for (int i = 0; i < s.size(); ++i) CHECK(largest_difference(Vector(features.x.view().row(i)), spectrum(s, i, weight)) <= 1e-9);
    if (weight == 0)
      without = features.x.view();
    else
      CHECK(largest_difference(Matrix(features.x.view()), without) > 1e-3);
  }
}

TEST_CASE("new SOAP terms have a radial weight, stored ones without the key have none") {
  const auto& infos = descriptor_kind("soap").parameters;
  CHECK(complete_parameters({{"cutoff", 4.0}}, infos, "test").integer("radial_weight") == 1);
  CHECK(complete_stored_parameters({{"cutoff", 4.0}}, infos, "test").integer("radial_weight") == 0);
  CHECK(complete_stored_parameters({{"cutoff", 4.0}, {"radial_weight", std::int64_t{2}}}, infos, "test").integer("radial_weight") == 2);
  // Without the key at all, as in descriptors made from parameters of earlier versions
  Parameters earlier = complete_stored_parameters({{"cutoff", 4.0}}, infos, "test"), bare;
  for (const auto& [name, value] : earlier.values())
    if (name != "radial_weight") bare.set(name, value);
  const Structure s = random_structures(1, 3, 5, {14}).front();
  const StructureEnvironments environments(s, 4.0);
  Features a, b;
  descriptor_kind("soap").make(earlier, {14}, {14})->compute(environments.view(), 0, s.size(), Derivatives::none, a);
  descriptor_kind("soap").make(bare, {14}, {14})->compute(environments.view(), 0, s.size(), Derivatives::none, b);
  CHECK(largest_difference(Matrix(a.x.view()), Matrix(b.x.view())) == 0);
}
