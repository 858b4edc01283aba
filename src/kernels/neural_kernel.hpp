#pragma once

#include <gapkit/core/reusable_matrix.hpp>
#include <gapkit/kernels/kernel.hpp>

#include "kernels/neural_loops.hpp"

namespace gapkit {

/// Q and its slope of some points in each layer of a network without kinks.
class NeuralPoints {
 public:
  NeuralPoints(const NeuralNetwork& network, double factor, const MatrixView& x);
  /// `count` points of one |x|².
  NeuralPoints(const NeuralNetwork& network, double factor, double square, long count);

  const NeuralDiagonal& view() const { return view_; }

 private:
  void resize(const NeuralNetwork& network, long count);

  std::shared_ptr<const AlignedVector<double>> numbers_;  // shared by copies
  NeuralDiagonal view_ = {};
};

/// A kernel of an infinitely wide network: `name`, and whether all layers are trained.
KernelKind neural_kind(const std::string& name, const std::string& description, bool is_tangent);

/// The form of a kernel on unit vectors, a function of x·z alone from `lowest` to 1: polynomials with an error below sphere_tolerance of
/// κ(x, x), the same of the slope, a hundred times of the curvature. Null if none of moderate degree is as accurate. Parameters must hold
/// the input scale.
std::shared_ptr<const Kernel> neural_kernel_on_sphere(const Parameters& parameters, const std::string& name, const NeuralNetwork& network,
                                                      double lowest);
inline constexpr double sphere_tolerance = 1e-13;

/// F and D of relu for every layer, from the vectors themselves: κ(x, z) (methods.md, section 1).
double relu_kernel(const NeuralNetwork& network, double factor, const double* x, const double* z, Eigen::Index size);

}  // namespace gapkit
