#include "support/wide_network.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/random_stream.hpp>
#include <numbers>

namespace gapkit::test {

using Weights = WideNetwork::Weights;
using Pass = WideNetwork::Pass;

namespace {

double activate(const std::string& activation, double u, double& slope) {
  if (activation == "erf") {
    slope = 2 / std::sqrt(std::numbers::pi) * std::exp(-u * u);
    return std::erf(u);
  }
  if (activation == "gelu") {
    const double probability = 0.5 * std::erfc(-u / std::numbers::sqrt2);
    slope = probability + u * std::exp(-0.5 * u * u) / std::sqrt(2 * std::numbers::pi);
    return u * probability;
  }
  slope = u > 0 ? 1 : 0;
  return u > 0 ? u : 0;
}

Weights combination(double a, const Weights& x, double b, const Weights& y) {
  Weights result = x;
  for (std::size_t l = 0; l < x.weight.size(); ++l) {
    result.weight[l] = a * x.weight[l] + b * y.weight[l];
    result.bias[l] = a * x.bias[l] + b * y.bias[l];
  }
  return result;
}

double squared_norm(const Weights& w) {
  double sum = 0;
  for (std::size_t l = 0; l < w.weight.size(); ++l) sum += w.weight[l].squaredNorm() + w.bias[l].squaredNorm();
  return sum;
}

Vector solved(Matrix kernel, double sigma, const Vector& y) {
  kernel.diagonal().array() += sigma * sigma;
  return kernel.llt().solve(y);
}

}  // namespace

Matrix summed(const Matrix& m, const NetworkInputs& rows, const NetworkInputs& cols) {
  Matrix result(rows.structures(), cols.structures());
  for (Eigen::Index s = 0; s < result.rows(); ++s)
    for (Eigen::Index t = 0; t < result.cols(); ++t) {
      const auto i = static_cast<std::size_t>(s), j = static_cast<std::size_t>(t);
      result(s, t) = m.block(rows.first[i], cols.first[j], rows.first[i + 1] - rows.first[i], cols.first[j + 1] - cols.first[j]).sum();
    }
  return result;
}

Vector spread(const Vector& of_structures, const NetworkInputs& inputs) {
  Vector result(inputs.first.back());
  for (std::size_t s = 0; s + 1 < inputs.first.size(); ++s)
    result.segment(inputs.first[s], inputs.first[s + 1] - inputs.first[s]).setConstant(of_structures[static_cast<Eigen::Index>(s)]);
  return result;
}

void NetworkInputs::add(const MatrixView& features) {
  Matrix all(x.rows() + features.rows(), features.cols());
  if (x.rows() > 0) all.topRows(x.rows()) = x;
  all.bottomRows(features.rows()) = features;
  x = std::move(all);
  first.push_back(x.rows());
}

Vector NetworkInputs::sums(const Vector& of_environments) const {
  Vector result(structures());
  for (std::size_t s = 0; s + 1 < first.size(); ++s)
    result[static_cast<Eigen::Index>(s)] = of_environments.segment(first[s], first[s + 1] - first[s]).sum();
  return result;
}

WideNetwork::WideNetwork(const NetworkShape& shape, Eigen::Index features, std::uint64_t seed) : shape_(shape) {
  RandomStream random{.seed = seed, .stream = 0};
  for (int l = 0; l <= shape.depth; ++l) {
    Matrix weight(l == shape.depth ? 1 : shape.width, l == 0 ? features : shape.width);
    Vector bias(weight.rows());
    for (Eigen::Index i = 0; i < weight.size(); ++i) weight.data()[i] = random.normal();
    for (double& b : bias) b = random.normal();
    weights_.weight.push_back(std::move(weight));
    weights_.bias.push_back(std::move(bias));
  }
}

Pass WideNetwork::pass(const Matrix& x) const {
  const auto layers = weights_.weight.size();
  Pass result;
  std::vector<Matrix> slopes;
  result.input.push_back(std::sqrt(shape_.weight_variance * shape_.input_scale) * x);
  const double factor = std::sqrt(shape_.weight_variance / shape_.width), bias_factor = std::sqrt(shape_.bias_variance);
  for (std::size_t l = 0; l < layers; ++l) {
    Matrix h(x.rows(), weights_.weight[l].rows());
    multiply_nt(result.input[l], weights_.weight[l], h);
    h.rowwise() += bias_factor * weights_.bias[l].transpose();
    if (l + 1 == layers) {
      result.f = h.col(0);
      break;
    }
    Matrix slope(h.rows(), h.cols());
    for (Eigen::Index i = 0; i < h.size(); ++i) {
      h.data()[i] = factor * activate(shape_.activation, h.data()[i], slope.data()[i]);
      slope.data()[i] *= factor;
    }
    result.input.push_back(std::move(h));
    slopes.push_back(std::move(slope));
  }
  result.delta.resize(layers);
  result.delta.back() = Matrix::Ones(x.rows(), 1);
  for (std::size_t l = layers - 1; l-- > 0;) {
    Matrix delta(x.rows(), weights_.weight[l].rows());
    multiply_nn(result.delta[l + 1], weights_.weight[l + 1], delta);
    result.delta[l] = delta.cwiseProduct(slopes[l]);
  }
  return result;
}

Matrix WideNetwork::tangent_kernel(const Pass& x, const Pass& z) const {
  Matrix result = Matrix::Zero(x.f.size(), z.f.size()), inputs = result, deltas = result;
  for (std::size_t l = 0; l < x.delta.size(); ++l) {
    multiply_nt(x.input[l], z.input[l], inputs);
    multiply_nt(x.delta[l], z.delta[l], deltas);
    result += deltas.cwiseProduct((inputs.array() + shape_.bias_variance).matrix());
  }
  return result;
}

Weights WideNetwork::pulled_back(const Pass& x, const Vector& c) const {
  Weights result;
  for (std::size_t l = 0; l < x.delta.size(); ++l) {
    const Matrix scaled = c.asDiagonal() * x.delta[l];
    Matrix weight(scaled.cols(), x.input[l].cols());
    multiply_tn(scaled, x.input[l], weight);
    result.weight.push_back(std::move(weight));
    result.bias.push_back(std::sqrt(shape_.bias_variance) * scaled.colwise().sum().transpose());
  }
  return result;
}

Vector WideNetwork::along(const Pass& x, const Weights& v) const {
  Vector result = Vector::Zero(x.f.size());
  for (std::size_t l = 0; l < x.delta.size(); ++l) {
    Matrix h(x.f.size(), v.weight[l].rows());
    multiply_nt(x.input[l], v.weight[l], h);
    h.rowwise() += std::sqrt(shape_.bias_variance) * v.bias[l].transpose();
    result += h.cwiseProduct(x.delta[l]).rowwise().sum();
  }
  return result;
}

Matrix WideNetwork::input_gradient(const Pass& x) const {
  Matrix result(x.f.size(), weights_.weight[0].cols());
  multiply_nn(x.delta[0], weights_.weight[0], result);
  return std::sqrt(shape_.weight_variance * shape_.input_scale) * result;
}

NetworkFit::NetworkFit(const WideNetwork& network, NetworkInputs train, Vector y, double sigma)
    : initial_(network), network_(network), train_(std::move(train)), y_(std::move(y)), sigma_(sigma) {}

Vector NetworkFit::energies(const WideNetwork& network, const NetworkInputs& inputs) const {
  return inputs.sums(network.pass(inputs.x).f - initial_.pass(inputs.x).f);
}

Matrix NetworkFit::structure_kernel(const WideNetwork& network, const Pass& a, const NetworkInputs& of_a, const Pass& b,
                                    const NetworkInputs& of_b) const {
  return summed(network.tangent_kernel(a, b), of_a, of_b);
}

double NetworkFit::loss_of(const WideNetwork& network) const {
  return (energies(network, train_) - y_).squaredNorm() / (sigma_ * sigma_) +
         squared_norm(combination(1, network.weights(), -1, initial_.weights()));
}

double NetworkFit::loss() const {
  return loss_of(network_);
}

int NetworkFit::gauss_newton(int most_steps) {
  constexpr double smallest_gain = 1e-13, smallest_step = 1e-4;  // of the loss
  const Vector start = initial_.pass(train_.x).f;
  double current = loss();
  for (int step = 1; step <= most_steps; ++step) {
    const Pass pass = network_.pass(train_.x);
    const Weights moved = combination(1, network_.weights(), -1, initial_.weights());
    const Vector right = y_ - train_.sums(pass.f - start) + train_.sums(network_.along(pass, moved));
    const Vector c = solved(structure_kernel(network_, pass, train_, pass, train_), sigma_, right);
    const Weights target = combination(1, initial_.weights(), 1, network_.pulled_back(pass, spread(c, train_)));
    const Weights from = network_.weights();
    double next = current;
    for (double length = 1; length > smallest_step; length /= 2) {
      network_.set_weights(combination(1 - length, from, length, target));
      next = loss();
      if (next <= current) break;
    }
    if (!(next <= current)) {
      network_.set_weights(from);
      return step;
    }
    const bool is_done = current - next <= smallest_gain * current;
    current = next;
    if (is_done) return step;
  }
  return most_steps;
}

void NetworkFit::gradient_descent(int steps) {
  const Pass start = initial_.pass(train_.x);
  const Matrix kernel = structure_kernel(initial_, start, train_, start, train_);
  const double largest = Eigen::SelfAdjointEigenSolver<Matrix>(kernel).eigenvalues().maxCoeff() / (sigma_ * sigma_) + 1;
  const double length = 0.5 / largest;
  for (int step = 0; step < steps; ++step) {
    const Pass pass = network_.pass(train_.x);
    const Vector residual = (train_.sums(pass.f - start.f) - y_) / (sigma_ * sigma_);
    const Weights slope = network_.pulled_back(pass, spread(residual, train_));
    const Weights pull = combination(1 - length, network_.weights(), length, initial_.weights());
    network_.set_weights(combination(1, pull, -length, slope));
  }
}

Vector NetworkFit::predict(const NetworkInputs& inputs) const {
  return energies(network_, inputs);
}

Matrix NetworkFit::input_gradient(const Matrix& x) const {
  return network_.input_gradient(network_.pass(x)) - initial_.input_gradient(initial_.pass(x));
}

Vector NetworkFit::predict_linearised(const NetworkInputs& inputs) const {
  const Pass train = initial_.pass(train_.x), test = initial_.pass(inputs.x);
  return posterior_mean(structure_kernel(initial_, train, train_, train, train_), structure_kernel(initial_, test, inputs, train, train_),
                        y_, sigma_);
}

double NetworkFit::relative_change() const {
  return std::sqrt(squared_norm(combination(1, network_.weights(), -1, initial_.weights())) / squared_norm(initial_.weights()));
}

double relative_deviation(const Vector& a, const Vector& b) {
  return (a - b).norm() / b.norm();
}

Vector posterior_mean(const Matrix& train_kernel, const Matrix& test_kernel, const Vector& y, double sigma) {
  return test_kernel * solved(train_kernel, sigma, y);
}

}  // namespace gapkit::test
