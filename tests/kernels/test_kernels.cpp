#include <omp.h>

#include <Eigen/Eigenvalues>
#include <gapkit/core/errors.hpp>
#include <gapkit/kernels/kernel.hpp>

#include "support/distributions.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct Case {
  std::string kind;
  Parameters parameters;
  int size = 1;
};

/// Several parameter sets per kernel; the first test fails for a registered kernel without parameter sets.
std::vector<Case> cases() {
  std::vector<Case> result;
  for (const double zeta : {1.0, 2.0, 2.5, 3.0, 4.0, 10.0})
    for (const int size : {1, 3, 60}) result.push_back({"dot_product", {{"zeta", zeta}}, size});
  for (const std::int64_t zeta : {1, 2, 3, 4, 7})
    for (const double constant : {0.0, 0.5, 16.0})
      for (const int size : {1, 3, 60}) result.push_back({"polynomial", {{"zeta", zeta}, {"constant", constant}}, size});
  for (const int size : {1, 2, 3, 4, 5, 60}) {
    result.push_back({"squared_exponential", {{"length_scale", 0.7}}, size});
    std::vector<double> theta;
    for (int d = 0; d < size; ++d) theta.push_back(0.5 + 0.3 * d);
    result.push_back({"squared_exponential", {{"length_scale", theta}}, size});
  }
  for (const std::int64_t smoothness : {1, 2})
    for (const int size : {1, 2, 3, 5, 60}) {
      const double several = size == 60 ? 20 : 1.4;  // some pairs of points inside the support, for few dimensions some outside
      result.push_back({"piecewise_polynomial", {{"length_scale", size == 1 ? 0.6 : several}, {"smoothness", smoothness}}, size});
      std::vector<double> theta;
      for (int d = 0; d < size; ++d) theta.push_back(several - 0.2 * (d % 3));
      result.push_back({"piecewise_polynomial", {{"length_scale", theta}, {"smoothness", smoothness}}, size});
    }
  // In their form on unit vectors; tests/kernels/test_neural.cpp has the other one
  for (const std::string kind : {"ntk", "nngp"})
    for (const std::string activation : {"gelu", "erf"})
      for (const int size : {3, 60})
        result.push_back({kind, {{"activation", activation}, {"depth", std::int64_t{size == 3 ? 1 : 3}}}, size});
  return result;
}

bool is_neural(const Case& c) {
  return c.kind == "ntk" || c.kind == "nngp";
}

std::shared_ptr<const Kernel> make_general(const Case& c) {
  const KernelKind& kind = kernel_kind(c.kind);
  return kind.make(complete_parameters(c.parameters, kind.parameters, "test"));
}

std::shared_ptr<const Kernel> make(const Case& c) {
  const auto kernel = make_general(c);
  const auto own_form = kernel->for_features({c.size, true, c.size > 1, 1});
  return own_form ? own_form : kernel;
}

/// Rasmussen & Williams, eq. 4.21, as printed.
double compact_polynomial(double r, int size, std::int64_t q) {
  const int j = size / 2 + static_cast<int>(q) + 1;
  if (r >= 1) return 0;
  if (q == 1) return std::pow(1 - r, j + 1) * ((j + 1) * r + 1);
  return std::pow(1 - r, j + 2) * ((j * j + 4 * j + 3) * r * r + (3 * j + 6) * r + 3) / 3;
}

/// Nonnegative vectors of length 1, like those of SOAP; any length for one component.
Matrix random_spectra(int rows, int size, unsigned seed) {
  std::mt19937_64 generator(seed);
  test::Uniform uniform(0.05, 1.0);
  Matrix x(rows, size);
  for (int i = 0; i < rows; ++i) {
    for (int d = 0; d < size; ++d) x(i, d) = uniform(generator);
    if (size > 1) x.row(i).normalize();
  }
  return x;
}

std::string describe(const Case& c) {
  return c.kind + " " + parameters_to_json(c.parameters) + " D=" + std::to_string(c.size);
}

struct Result {
  Matrix value, slope, inner;
};

Result compute(const Kernel& kernel, const Matrix& x, const Matrix& z) {
  Result r;
  r.value.resize(x.rows(), z.rows());
  r.slope.resize(x.rows(), z.rows());
  r.inner.resize(x.rows(), z.rows());
  MatrixSlice slope = r.slope, inner = r.inner;
  kernel.compute(x, z, r.value, &slope, &inner);
  return r;
}

Vector full_metric(const Kernel& kernel, int size) {
  const Vector metric = kernel.metric(size);
  return metric.size() == 0 ? Vector::Ones(size) : metric;
}

}  // namespace

TEST_CASE("every kernel of the table is tested, and found by its name") {
  REQUIRE(kernel_kinds().size() >= 2);
  for (const auto& kind : kernel_kinds()) {
    CAPTURE(kind.name);
    bool is_tested = false;
    for (const auto& c : cases()) is_tested = is_tested || c.kind == kind.name;
    CHECK(is_tested);
    CHECK(&kernel_kind(kind.name) == &kind);
    CHECK_FALSE(kind.description.empty());
  }
  CHECK(message_of<InputError>([] { kernel_kind("dot_produkt"); }).find("did you mean 'dot_product'") != std::string::npos);
}

TEST_CASE("every kernel: symmetric, 1 at equal normalised points, the same value with and without slope") {
  for (const auto& c : cases()) {
    CAPTURE(describe(c));
    const auto kernel = make(c);
    kernel->check_features(c.size, true);
    const Matrix x = random_spectra(13, c.size, 3), z = random_spectra(9, c.size, 4);
    const Result xz = compute(*kernel, x, z), zx = compute(*kernel, z, x), xx = compute(*kernel, x, x);
    Matrix alone(13, 9);
    kernel->compute(x, z, alone);
    CHECK(largest_difference(alone, xz.value) == 0);
    CHECK(largest_difference(xz.value, zx.value.transpose()) <= 1e-14);
    CHECK(largest_difference(xz.slope, zx.slope.transpose()) <= 1e-13);
    if (!is_neural(c) && (c.size > 1 || kernel->is_stationary())) CHECK(largest_difference(xx.value.diagonal(), Vector::Ones(13)) <= 1e-13);
    const Matrix inner = x * full_metric(*kernel, c.size).asDiagonal() * z.transpose();
    CHECK(largest_difference(xz.inner, inner) <= 1e-14 * inner.cwiseAbs().maxCoeff());
  }
}

TEST_CASE("every kernel equals its formula") {
  for (const auto& c : cases()) {
    CAPTURE(describe(c));
    const auto kernel = make(c);
    const Matrix x = random_spectra(5, c.size, 5), z = random_spectra(6, c.size, 6);
    Matrix expected(5, 6);
    for (int e = 0; e < 5; ++e)
      for (int m = 0; m < 6; ++m) {
        if (is_neural(c)) {
          Parameters parameters = c.parameters;
          parameters.set("input_scale", 1.0);
          MatrixSlice entry = expected.block(e, m, 1, 1);
          make_general({c.kind, parameters, c.size})->compute(Matrix(x.row(e)), Matrix(z.row(m)), entry);
        } else if (c.kind == "dot_product") {
          expected(e, m) = std::pow(x.row(e).dot(z.row(m)), c.parameters.real("zeta"));
        } else if (c.kind == "polynomial") {
          const double constant = c.parameters.real("constant");
          expected(e, m) = std::pow((constant + x.row(e).dot(z.row(m))) / (1 + constant), c.parameters.real("zeta"));
        } else {
          const auto theta = c.parameters.reals("length_scale");
          double sum = 0;
          for (std::size_t d = 0; d < static_cast<std::size_t>(c.size); ++d)
            sum += std::pow((x(e, static_cast<int>(d)) - z(m, static_cast<int>(d))) / (theta.size() == 1 ? theta[0] : theta[d]), 2);
          expected(e, m) = c.kind == "squared_exponential" ? std::exp(-0.5 * sum)
                                                           : compact_polynomial(std::sqrt(sum), c.size, c.parameters.integer("smoothness"));
        }
      }
    CHECK(largest_difference(compute(*kernel, x, z).value, expected) <= (is_neural(c) ? 1e-12 : 1e-14));
  }
}

TEST_CASE("every kernel: gradient slope (Λz − hΛx) equals central differences") {
  const double step = 1e-5;
  for (const auto& c : cases()) {
    CAPTURE(describe(c));
    const auto kernel = make(c);
    const Matrix x = random_spectra(6, c.size, 7), z = random_spectra(5, c.size, 8);
    const Vector metric = full_metric(*kernel, c.size);
    const Result r = compute(*kernel, x, z);
    double largest = 0, worst = 0;
    for (int d = 0; d < c.size; ++d) {
      Matrix up = x, down = x;
      up.col(d).array() += step;
      down.col(d).array() -= step;
      const Matrix numerical = (compute(*kernel, up, z).value - compute(*kernel, down, z).value) / (2 * step);
      Matrix analytic(x.rows(), z.rows());
      for (int e = 0; e < x.rows(); ++e)
        for (int m = 0; m < z.rows(); ++m)
          analytic(e, m) = r.slope(e, m) * metric[d] * (z(m, d) - (kernel->is_stationary() ? x(e, d) : 0.0));
      largest = std::max(largest, analytic.cwiseAbs().maxCoeff());
      const double difference = largest_difference(analytic, numerical);
      REQUIRE(difference <= 1e-6);
      worst = worse(worst, difference);
    }
    REQUIRE(largest > 1e-3);
    CHECK(worst <= 1e-9 + 1e-8 * largest);
  }
}

TEST_CASE("every kernel: the mixed second derivative equals central differences of the gradient") {
  const double step = 1e-5;
  for (const auto& c : cases()) {
    CAPTURE(describe(c));
    const auto kernel = make(c);
    const Matrix x = random_spectra(6, c.size, 17), z = random_spectra(5, c.size, 18);
    const Matrix dx = random_spectra(6, c.size, 19), dz = random_spectra(5, c.size, 20);
    const Vector metric = full_metric(*kernel, c.size);
    const double h = kernel->is_stationary() ? 1 : 0;
    // gradient along dx_e of every pair (e, m), as a function of the points
    const auto along_dx = [&](const Matrix& points) {
      const Result r = compute(*kernel, x, points);
      Matrix result(x.rows(), points.rows());
      for (int e = 0; e < x.rows(); ++e)
        for (int m = 0; m < points.rows(); ++m)
          result(e, m) = r.slope(e, m) * dx.row(e).dot((metric.transpose().array() * (points.row(m) - h * x.row(e)).array()).matrix());
      return result;
    };
    const Matrix numerical = (along_dx(z + step * dz) - along_dx(z - step * dz)) / (2 * step);
    Matrix value(6, 5), slope(6, 5), curvature(6, 5);
    MatrixSlice slope_slice = slope, curvature_slice = curvature;
    kernel->compute(x, z, value, &slope_slice, nullptr, &curvature_slice);
    Matrix analytic(6, 5);
    for (int e = 0; e < 6; ++e)
      for (int m = 0; m < 5; ++m) {
        const Vector lambda_difference_x = metric.cwiseProduct((z.row(m) - h * x.row(e)).transpose());
        const Vector lambda_difference_z = metric.cwiseProduct((x.row(e) - h * z.row(m)).transpose());
        analytic(e, m) = slope(e, m) * dx.row(e).transpose().cwiseProduct(metric).dot(dz.row(m).transpose()) +
                         curvature(e, m) * dx.row(e).dot(lambda_difference_x) * dz.row(m).dot(lambda_difference_z);
      }
    const double largest = analytic.cwiseAbs().maxCoeff();
    REQUIRE(largest > 1e-3);
    CHECK(largest_difference(analytic, numerical) <= 1e-8 + 1e-7 * largest);
  }
}

TEST_CASE("every kernel: Gram matrices are positive semidefinite") {
  for (const auto& c : cases()) {
    const double zeta = c.kind == "dot_product" ? c.parameters.real("zeta") : 1;
    if (zeta != std::floor(zeta)) continue;  // (x·x')^2.5 may have fewer
    CAPTURE(describe(c));
    const Matrix x = random_spectra(40, c.size, 9);
    const Matrix gram = compute(*make(c), x, x).value;
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(gram);
    CHECK(solver.eigenvalues().minCoeff() >= -1e-13 * solver.eigenvalues().maxCoeff());
  }
}

TEST_CASE("polynomial is positive semidefinite where scalar products are negative") {
  Matrix x = random_spectra(60, 4, 21);
  x.array() = 8 * (x.array() - x.mean());  // c + x·x' has both signs
  for (const double constant : {0.0, 0.5, 16.0}) {
    CAPTURE(constant);
    CHECK((x * x.transpose()).minCoeff() < -2);
    for (const std::int64_t zeta : {1, 2, 3, 4}) {
      const Matrix gram = compute(*make({"polynomial", {{"zeta", zeta}, {"constant", constant}}, 4}), x, x).value;
      const Eigen::SelfAdjointEigenSolver<Matrix> solver(gram);
      CHECK(solver.eigenvalues().minCoeff() >= -1e-13 * solver.eigenvalues().maxCoeff());
    }
  }
}

TEST_CASE("every kernel: chunked = whole, strided = contiguous, one thread = many") {
  for (const auto& c : cases()) {
    CAPTURE(describe(c));
    const auto kernel = make(c);
    const Matrix x = random_spectra(301, c.size, 10), z = random_spectra(307, c.size, 11);
    const Result whole = compute(*kernel, x, z);
    Matrix value = Matrix::Constant(301, 400, -7), slopes = value, inners = value;
    for (int start = 0; start < 301; start += 64) {
      const int rows = std::min(64, 301 - start);
      MatrixSlice slope = slopes.block(start, 20, rows, 307), inner = inners.block(start, 20, rows, 307);
      kernel->compute(x.middleRows(start, rows), z, value.block(start, 20, rows, 307), &slope, &inner);
    }
    CHECK(largest_difference(value.middleCols(20, 307), whole.value) <= 1e-14);
    CHECK(largest_difference(slopes.middleCols(20, 307), whole.slope) <= 1e-13);
    CHECK(largest_difference(inners.middleCols(20, 307), whole.inner) <= 1e-13 * whole.inner.cwiseAbs().maxCoeff());
    CHECK(value(5, 19) == -7);
    CHECK(value(5, 327) == -7);

    std::vector<double> difference(4, std::nan(""));
#pragma omp parallel for num_threads(2)
    for (int task = 0; task < 4; ++task)
      difference[static_cast<std::size_t>(task)] = largest_difference(compute(*kernel, x, z).value, whole.value);
    for (const double d : difference) CHECK(d <= 1e-14);
  }
}

TEST_CASE("every kernel: NaN does not disappear, empty sets are allowed, wrong shapes are refused") {
  for (const auto& c : cases()) {
    CAPTURE(describe(c));
    const auto kernel = make(c);
    Matrix x = random_spectra(7, c.size, 12);
    const Matrix z = random_spectra(5, c.size, 13);
    x(3, c.size - 1) = std::nan("");
    const Result r = compute(*kernel, x, z);
    for (int m = 0; m < 5; ++m) {
      CHECK(std::isnan(r.value(3, m)));
      CHECK(std::isfinite(r.value(2, m)));
    }
    CHECK(compute(*kernel, Matrix(0, c.size), z).value.size() == 0);
    CHECK(compute(*kernel, x, Matrix(0, c.size)).value.size() == 0);
    Matrix value(7, 4);
    CHECK_THROWS_AS(kernel->compute(x, z, value), InputError);
    CHECK_THROWS_AS(compute(*kernel, x, random_spectra(5, c.size + 1, 14)), InputError);
  }
}

TEST_CASE("squared_exponential keeps the digits of close points in few dimensions") {
  const auto kernel = make({"squared_exponential", {{"length_scale", 1e-5}}, 1});
  Matrix x(1, 1), z(1, 1), value(1, 1);
  x << 5.0;
  z << 5.00001;
  kernel->compute(x, z, value);
  const double distance = (z(0, 0) - x(0, 0)) / 1e-5;
  check_close(value(0, 0), std::exp(-0.5 * distance * distance), 1e-15);
}

TEST_CASE("piecewise_polynomial is exactly 0 from its length scale on, and smooth there") {
  for (const std::int64_t q : {1, 2}) {
    const auto kernel = make({"piecewise_polynomial", {{"length_scale", 2.0}, {"smoothness", q}}, 1});
    Matrix x(1, 1), z(4, 1), value(1, 4), slopes(1, 4), curvatures(1, 4);
    x << 1.0;
    z << 1.0, 2.999999, 3.0, 7e300;
    MatrixSlice slope = slopes, curvature = curvatures;
    kernel->compute(x, z, value, &slope, nullptr, &curvature);
    CHECK(value(0, 0) == 1);
    CHECK(std::isfinite(curvatures(0, 0)));
    CHECK(std::abs(value(0, 1)) <= 1e-15);
    CHECK(std::abs(slopes(0, 1)) <= 1e-10);
    for (const int m : {2, 3}) {
      CHECK(value(0, m) == 0);
      CHECK(slopes(0, m) == 0);
      CHECK(curvatures(0, m) == 0);
    }
  }
}

TEST_CASE("kernels refuse impossible parameters and features") {
  const auto refused = [](const std::string& name, const Parameters& parameters) {
    CAPTURE(name);
    CHECK_THROWS_AS(make({name, parameters, 1}), InputError);
    CHECK_THROWS_AS(kernel_kind(name).make(parameters), InputError);
  };
  for (const double zeta : {0.5, 0.0, -1.0, 1e9, std::nan("")}) refused("dot_product", {{"zeta", zeta}});
  for (const std::int64_t zeta : {0, -1, 1001}) refused("polynomial", {{"zeta", zeta}, {"constant", 16.0}});
  CHECK_THROWS_AS(make({"polynomial", {{"zeta", 2.5}}, 3}), InputError);  // not positive semidefinite
  for (const double constant : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    refused("polynomial", {{"zeta", std::int64_t{4}}, {"constant", constant}});
  for (const double theta : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    refused("squared_exponential", {{"length_scale", theta}});
  refused("squared_exponential", {{"length_scale", std::vector<double>{1.0, 0.0}}});
  refused("squared_exponential", {{"length_scale", std::vector<double>{}}});
  CHECK_THROWS_AS(make({"squared_exponential", {}, 1}), InputError);
  for (const double theta : {0.0, -1.0, std::nan("")})
    refused("piecewise_polynomial", {{"length_scale", theta}, {"smoothness", std::int64_t{2}}});
  for (const std::int64_t q : {0, 3}) refused("piecewise_polynomial", {{"length_scale", 1.0}, {"smoothness", q}});

  const auto several = make({"squared_exponential", {{"length_scale", std::vector<double>{1, 2, 3}}}, 3});
  CHECK_NOTHROW(several->check_features(3, false));
  CHECK_THROWS_AS(several->check_features(2, false), InputError);
  CHECK_THROWS_AS(several->metric(4), InputError);
  CHECK_THROWS_AS(several->check_features(0, false), InputError);

  CHECK_NOTHROW(make({"dot_product", {{"zeta", 4.0}}, 3})->check_features(3, false));
  CHECK_NOTHROW(make({"dot_product", {{"zeta", 2.5}}, 3})->check_features(3, true));
  const auto message = message_of<InputError>([] { make({"dot_product", {{"zeta", 2.5}}, 3})->check_features(3, false); });
  CHECK(message.find("integer zeta") != std::string::npos);
}

TEST_CASE("dot_product with a non-integer zeta is 0 where rounding made the product negative") {
  const auto kernel = make({"dot_product", {{"zeta", 1.5}}, 2});
  Matrix x(1, 2), z(1, 2);
  x << 1, 0;
  z << -1e-17, 1;
  const Result r = compute(*kernel, x, z);
  CHECK(r.value(0, 0) == 0);
  CHECK(r.slope(0, 0) == 0);
  CHECK(r.inner(0, 0) == -1e-17);
}
