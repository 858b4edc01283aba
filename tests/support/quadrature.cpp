#include "support/quadrature.hpp"

#include <cmath>
#include <numbers>

namespace gapkit::test {

Quadrature gauss_legendre(int n, long double from, long double to) {
  Quadrature rule;
  for (int i = 0; i < n; ++i) {
    long double x = std::cos(std::numbers::pi_v<long double> * (i + 0.75L) / (n + 0.5L)), slope = 0;
    for (int step = 0; step < 100; ++step) {  // Newton on P_n
      long double p1 = 1, p0 = 0;
      for (int k = 1; k <= n; ++k) {
        const long double p2 = p0;
        p0 = p1;
        p1 = ((2 * k - 1) * x * p0 - (k - 1) * p2) / k;
      }
      slope = n * (x * p1 - p0) / (x * x - 1);
      const long double change = p1 / slope;
      x -= change;
      if (std::abs(change) < 1e-18L) break;
    }
    rule.point.push_back(from + (to - from) * (1 + x) / 2);
    rule.weight.push_back((to - from) / ((1 - x * x) * slope * slope));
  }
  return rule;
}

}  // namespace gapkit::test
