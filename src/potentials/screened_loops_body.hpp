// Included by screened_loops_*.cpp, each compiled for its own instruction set, without reassociation; no headers with inline functions
// here.

#include <gapkit/math/exponentials.hpp>

#include "potentials/screened_loops.hpp"

namespace gapkit {
namespace {

// (1 + 2x) e^(x²) erfc(x) as a polynomial of t = (x − 4)/(x + 4), for all x ≥ 0: Chebyshev interpolation in 40 digits, converted to powers.
// The largest relative error is 3e-16. The idea of the variable t: Shepherd & Laframboise, Math. Comp. 36, 249 (1981).
constexpr double scaled_erfc[] = {1.2329951186255526,      -0.1396211168405625,     0.015379652102620026,    0.0680970542546904,
                                  -0.10103906603632413,    0.09373283499843826,     -0.06633036581166812,    0.03716751553592911,
                                  -0.016197734065728945,   0.005031969992669933,    -0.0007577732210512849,  -0.0001992567757633648,
                                  0.00015062131406268513,  -2.4398944545280832e-05, -1.1220772697788498e-05, 5.709206053072183e-06,
                                  2.9094470866632674e-07,  -8.249198427508354e-07,  7.888177117406594e-08,   1.1009737295274889e-07,
                                  -2.1868462576141457e-08, -1.4709550868669278e-08, 3.950879254166685e-09,   1.7903326159489847e-09,
                                  -5.377133821031794e-10,  -1.374652989001164e-10,  4.180821739675544e-11};
constexpr int scaled_erfc_terms = sizeof scaled_erfc / sizeof scaled_erfc[0];

void screened_piece(int count, const double* __restrict r, const double* __restrict a, double* __restrict value, double* __restrict slope) {
  constexpr double largest = 26.6;  // erfc and e^(−x²) are below 1e-300 from here on
  constexpr double two_over_root_pi = 1.1283791670955125739;
  for (int p = 0; p < count; ++p) {
    double x = a[p] * r[p];
    x = x > largest ? largest : x;
    value[p] = -x * x;
  }
  exponentials(value, count);
  for (int p = 0; p < count; ++p) {
    double x = a[p] * r[p];
    x = x > largest ? largest : x;
    const double t = (x - 4) / (x + 4), gaussian = value[p], inverse = 1 / r[p];
    double sum = scaled_erfc[scaled_erfc_terms - 1];
    for (int k = scaled_erfc_terms - 2; k >= 0; --k) sum = sum * t + scaled_erfc[k];
    const double screened = gaussian * sum / (1 + 2 * x) * inverse;
    value[p] = screened;
    slope[p] = -(screened + two_over_root_pi * a[p] * gaussian) * inverse;
  }
}

void screened(int count, const double* r, const double* a, double* value, double* slope) {
  constexpr int piece = 128;
  for (int first = 0; first < count; first += piece)
    screened_piece(count - first < piece ? count - first : piece, r + first, a + first, value + first, slope + first);
}

}  // namespace

extern const ScreenedLoops GAPKIT_LOOPS;
const ScreenedLoops GAPKIT_LOOPS = {screened};

}  // namespace gapkit
