// Radial functions of SOAP: the spline against the direct formula, the direct formula against quadrature of its definition, the
// derivatives against finite differences.

#include <gapkit/core/errors.hpp>
#include <gapkit/math/radial_basis.hpp>
#include <limits>
#include <map>
#include <numbers>

#include "support/distributions.hpp"
#include "support/quadrature.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct Setting {
  int n_max, l_max;
  double sigma, cutoff;
  int weight = 0;  // exponent of 1 − r/cutoff
};

constexpr Setting settings[] = {{1, 0, 0.5, 5.0},   {1, 5, 0.5, 4.0},    {8, 8, 0.5, 5.0},    {12, 6, 0.3, 6.5},
                                {4, 3, 0.7, 4.0},   {20, 20, 0.5, 15.0}, {3, 20, 0.5, 1.5},   {20, 0, 0.3, 1.5},
                                {6, 24, 1.0, 10.0}, {5, 4, 0.5, 5.0, 1}, {3, 3, 0.4, 4.0, 2}, {2, 2, 0.6, 4.5, 8}};

std::string name_of(const Setting& s) {
  return "n_max " + std::to_string(s.n_max) + " l_max " + std::to_string(s.l_max) + " sigma " + std::to_string(s.sigma) + " cutoff " +
         std::to_string(s.cutoff) + " weight " + std::to_string(s.weight);
}

/// Tables of large bases are slow to compute, so the cases share them.
const RadialBasis& basis_of(const Setting& s) {
  static std::map<const Setting*, RadialBasis> made;
  return made.try_emplace(&s, s.n_max, s.l_max, s.sigma, s.cutoff, s.weight).first->second;
}

/// Distances over [0, cutoff], including both ends and points close to them.
std::vector<double> distances(double cutoff, int n, unsigned seed) {
  std::mt19937_64 random(seed);
  test::Uniform uniform(0, cutoff);
  std::vector<double> result = {0, 1e-12, 1e-5, cutoff * (1 - 1e-15), cutoff};
  for (int i = 0; i < n; ++i) result.push_back(uniform(random));
  return result;
}

struct Values {
  explicit Values(const RadialBasis& basis) : value(basis.count()), first(basis.count()), second(basis.count()) {}
  Vector value, first, second;
};

Values directly(const RadialBasis& basis, double r) {
  Values v(basis);
  basis.compute_directly(r, v.value.data(), v.first.data(), v.second.data());
  return v;
}

/// methods.md, section 2, in a slow form: every integral by quadrature, plain elimination, no recurrence of Bessel functions.
class Definition {
 public:
  using Real = long double;

  explicit Definition(const Setting& s) : n_(s.n_max), alpha_(1 / (2 * Real(s.sigma) * s.sigma)) {
    const Real reach = s.cutoff + s.sigma * std::sqrt(20 * std::log(Real(10)));
    for (int a = 0; a < n_; ++a) centre_.push_back(a * reach / n_);
    const Quadrature r = gauss_legendre(160, 0, reach + 8 * s.sigma);
    lower_ = table();
    for (int a = 0; a < n_; ++a)
      for (int b = 0; b < n_; ++b)
        for (std::size_t q = 0; q < r.point.size(); ++q)
          lower_[i(a)][i(b)] += r.weight[q] * r.point[q] * r.point[q] * gaussian(a, r.point[q]) * gaussian(b, r.point[q]);
    for (int j = 0; j < n_; ++j) {  // Cholesky, in place
      for (int k = 0; k < j; ++k) lower_[i(j)][i(j)] -= lower_[i(j)][i(k)] * lower_[i(j)][i(k)];
      lower_[i(j)][i(j)] = std::sqrt(lower_[i(j)][i(j)]);
      for (int row = j + 1; row < n_; ++row) {
        for (int k = 0; k < j; ++k) lower_[i(row)][i(j)] -= lower_[i(row)][i(k)] * lower_[i(j)][i(k)];
        lower_[i(row)][i(j)] /= lower_[i(j)][i(j)];
        lower_[i(j)][i(row)] = 0;
      }
    }
  }

  /// g_nl(r) for n = 0 … n_max−1: the density's l component at the grid points, interpolated by Gaussians, on the orthonormal basis.
  std::vector<Real> value(int l, Real r) const {
    // The component at radius ρ is ½ ∫ exp(−α |ρ û − r|²) P_l(t) dt: the smeared atom, without Bessel functions. Written with
    // s = 1 − t, exp(−α(ρ−r)²) exp(−2αρr s), and integrated where the exponential is not negligible.
    std::vector<Real> f;
    for (int a = 0; a < n_; ++a) {
      const Real rho = centre_[i(a)], x = 2 * alpha_ * rho * r;
      const Quadrature s = gauss_legendre(120, 0, std::min<Real>(2, x > 0 ? 60 / x : 2));
      Real sum = 0;
      for (std::size_t q = 0; q < s.point.size(); ++q)
        sum += s.weight[q] * std::exp(-x * s.point[q]) * std::legendre(static_cast<unsigned>(l), 1 - s.point[q]);
      f.push_back(std::exp(-alpha_ * (rho - r) * (rho - r)) * sum / 2);
    }
    // c = C⁻¹ f by elimination with pivoting
    auto m = table();
    for (int a = 0; a < n_; ++a)
      for (int b = 0; b < n_; ++b) m[i(a)][i(b)] = gaussian(b, centre_[i(a)]);
    for (int k = 0; k < n_; ++k) {
      int best = k;
      for (int row = k + 1; row < n_; ++row)
        if (std::abs(m[i(row)][i(k)]) > std::abs(m[i(best)][i(k)])) best = row;
      std::swap(m[i(k)], m[i(best)]);
      std::swap(f[i(k)], f[i(best)]);
      for (int row = k + 1; row < n_; ++row) {
        const Real factor = m[i(row)][i(k)] / m[i(k)][i(k)];
        for (int c = k; c < n_; ++c) m[i(row)][i(c)] -= factor * m[i(k)][i(c)];
        f[i(row)] -= factor * f[i(k)];
      }
    }
    for (int k = n_ - 1; k >= 0; --k) {
      for (int c = k + 1; c < n_; ++c) f[i(k)] -= m[i(k)][i(c)] * f[i(c)];
      f[i(k)] /= m[i(k)][i(k)];
    }
    // The orthonormal basis is L⁻¹ φ, so the projection of Σ c_a φ_a on it is Lᵀ c.
    std::vector<Real> g(i(n_), 0);
    for (int n = 0; n < n_; ++n)
      for (int a = n; a < n_; ++a) g[i(n)] += lower_[i(a)][i(n)] * f[i(a)];
    return g;
  }

  double centre(int n) const { return static_cast<double>(lower_[0][i(n)] / std::sqrt(4 * std::numbers::pi_v<Real>)); }

 private:
  static std::size_t i(int k) { return static_cast<std::size_t>(k); }
  std::vector<std::vector<Real>> table() const { return std::vector(i(n_), std::vector<Real>(i(n_), 0)); }
  Real gaussian(int a, Real r) const { return std::exp(-alpha_ * (r - centre_[i(a)]) * (r - centre_[i(a)])); }

  int n_;
  Real alpha_;
  std::vector<Real> centre_;
  std::vector<std::vector<Real>> lower_;
};

}  // namespace

TEST_CASE("radial splines stay within their stated errors of the direct formula") {
  for (const Setting& s : settings) {
    CAPTURE(name_of(s));
    const RadialBasis& basis = basis_of(s);
    CHECK(basis.value_error() <= 1e-11);
    CHECK(basis.derivative_error() <= 1e-9);
    double largest = 0, largest_slope = 0, worst = 0, worst_slope = 0;
    Values spline(basis);
    for (const double r : distances(s.cutoff, 1500, 21)) {
      const Values exact = directly(basis, r);
      basis.compute(r, spline.value.data(), spline.first.data());
      largest = std::max(largest, exact.value.cwiseAbs().maxCoeff());
      largest_slope = std::max(largest_slope, exact.first.cwiseAbs().maxCoeff());
      const double d = largest_difference(spline.value, exact.value), slope = largest_difference(spline.first, exact.first);
      worst = worse(worst, d);
      worst_slope = worse(worst_slope, slope);
    }
    CHECK(largest > 1e-3);
    CHECK(worst <= 1.2e-11 * largest);
    CHECK(worst_slope <= 1.2e-9 * largest_slope);
  }
}

TEST_CASE("radial functions equal quadrature of their definition") {
  for (const Setting& s : settings) {
    CAPTURE(name_of(s));
    const RadialBasis& basis = basis_of(s);
    const Definition definition(s);
    double largest = 0, worst = 0;
    for (const double r : distances(s.cutoff, 4, 22)) {
      const Values actual = directly(basis, r);
      for (int l = 0; l <= s.l_max; l += l < 3 ? 1 : 5) {
        const auto expected = definition.value(l, r);
        for (int n = 0; n < s.n_max; ++n) {
          const double e = std::pow(1 - r / s.cutoff, s.weight) * static_cast<double>(expected[static_cast<std::size_t>(n)]);
          const double difference = std::abs(actual.value[l * s.n_max + n] - e);
          largest = std::max(largest, std::abs(e));
          worst = worse(worst, difference);
        }
      }
    }
    CHECK(largest > 1e-3);
    CHECK(worst <= 1e-12 * largest);
    REQUIRE(basis.centre().size() == static_cast<std::size_t>(s.n_max));
    for (int n = 0; n < s.n_max; ++n) check_close(basis.centre()[static_cast<std::size_t>(n)], definition.centre(n), 1e-13);
  }
}

TEST_CASE("radial functions for n_max = 1 equal the formulas for l = 0 at the grid point 0") {
  // One Gaussian at the origin: C = 1, S = ∫ r² exp(−2αr²) dr = √π / (4 (2α)^{3/2}), f = exp(−αr²), nothing for l > 0.
  const double sigma = 0.5, alpha = 1 / (2 * sigma * sigma);
  const double norm = std::sqrt(std::sqrt(std::numbers::pi) / (4 * std::pow(2 * alpha, 1.5)));
  const RadialBasis basis(1, 3, sigma, 4.0);
  for (const double r : distances(4.0, 50, 23)) {
    const Values v = directly(basis, r);
    check_close(v.value[0], norm * std::exp(-alpha * r * r), 1e-15);
    check_close(v.first[0], -2 * alpha * r * norm * std::exp(-alpha * r * r), 1e-15);
    for (int l = 1; l <= 3; ++l) CHECK(v.value[l] == 0);
  }
}

TEST_CASE("derivatives of the radial functions equal central differences") {
  for (const Setting& s : settings) {
    CAPTURE(name_of(s));
    const RadialBasis& basis = basis_of(s);
    const double h = 2e-3 * s.sigma;
    const auto difference = [&](const auto& f) {  // seventh order
      return Vector((45 * (f(h) - f(-h)) - 9 * (f(2 * h) - f(-2 * h)) + (f(3 * h) - f(-3 * h))) / (60 * h));
    };
    Vector scale = Vector::Zero(3);
    double worst_first = 0, worst_second = 0;
    for (const double r : distances(s.cutoff - 4 * h, 60, 24)) {
      if (r < 4 * h) continue;
      const Values v = directly(basis, r);
      const double d1 = largest_difference(difference([&](double step) { return directly(basis, r + step).value; }), v.first);
      const double d2 = largest_difference(difference([&](double step) { return directly(basis, r + step).first; }), v.second);
      scale = scale.cwiseMax(Vector3(v.value.cwiseAbs().maxCoeff(), v.first.cwiseAbs().maxCoeff(), v.second.cwiseAbs().maxCoeff()));
      worst_first = worse(worst_first, d1);
      worst_second = worse(worst_second, d2);
    }
    CHECK(worst_first <= 1e-12 * scale[1] + 1e-12 * scale[0] / h);
    CHECK(worst_second <= 1e-12 * scale[2] + 1e-12 * scale[1] / h);
  }
}

TEST_CASE("radial functions vanish at r = 0 for l > 0, and only wanted outputs are needed") {
  const RadialBasis basis(8, 8, 0.5, 5.0);
  const Values v = directly(basis, 0);
  CHECK(v.value.head(8).cwiseAbs().maxCoeff() > 1e-3);
  CHECK(largest_entry(v.value.tail(basis.count() - 8)) == 0);
  CHECK(largest_entry(v.first.head(8)) <= 1e-14);  // even in r
  Vector alone(basis.count());
  basis.compute_directly(0, alone.data(), nullptr, nullptr);
  CHECK(largest_difference(alone, v.value) == 0);
  basis.compute_directly(0, nullptr, nullptr, alone.data());
  CHECK(largest_difference(alone, v.second) == 0);
}

TEST_CASE("impossible radial parameters are refused with their values") {
  CHECK(message_of<InputError>([] { RadialBasis(0, 4, 0.5, 5); }).find("n_max is 0") != std::string::npos);
  CHECK(message_of<InputError>([] { RadialBasis(4, 25, 0.5, 5); }).find("l_max is 25") != std::string::npos);
  CHECK_THROWS_AS(RadialBasis(4, -1, 0.5, 5), InputError);
  CHECK(message_of<InputError>([] { RadialBasis(4, 4, 0.5, 5, -1); }) == "radial_weight is -1, expected at least 0");
  CHECK_THROWS_AS(RadialBasis(4, 4, 0, 5), InputError);
  CHECK_THROWS_AS(RadialBasis(4, 4, 0.5, -1), InputError);
  CHECK_THROWS_AS(RadialBasis(4, 4, std::nan(""), 5), InputError);
  CHECK_THROWS_AS(RadialBasis(4, 4, 0.5, std::nan("")), InputError);
  // Nearly equal Gaussians: singular in extended precision
  CHECK(message_of<InputError>([] { RadialBasis(32, 2, 5.0, 1.5); }).find("linearly dependent") != std::string::npos);
}

TEST_CASE("a cutoff of hundreds of atom_sigma would take minutes and gigabytes: refused at once (found by fuzzing)") {
  CHECK(message_of<InputError>([] { RadialBasis(8, 8, 0.5, 200); }) ==
        "cutoff is 200 Å with an atom_sigma of 0.5 Å, expected at most 100 times atom_sigma");
  CHECK_THROWS_AS(RadialBasis(8, 8, 0.5, 1e300), InputError);
  CHECK_THROWS_AS(RadialBasis(8, 8, 1e-300, 5), InputError);
  CHECK_THROWS_AS(RadialBasis(8, 8, 0.5, std::numeric_limits<double>::infinity()), InputError);
  CHECK(RadialBasis(2, 0, 0.05, 5).value_error() < 1e-11);
}
