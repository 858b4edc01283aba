// Trained networks of finite width against regression with their tangent kernel (docs/unity.md).

#include <Eigen/Cholesky>
#include <nlohmann/json.hpp>

#include "support/neural_kernels.hpp"
#include "support/support.hpp"
#include "support/wide_network.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// 12 + 8 structures of made-up features, their derivatives by 12 coordinates, energies and forces.
struct UnityData {
  std::vector<Matrix> x;                // [S] times [A, D]
  std::vector<std::vector<Matrix>> dx;  // [S][A] times [C, D]
  Vector energy;
  Matrix force;  // [S, C]
  double sigma_energy, sigma_force, weight_variance, bias_variance, input_scale;
  Eigen::Index train, test;
  nlohmann::json limits;

  UnityData() {
    const auto data = nlohmann::json::parse(read_text(source_folder() / "tests/data/neural/unity.json"));
    const auto matrix = [](const nlohmann::json& rows) {
      Matrix result(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows[0].size()));
      for (Eigen::Index i = 0; i < result.rows(); ++i)
        for (Eigen::Index j = 0; j < result.cols(); ++j) result(i, j) = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
      return result;
    };
    for (const auto& structure : data.at("X")) x.push_back(matrix(structure));
    for (const auto& structure : data.at("dX")) {
      dx.emplace_back();
      for (const auto& environment : structure) dx.back().push_back(matrix(environment));
    }
    const auto energies = data.at("E").get<std::vector<double>>();
    energy = Eigen::Map<const Vector>(energies.data(), static_cast<Eigen::Index>(energies.size()));
    force = matrix(data.at("F"));
    const auto& parameters = data.at("parameters");
    sigma_energy = parameters.at("sigma_E");
    sigma_force = parameters.at("sigma_F");
    weight_variance = parameters.at("weight_variance");
    bias_variance = parameters.at("bias_variance");
    input_scale = 1.0 / 6;
    train = parameters.at("train");
    test = parameters.at("test");
    limits = data.at("limit_predictions");
  }

  NetworkInputs inputs(Eigen::Index from, Eigen::Index count) const {
    NetworkInputs result;
    for (Eigen::Index s = from; s < from + count; ++s) result.add(x[static_cast<std::size_t>(s)]);
    return result;
  }

  /// Covariance of energy and forces of structures s and t, [1 + C, 1 + C].
  Matrix covariance(const Kernel& kernel, std::size_t s, std::size_t t) const {
    const OwnParts xz(kernel, x[s], x[t]), zx(kernel, x[t], x[s]);
    const Eigen::Index coordinates = force.cols();
    Matrix result = Matrix::Zero(1 + coordinates, 1 + coordinates);
    for (Eigen::Index a = 0; a < x[s].rows(); ++a)
      for (Eigen::Index b = 0; b < x[t].rows(); ++b) {
        const Matrix &dx_a = dx[s][static_cast<std::size_t>(a)], &dz_b = dx[t][static_cast<std::size_t>(b)];
        const Vector x_z = dx_a * x[t].row(b).transpose(), x_x = dx_a * x[s].row(a).transpose();
        const Vector z_x = dz_b * x[s].row(a).transpose(), z_z = dz_b * x[t].row(b).transpose();
        const Matrix x_dz = dx_a * dz_b.transpose();
        result(0, 0) += xz.value(a, b);
        for (Eigen::Index i = 0; i < coordinates; ++i) {
          result(1 + i, 0) -= xz.slope(a, b) * x_z[i] + xz.own_slope(a, b) * x_x[i];
          result(0, 1 + i) -= xz.slope(a, b) * z_x[i] + zx.own_slope(b, a) * z_z[i];
          for (Eigen::Index j = 0; j < coordinates; ++j)
            result(1 + i, 1 + j) += mixed_derivative(xz, zx, a, b, {x_dz(i, j), x_z[i], z_x[j], x_x[i], z_z[j]});
        }
      }
    return result;
  }

  /// Posterior means for the test structures: energies, then forces.
  Vector posterior(const Kernel& kernel, bool with_forces) const {
    const Eigen::Index coordinates = with_forces ? force.cols() : 0, structures = train + test, all = structures * (1 + coordinates);
    // Order: training energies, training forces, test energies, test forces
    const auto row_of = [&](Eigen::Index s, Eigen::Index i) {
      const Eigen::Index base = s < train ? 0 : train * (1 + coordinates), count = s < train ? train : test, at = s < train ? s : s - train;
      return i == 0 ? base + at : base + count + at * coordinates + i - 1;
    };
    Matrix k(all, all);
    Vector y(all);
    for (Eigen::Index s = 0; s < structures; ++s)
      for (Eigen::Index t = 0; t < structures; ++t) {
        const Matrix part = covariance(kernel, static_cast<std::size_t>(s), static_cast<std::size_t>(t));
        for (Eigen::Index i = 0; i <= coordinates; ++i) {
          y[row_of(s, i)] = i == 0 ? energy[s] : force(s, i - 1);
          for (Eigen::Index j = 0; j <= coordinates; ++j) k(row_of(s, i), row_of(t, j)) = part(i, j);
        }
      }
    const Eigen::Index rows = train * (1 + coordinates);
    Matrix noisy = k.topLeftCorner(rows, rows);
    noisy.diagonal().head(train).array() += sigma_energy * sigma_energy;
    noisy.diagonal().tail(rows - train).array() += sigma_force * sigma_force;
    return k.bottomLeftCorner(all - rows, rows) * Vector(noisy.llt().solve(y.head(rows)));
  }

  NeuralSetup setup(const std::string& activation, int depth) const {
    return {.activation = activation,
            .depth = depth,
            .weight_variance = weight_variance,
            .bias_variance = bias_variance,
            .input_scale = input_scale};
  }
  NetworkShape shape(const std::string& activation, int depth, int width) const {
    return {activation, depth, width, weight_variance, bias_variance, input_scale};
  }
};

struct Deviations {
  double from_limit = 0, from_linearised = 0;  // rms over seeds
};

Deviations trained_networks(const UnityData& data, int width, int seeds) {
  const NetworkInputs train = data.inputs(0, data.train), test = data.inputs(data.train, data.test);
  const Vector limit = data.posterior(*neural_kernel(data.setup("gelu", 1)), false);
  Deviations result;
  for (int seed = 1; seed <= seeds; ++seed) {
    NetworkFit fit(WideNetwork(data.shape("gelu", 1, width), train.x.cols(), static_cast<std::uint64_t>(1000 * width + seed)), train,
                   data.energy.head(data.train), data.sigma_energy);
    fit.gauss_newton(12);
    const Vector predicted = fit.predict(test);
    result.from_limit += std::pow(relative_deviation(predicted, limit), 2) / seeds;
    result.from_linearised += std::pow(relative_deviation(predicted, fit.predict_linearised(test)), 2) / seeds;
  }
  return {std::sqrt(result.from_limit), std::sqrt(result.from_linearised)};
}

}  // namespace

TEST_CASE("exact regression with ntk gives the reference predictions of energies and forces") {
  const UnityData data;
  int checked = 0;
  for (const std::string activation : {"gelu", "erf"})
    for (const int depth : {1, 2})
      for (const bool with_forces : {false, true}) {
        const std::string name = activation + " L" + std::to_string(depth) + (with_forces ? " EF" : " E");
        CAPTURE(name);
        const auto expected = data.limits.at(name).get<std::vector<double>>();
        const Vector means = data.posterior(*neural_kernel(data.setup(activation, depth)), with_forces);
        REQUIRE(means.size() == static_cast<Eigen::Index>(expected.size()));
        for (std::size_t i = 0; i < expected.size(); ++i) check_close(means[static_cast<Eigen::Index>(i)], expected[i], 1e-10);
        ++checked;
      }
  CHECK(checked == 8);
}

TEST_CASE("trained networks approach regression with ntk as width^(-1/2), and their own linearisation as 1/width") {
  const UnityData data;
  const Deviations narrow = trained_networks(data, 128, 8), middle = trained_networks(data, 512, 8), wide = trained_networks(data, 2048, 8);
  MESSAGE("from the limit: ", narrow.from_limit, " ", middle.from_limit, " ", wide.from_limit);
  MESSAGE("from the own linearisation: ", narrow.from_linearised, " ", middle.from_linearised, " ", wide.from_linearised);
  CHECK(wide.from_limit < 0.035);
  CHECK(narrow.from_limit / wide.from_limit > 2);
  CHECK(narrow.from_limit / wide.from_limit < 8);
  CHECK(narrow.from_linearised / wide.from_linearised > 8);
  CHECK(middle.from_limit < narrow.from_limit);
  CHECK(middle.from_linearised < narrow.from_linearised);
}

TEST_CASE("plain gradient descent ends at the minimum that Gauss-Newton finds") {
  const UnityData data;
  const NetworkInputs train = data.inputs(0, data.train), test = data.inputs(data.train, data.test);
  NetworkFit newton(WideNetwork(data.shape("gelu", 1, 64), train.x.cols(), 7), train, data.energy.head(data.train), data.sigma_energy);
  NetworkFit descent = newton;
  const double before = newton.loss();
  newton.gauss_newton(30);
  descent.gradient_descent(20000);
  CHECK(newton.loss() < 0.5 * before);
  CHECK(newton.relative_change() > 1e-3);
  CHECK(relative_deviation(descent.predict(test), newton.predict(test)) <= 1e-4);
}

TEST_CASE("the mean tangent kernel of random networks is ntk, the mean product of their outputs nngp") {
  const UnityData data;
  constexpr int networks = 200, width = 256;
  const Matrix x = data.x[0].topRows(3);
  for (const std::string activation : {"gelu", "erf", "relu"})
    for (const int depth : {1, 2}) {
      CAPTURE(activation);
      CAPTURE(depth);
      Matrix sum = Matrix::Zero(3, 3), square = sum, product = sum, product_square = sum;
      for (int i = 0; i < networks; ++i) {
        const WideNetwork network(data.shape(activation, depth, width), x.cols(), static_cast<std::uint64_t>(50 + i));
        const auto pass = network.pass(x);
        const Matrix kernel = network.tangent_kernel(pass, pass), outputs = pass.f * pass.f.transpose();
        sum += kernel / networks;
        square += kernel.cwiseAbs2() / networks;
        product += outputs / networks;
        product_square += outputs.cwiseAbs2() / networks;
      }
      for (const bool is_tangent : {true, false}) {
        NeuralSetup setup = data.setup(activation, depth);
        setup.name = is_tangent ? "ntk" : "nngp";
        Matrix expected(3, 3);
        neural_kernel(setup)->compute(x, x, expected);
        const Matrix& mean = is_tangent ? sum : product;
        const Matrix variance = (is_tangent ? square : product_square) - mean.cwiseAbs2();
        for (Eigen::Index a = 0; a < 3; ++a)
          for (Eigen::Index b = 0; b < 3; ++b) {
            const double standard_error = std::sqrt(variance(a, b) / networks);
            CHECK(standard_error < 0.3 * std::abs(expected(a, a)));
            CHECK(std::abs(mean(a, b) - expected(a, b)) <= 4 * standard_error);
          }
      }
    }
}
