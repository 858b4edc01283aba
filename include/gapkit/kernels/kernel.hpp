#pragma once

#include <functional>
#include <gapkit/core/parameters.hpp>
#include <gapkit/kernels/local_energy.hpp>
#include <memory>

namespace gapkit {

/// Covariance κ of two feature vectors, without amplitude and covariance cutoffs (those belong to the term). Immutable, re-entrant.
///
/// Every kernel here has a gradient of the form
///     ∂κ(x, z)/∂x = slope(x, z) · (Λ z − h Λ x)        Λ = diag(metric(D)), h = 1 if is_stationary() else 0
/// so that derivatives of many kernels at once are one matrix product with the points Λ z. The mixed second derivative along dx, dz is
///     dxᵀ (∂²κ/∂x∂zᵀ) dz = slope(x, z) · dxᵀΛ dz + curvature(x, z) · (dx · Λ(z − h x)) (dz · Λ(x − h z))
class Kernel {
 public:
  virtual ~Kernel() = default;

  virtual const Parameters& parameters() const = 0;
  virtual bool is_stationary() const = 0;
  /// True if κ has all derivatives, so that low-rank forms of it converge fast.
  virtual bool is_smooth() const { return true; }
  /// Diagonal of Λ for feature vectors of `size` components; empty: the unit matrix. Throws InputError if the kernel does not go
  /// with that size.
  virtual Vector metric(int size) const = 0;
  /// Throws InputError if the kernel does not go with features of this size or sign.
  virtual void check_features(int size, bool has_nonnegative_products) const = 0;

  /// value(e, m) = κ(x_e, z_m); with `slope` also the slope. Shapes [E, D], [M, D] → [E, M]. Cost: one GEMM, or E·M·D.
  /// `inner` (optional): x_e · Λ z_m. `curvature` (optional, only with `slope`): of the mixed second derivative; where it diverges
  /// (x·z = 0 of a dot product with 1 < ζ < 2) it is given as 0. Outputs must not overlap each other or the inputs.
  /// Uses several threads only if called outside an OpenMP parallel region. Throws InputError if shapes disagree.
  virtual void compute(const MatrixView& x, const MatrixView& z, MatrixSlice value, MatrixSlice* slope = nullptr,
                       MatrixSlice* inner = nullptr, MatrixSlice* curvature = nullptr) const = 0;

  /// ε(x) = Σ_m weights[m] κ(x, z_m), points z [M, D], in the fastest form that this kernel has: two GEMMs with what lies between them in
  /// one pass (dot_product, integer ζ); a vector or a D × D form where that is less work (ζ = 1, 2); a spline for a smooth kernel
  /// of one feature, if the `domain` (points between which x will be, or empty) is given; else from compute(). Cost of ε and its gradient
  /// per row: 4MD flop, 2D² (ζ = 2), O(1) (spline).
  virtual std::unique_ptr<LocalEnergy> compile(const Vector& weights, const Matrix& points, const Matrix& domain = {}) const;
};

struct KernelKind {
  std::string name;
  std::string description;
  std::vector<ParameterInfo> parameters;
  /// Parameters must be complete.
  std::function<std::shared_ptr<const Kernel>(const Parameters&)> make;
};

/// The table. A new kernel is one .cpp file and one line here.
const std::vector<KernelKind>& kernel_kinds();
/// Throws InputError with the nearest name if there is no such kernel.
const KernelKind& kernel_kind(std::string_view name);

}  // namespace gapkit
