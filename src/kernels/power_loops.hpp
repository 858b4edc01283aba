#pragma once

// The inner loop of sums of integer powers, compiled for several instruction sets (see soap_loops.hpp).

namespace gapkit {

struct PowerLoops {
  /// In: s[m]. Returns Σ_m w[m] s[m]^ζ and leaves ζ w[m] s[m]^{ζ−1} in s, and s[m]^ζ in values unless that is null. ζ ≥ 1.
  double (*weighted_powers)(int zeta, long count, const double* w, double* s, double* values);
};

const PowerLoops& power_loops();

}  // namespace gapkit
