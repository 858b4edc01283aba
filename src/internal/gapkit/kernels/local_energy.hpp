#pragma once

#include <functional>
#include <gapkit/core/reusable_matrix.hpp>
#include <memory>
#include <span>

namespace gapkit {

/// ε(x) = Σ_m w_m κ(x, z_m) for fixed weights and points, made ready for fast evaluation (Kernel::compile). Owns scratch memory: one object
/// per thread of control. Threads inside, unless called within an OpenMP parallel region.
class LocalEnergy {
 public:
  virtual ~LocalEnergy() = default;

  /// energy[e] = ε(x_e) for the rows of x [E, D]; with `gradient` [E, D] also ∂ε/∂x_e. NaN stays NaN.
  /// `values` [E, M]: also κ(x_e, z_m), which costs next to nothing; only if gives_values().
  virtual void compute(const MatrixView& x, std::span<double> energy, MatrixSlice* gradient, MatrixSlice* values = nullptr) = 0;
  virtual bool gives_values() const { return false; }

  /// Which form it is, for logs and tests: "sum", "powers", "linear", "quadratic" or "spline".
  virtual const char* form() const = 0;
};

/// Values of a one-dimensional ε between `low` and `high` from a quintic Hermite spline, refined until its error, measured between the
/// knots, is below 10⁻¹² of the largest |ε| there (10⁻¹¹ for the derivative). Outside, and if that needs more than 2¹⁴ intervals, `direct`
/// is used. `direct` must have a continuous second derivative; `second` gives it.
/// Cost: one look at six numbers for each value, whatever the number of points.
std::unique_ptr<LocalEnergy> make_spline(std::unique_ptr<LocalEnergy> direct, double low, double high,
                                         const std::function<double(double)>& second);

}  // namespace gapkit
