#include "kernels/neural_kernel.hpp"

#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "kernel_kinds.hpp"

namespace gapkit {
namespace {

constexpr int largest_depth = 16;
constexpr double smallest_input_scale = 1e-9, largest_input_scale = 1e6;
constexpr double largest_variance = 1e3;  // larger ones overflow in deep networks

/// κ of x·z, |x|², |z|² (methods.md, section 1).
class NeuralKernel final : public Kernel {
 public:
  NeuralKernel(const Parameters& parameters, std::string name, const NeuralNetwork& network)
      : parameters_(parameters), name_(std::move(name)), network_(network), input_scale_(parameters.real("input_scale")) {}

  const Parameters& parameters() const override { return parameters_; }
  bool is_stationary() const override { return false; }
  bool has_own_slope() const override { return true; }
  bool is_smooth() const override { return !has_kinks(); }
  std::string without_derivatives() const override {
    if (!has_kinks()) return "";
    return fmt::format(
        "{}: activation = \"relu\" gives energies only: its functions have kinks, so that the variance of {} is infinite, unlike with "
        "\"gelu\" and \"erf\"",
        name_, network_.is_tangent ? "forces" : "the derivatives of forces");
  }
  Vector metric(int) const override { return {}; }
  void check_features(int size, bool) const override {
    if (size < 1) throw InputError(fmt::format("{}: feature vectors have {} components, expected at least 1", name_, size));
  }

  void compute(const MatrixView& x, const MatrixView& z, const KernelParts& out) const override {
    check_all_kernel_shapes(x, z, out);
    if (out.slope != nullptr && has_kinks()) throw InputError(without_derivatives());
    MatrixSlice value = out.value;
    if (has_kinks()) {
      compute_with_kinks(x, z, value);
      if (out.inner != nullptr) multiply_nt(x, z, *out.inner);
      return;
    }
    compute_rows(x, z, NeuralPoints(network_, factor(z), z), out);
  }

  /// compute() with the numbers of the points.
  void compute_rows(const MatrixView& x, const MatrixView& z, const NeuralPoints& points, const KernelParts& out) const {
    MatrixSlice value = out.value;
    multiply_nt(x, z, value);
    const double scale = factor(x);
    const NeuralPoints own(network_, scale, x);
    const Eigen::Index rows = value.rows(), cols = value.cols();
    const NeuralLoops& loops = neural_loops();
    constexpr double work_of_layer = 8;  // of a kernel value, in simple ones
    [[maybe_unused]] const bool threads = pays_to_start_threads(work_of_layer * static_cast<double>(rows * cols));
#pragma omp parallel if (threads)
    {
      // Derivatives that are not wanted, but come with those that are
      AlignedVector<double> unwanted(static_cast<std::size_t>(out.slope != nullptr ? cols : 0)), inner(static_cast<std::size_t>(cols));
#pragma omp for schedule(static)
      for (Eigen::Index e = 0; e < rows; ++e) {
        double* v = value.data() + e * value.outerStride();
        if (out.inner != nullptr) std::copy(v, v + cols, out.inner->data() + e * out.inner->outerStride());
        for (Eigen::Index m = 0; m < cols; ++m) inner[static_cast<std::size_t>(m)] = scale * v[m];
        const auto row_of = [&](MatrixSlice* part, bool wanted) {
          if (part != nullptr) return part->data() + e * part->outerStride();
          return wanted ? unwanted.data() : nullptr;
        };
        const bool second = out.curvature != nullptr;
        loops.row(network_, {&own.view(), e, &points.view(), inner.data(), scale, v, row_of(out.slope, false),
                             row_of(out.own_slope, out.slope != nullptr), row_of(out.curvature, false), row_of(out.own_curvature, second),
                             row_of(out.both_curvature, second)});
      }
    }
  }

  std::shared_ptr<const Kernel> for_features(const FeatureFacts& facts) const override {
    Parameters complete = parameters_;
    if (input_scale_ == 0) complete.set("input_scale", 1 / facts.usual_square);
    auto general = std::make_shared<const NeuralKernel>(complete, name_, network_);
    if (!facts.has_unit_length || has_kinks()) return general;
    auto on_sphere = neural_kernel_on_sphere(complete, name_, network_, facts.has_nonnegative_products ? 0 : -1);
    return on_sphere ? on_sphere : general;
  }

  std::unique_ptr<LocalEnergy> compile(const Vector& weights, const Matrix& points, const Matrix& domain) const override;

 private:
  double factor(const MatrixView& x) const {
    return network_.weight_variance * (input_scale_ > 0 ? input_scale_ : 1 / static_cast<double>(x.cols()));
  }
  bool has_kinks() const {
    return network_.activation == NeuralNetwork::Activation::relu;
  }

  void compute_with_kinks(const MatrixView& x, const MatrixView& z, MatrixSlice& value) const {
    [[maybe_unused]] const bool threads = pays_to_start_threads(static_cast<double>(value.rows() * value.cols() * x.cols()));
#pragma omp parallel for schedule(static) if (threads)
    for (Eigen::Index e = 0; e < value.rows(); ++e)
      for (Eigen::Index m = 0; m < value.cols(); ++m)
        value(e, m) = relu_kernel(network_, factor(x), x.data() + e * x.outerStride(), z.data() + m * z.outerStride(), x.cols());
  }

  Parameters parameters_;
  std::string name_;
  NeuralNetwork network_;
  double input_scale_;  // 0: 1/D
};

/// Σ_m w_m κ(x, z_m) with the numbers of the points at hand, and one product for the gradient.
class NeuralSum final : public LocalEnergy {
 public:
  NeuralSum(const NeuralKernel& kernel, const NeuralPoints& numbers, const Vector& weights, const Matrix& points)
      : kernel_(kernel), numbers_(numbers), weights_(weights), points_(points) {}

  const char* form() const override { return "sum"; }
  bool gives_values() const override { return true; }

  void compute(const MatrixView& x, std::span<double> energy, MatrixSlice* gradient, MatrixSlice* values) override {
    value_.resize(values == nullptr ? x.rows() : 0, points_.rows());
    MatrixSlice value = values != nullptr ? *values : MatrixSlice(value_.view());
    Eigen::Map<Vector> result(energy.data(), x.rows());
    if (gradient == nullptr) {
      kernel_.compute_rows(x, points_, numbers_, {.value = value});
      result.noalias() = value * weights_;
      return;
    }
    slope_.resize(x.rows(), points_.rows());
    own_slope_.resize(x.rows(), points_.rows());
    MatrixSlice slope = slope_.view(), own_slope = own_slope_.view();
    kernel_.compute_rows(x, points_, numbers_, {.value = value, .slope = &slope, .own_slope = &own_slope});
    result.noalias() = value * weights_;
    const Vector along = own_slope * weights_;
    slope.array().rowwise() *= weights_.transpose().array();
    multiply_nn(slope, points_, *gradient);
    gradient->noalias() += along.asDiagonal() * x;
  }

 private:
  const NeuralKernel& kernel_;
  NeuralPoints numbers_;
  Vector weights_;
  Matrix points_;
  ReusableMatrix value_, slope_, own_slope_;
};

std::unique_ptr<LocalEnergy> NeuralKernel::compile(const Vector& weights, const Matrix& points, const Matrix& domain) const {
  if (has_kinks()) return Kernel::compile(weights, points, domain);
  auto sum = std::make_unique<NeuralSum>(*this, NeuralPoints(network_, factor(points), points), weights, points);
  if (points.cols() != 1 || domain.rows() < 2 || domain.cols() != 1) return sum;
  const double low = domain.minCoeff(), high = domain.maxCoeff();
  // Central differences of the slope: the spline needs its derivative to a few digits less than its values.
  const double step = 1e-3 * (high - low);
  const auto second = [&](double x) {
    Matrix places(4, 1), slopes(4, 1);
    places << x - 2 * step, x - step, x + step, x + 2 * step;
    Vector energies(4);
    MatrixSlice view = slopes;
    sum->compute(places, {energies.data(), 4}, &view, nullptr);
    return (8 * (slopes(2, 0) - slopes(1, 0)) - (slopes(3, 0) - slopes(0, 0))) / (12 * step);
  };
  return make_spline(std::make_unique<NeuralSum>(*this, NeuralPoints(network_, factor(points), points), weights, points), low, high,
                     second);
}

NeuralNetwork network_of(const Parameters& parameters, const std::string& name, bool is_tangent) {
  const std::string activation = parameters.text("activation");
  NeuralNetwork network{NeuralNetwork::Activation::gelu, static_cast<int>(parameters.integer("depth")), parameters.real("weight_variance"),
                        parameters.real("bias_variance"), is_tangent};
  if (activation == "erf")
    network.activation = NeuralNetwork::Activation::erf;
  else if (activation == "relu")
    network.activation = NeuralNetwork::Activation::relu;
  else if (activation != "gelu")
    throw InputError(
        fmt::format("{}: activation is '{}'{}", name, activation, suggestion(activation, std::vector<std::string>{"gelu", "erf", "relu"})));
  const auto require = [&](bool is_right, const char* parameter, double value, const char* expected) {
    if (!is_right || !std::isfinite(value)) throw InputError(fmt::format("{}: {} is {}, expected {}", name, parameter, value, expected));
  };
  require(network.depth >= 1 && network.depth <= largest_depth, "depth", network.depth, "an integer from 1 to 16");
  require(network.weight_variance > 0 && network.weight_variance <= largest_variance, "weight_variance", network.weight_variance,
          "a number above 0, up to 1000");
  require(network.bias_variance >= 0 && network.bias_variance <= largest_variance, "bias_variance", network.bias_variance,
          "a number from 0 to 1000");
  const double scale = parameters.real("input_scale");
  require(scale == 0 || (scale >= smallest_input_scale && scale <= largest_input_scale), "input_scale", scale,
          "0, or a number from 1e-9 to 1e6");
  return network;
}

}  // namespace

NeuralPoints::NeuralPoints(const NeuralNetwork& network, double factor, const MatrixView& x) {
  resize(network, x.rows());
  for (Eigen::Index m = 0; m < x.rows(); ++m) view_.square[m] = factor * x.row(m).squaredNorm() + network.bias_variance;
  std::fill(view_.slope, view_.slope + x.rows(), factor);
  neural_loops().diagonal(network, view_);
}

NeuralPoints::NeuralPoints(const NeuralNetwork& network, double factor, double square, long count) {
  resize(network, count);
  std::fill(view_.square, view_.square + count, factor * square + network.bias_variance);
  std::fill(view_.slope, view_.slope + count, factor);
  neural_loops().diagonal(network, view_);
}

void NeuralPoints::resize(const NeuralNetwork& network, long count) {
  const long stride = (count + 7) / 8 * 8, part = stride * network.depth;
  auto storage = std::make_shared<AlignedVector<double>>(static_cast<std::size_t>(4 * part));
  double* first = storage->data();
  view_ = {count, stride, first, first + part, first + 2 * part, first + 3 * part};
  numbers_ = std::move(storage);
}

KernelKind neural_kind(const std::string& name, const std::string& description, bool is_tangent) {
  ParameterInfo activation;
  activation.name = "activation";
  activation.type = ParameterInfo::Type::text;
  activation.description = "gelu, erf, or relu (energies only)";
  activation.default_value = std::string("gelu");
  ParameterInfo depth;
  depth.name = "depth";
  depth.type = ParameterInfo::Type::integer;
  depth.description = "hidden layers";
  depth.default_value = std::int64_t{2};
  depth.smallest = 1;
  depth.largest = largest_depth;
  ParameterInfo weight;
  weight.name = "weight_variance";
  weight.description = "variance of the weights of a layer together";
  weight.default_value = 1.5;
  weight.smallest = 0;
  weight.excludes_smallest = true;
  weight.largest = largest_variance;
  ParameterInfo bias;
  bias.name = "bias_variance";
  bias.description = "variance of a bias";
  bias.default_value = 0.1;
  bias.smallest = 0;
  bias.largest = largest_variance;
  ParameterInfo scale;
  scale.name = "input_scale";
  scale.description = "factor of x . x' in the first layer; 0: 1 over the usual |x|^2 of the descriptor";
  scale.default_value = 0.0;
  scale.smallest = 0;
  scale.largest = largest_input_scale;
  return {name, description, {activation, depth, weight, bias, scale}, [name, is_tangent](const Parameters& parameters) {
            return std::make_shared<NeuralKernel>(parameters, name, network_of(parameters, name, is_tangent));
          }};
}

}  // namespace gapkit
