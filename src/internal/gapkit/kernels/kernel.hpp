#pragma once

#include <functional>
#include <gapkit/core/parameters.hpp>
#include <gapkit/kernels/local_energy.hpp>
#include <list>
#include <memory>

namespace gapkit {

/// Values of Kernel::compute for x [E, D] and z [M, D], all [E, M]: κ(x_e, z_m) and, where not null, parts of its derivatives. Outputs must
/// not overlap each other or the inputs.
struct KernelParts {
  MatrixSlice value;
  MatrixSlice* slope = nullptr;
  MatrixSlice* inner = nullptr;      ///< x_e · Λ z_m
  MatrixSlice* curvature = nullptr;  ///< of the mixed second derivative; only with `slope`
  // For kernels with has_own_slope(), else null
  MatrixSlice* own_slope = nullptr;       ///< only with `slope`
  MatrixSlice* own_curvature = nullptr;   ///< only with `curvature`
  MatrixSlice* both_curvature = nullptr;  ///< only with `curvature`
};

/// What a kernel may rely on in the feature vectors of a descriptor.
struct FeatureFacts {
  int size = 1;
  bool has_nonnegative_products = false;  ///< x·x' ≥ 0
  bool has_unit_length = false;           ///< |x| = 1 (or x = 0)
  double usual_square = 1;                ///< of |x|², for parameters that follow it
};

/// Covariance κ of two feature vectors, without amplitude and covariance cutoffs (those belong to the term). Symmetric: κ(x, z) = κ(z, x).
/// Immutable, re-entrant.
///
/// Most kernels have a gradient of the form
///     ∂κ(x, z)/∂x = slope(x, z) · (Λ z − h Λ x)        Λ = diag(metric(D)), h = 1 if is_stationary() else 0
/// so that derivatives of many kernels at once are one matrix product with the points Λ z. The mixed second derivative along dx, dz is
///     dxᵀ (∂²κ/∂x∂zᵀ) dz = slope(x, z) · dxᵀΛ dz + curvature(x, z) · (dx · Λ(z − h x)) (dz · Λ(x − h z))
/// A kernel of x·Λz, x·Λx and z·Λz (for example of a neural network) has a part along x itself (has_own_slope(); then h = 0):
///     ∂κ(x, z)/∂x = slope · Λ z + own_slope(x, z) · Λ x
///     dxᵀ (∂²κ/∂x∂zᵀ) dz = slope · dxᵀΛ dz + curvature · (dx · Λz) (dz · Λx) + own_curvature(x, z) · (dx · Λx) (dz · Λx)
///                          + own_curvature(z, x) · (dx · Λz) (dz · Λz) + both_curvature(x, z) · (dx · Λx) (dz · Λz)
class Kernel {
 public:
  virtual ~Kernel() = default;

  virtual const Parameters& parameters() const = 0;
  virtual bool is_stationary() const = 0;
  /// True if the gradient has a part along x; not for stationary kernels.
  virtual bool has_own_slope() const { return false; }
  /// True if κ has all derivatives, so that low-rank forms of it converge fast.
  virtual bool is_smooth() const { return true; }
  /// Diagonal of Λ for feature vectors of `size` components; empty: the unit matrix. Throws InputError if the kernel does not
  /// support this size.
  virtual Vector metric(int size) const = 0;
  /// Throws InputError if the kernel does not support features of this size or sign.
  virtual void check_features(int size, bool has_nonnegative_products) const = 0;
  /// The form of the kernel for feature vectors of this kind; null: this one.
  virtual std::shared_ptr<const Kernel> for_features(const FeatureFacts& /*facts*/) const { return nullptr; }
  /// Why the kernel gives energies only, a sentence that begins with its name; empty: it has derivatives.
  virtual std::string without_derivatives() const { return {}; }

  /// Shapes [E, D], [M, D] → [E, M]. Cost: one GEMM, or E·M·D. Where the curvature diverges (x·z = 0 of a dot product with 1 < ζ < 2) it is
  /// given as 0. Uses several threads only if called outside an OpenMP parallel region. Throws InputError if shapes disagree.
  virtual void compute(const MatrixView& x, const MatrixView& z, const KernelParts& out) const = 0;
  void compute(const MatrixView& x, const MatrixView& z, MatrixSlice value, MatrixSlice* slope = nullptr, MatrixSlice* inner = nullptr,
               MatrixSlice* curvature = nullptr) const {
    compute(x, z, KernelParts{.value = value, .slope = slope, .inner = inner, .curvature = curvature});
  }

  /// ε(x) = Σ_m weights[m] κ(x, z_m), points z [M, D], in the fastest form of this kernel: two GEMMs with one pass between them
  /// (dot_product, integer ζ); a vector or a D × D form if that is less work (ζ = 1, 2); a spline for a smooth kernel
  /// of one feature, if the `domain` (range of x, or empty) is given; else from compute(). Cost of ε and its gradient
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
const std::list<KernelKind>& kernel_kinds();
/// Throws InputError with the nearest name if there is no such kernel.
const KernelKind& kernel_kind(std::string_view name);
/// Adds a line to the table, for a kernel outside the library. Call it from one thread before the table is used. Throws InputError if
/// the name exists.
void add_kernel_kind(KernelKind kind);

}  // namespace gapkit
