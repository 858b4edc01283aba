#pragma once

// The inner loop of Coulomb sums in real space, compiled for several instruction sets (see soap_loops.hpp).

namespace gapkit {

struct ScreenedLoops {
  /// value = erfc(a r)/r and slope = its derivative by r, for `count` pairs. a ≥ 0: 0 gives 1/r. Relative errors of erfc below 1e-15 +
  /// 3e-16 (a r)²; results below 1e-300 may come out as 0. r = 0 gives infinities or NaN; NaN stays NaN.
  void (*screened)(int count, const double* r, const double* a, double* value, double* slope);
};

const ScreenedLoops& screened_loops();

}  // namespace gapkit
