#pragma once

#include "potentials/ewald_plan.hpp"

namespace gapkit {

/// Fourier transform of the Coulomb kernel with the Gaussian of the Ewald sum, for the periodicity of the plan (methods.md, section 9).
struct KernelWeight {
  double value = 0;  ///< w(k), Å²
  /// (dw/dk_∥)/k_∥ by the length of the part of k along the periodic directions; 0 where that part is 0.
  double slope = 0;
};

class ReciprocalKernel {
 public:
  explicit ReciprocalKernel(const EwaldPlan& plan) : plan_(plan) {}

  /// `along`, `across`: lengths of the parts of k, 1/Å. Both 0: the term of the mean potential.
  KernelWeight operator()(double along, double across) const;

 private:
  KernelWeight bare(double along, double across) const;

  EwaldPlan plan_;
};

}  // namespace gapkit
