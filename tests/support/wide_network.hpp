#pragma once

#include <gapkit/core/types.hpp>
#include <string>
#include <vector>

namespace gapkit::test {

/// Feature vectors of all environments, those of structure s in the rows first[s] … first[s + 1] − 1.
struct NetworkInputs {
  Matrix x;
  std::vector<Eigen::Index> first = {0};

  Eigen::Index structures() const { return static_cast<Eigen::Index>(first.size()) - 1; }
  void add(const MatrixView& features);
  /// Sums over the environments of each structure.
  Vector sums(const Vector& of_environments) const;
};

struct NetworkShape {
  std::string activation = "gelu";  ///< gelu, erf, relu
  int depth = 1, width = 128;
  double weight_variance = 1.5, bias_variance = 0.1, input_scale = 1;
};

/// A network f(x; w) of finite width in the parametrisation whose limit is the kernel `ntk` (docs/unity.md):
///   h¹ = √(w_v s) W¹ x + √b_v b¹,   h^{l+1} = √(w_v/n) W^{l+1} φ(h^l) + √b_v b^{l+1},   f = h^{L+1},   all weights ~ N(0, 1).
/// Derivatives by weights are never stored for each structure: a row of the Jacobian is a sum over environments of δ^l ⊗ φ(h^{l−1}).
class WideNetwork {
 public:
  WideNetwork(const NetworkShape& shape, Eigen::Index features, std::uint64_t seed);

  /// Values, and derivatives that later functions take.
  struct Pass {
    Vector f;                   ///< [A] of each environment
    std::vector<Matrix> input;  ///< input of each layer times its factor: [A, D], then [A, n] for each hidden layer
    std::vector<Matrix> delta;  ///< ∂f/∂h^l [A, n], of the output [A, 1]
  };
  Pass pass(const Matrix& x) const;

  /// Tangent kernel ∂f(x_a)/∂w · ∂f(z_b)/∂w of environments.
  Matrix tangent_kernel(const Pass& x, const Pass& z) const;

  /// Weights and biases of all layers.
  struct Weights {
    std::vector<Matrix> weight;
    std::vector<Vector> bias;
  };
  /// Σ_a c_a ∂f(x_a)/∂w
  Weights pulled_back(const Pass& x, const Vector& c) const;
  /// ∂f(x_a)/∂w · v for every environment.
  Vector along(const Pass& x, const Weights& v) const;
  /// ∂f/∂x [A, D]
  Matrix input_gradient(const Pass& x) const;

  const Weights& weights() const { return weights_; }
  void set_weights(Weights weights) { weights_ = std::move(weights); }

 private:
  NetworkShape shape_;
  Weights weights_;
};

/// Fits Σ_s (E_s − y_s)²/σ² + |w − w₀|² with E_s = Σ_{a ∈ s} [f(x_a; w) − f(x_a; w₀)].
class NetworkFit {
 public:
  NetworkFit(const WideNetwork& network, NetworkInputs train, Vector y, double sigma);

  /// w ← w₀ + Jᵀ(JJᵀ + σ²)⁻¹(y − E + J(w − w₀)), with halved steps where that does not lower the loss. Returns the number of steps.
  int gauss_newton(int most_steps);
  /// Full-batch gradient descent with the step 0.5 / (largest eigenvalue of the initial Hessian).
  void gradient_descent(int steps);

  Vector predict(const NetworkInputs& inputs) const;
  /// Regression with the tangent kernel of the initial weights.
  Vector predict_linearised(const NetworkInputs& inputs) const;
  /// ∂E/∂x of every environment, [A, D]
  Matrix input_gradient(const Matrix& x) const;
  double loss() const;
  /// |w − w₀|/|w₀|
  double relative_change() const;

 private:
  Vector energies(const WideNetwork& network, const NetworkInputs& inputs) const;
  Matrix structure_kernel(const WideNetwork& network, const WideNetwork::Pass& a, const NetworkInputs& of_a, const WideNetwork::Pass& b,
                          const NetworkInputs& of_b) const;
  double loss_of(const WideNetwork& network) const;

  WideNetwork initial_, network_;
  NetworkInputs train_;
  Vector y_;
  double sigma_;
};

/// M_st = Σ_{a ∈ s, b ∈ t} of a matrix over environments.
Matrix summed(const Matrix& of_environments, const NetworkInputs& rows, const NetworkInputs& cols);
/// c_a = c_s for the environments a of structure s.
Vector spread(const Vector& of_structures, const NetworkInputs& inputs);

/// √(Σ(a − b)² / Σ b²)
double relative_deviation(const Vector& a, const Vector& b);

/// Posterior mean of energies of `test` with an exact Gaussian process on energies of `train`: K(test, train)(K(train, train) + σ²)⁻¹ y.
Vector posterior_mean(const Matrix& train_kernel, const Matrix& test_kernel, const Vector& y, double sigma);

}  // namespace gapkit::test
