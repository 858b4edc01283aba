// Included by power_loops_*.cpp, each compiled for its own instruction set; no headers with inline functions here.

#include <gapkit/math/lanes.hpp>

#include "kernels/power_loops.hpp"

namespace gapkit {
namespace {

using lanes::Pack;
using lanes::store;
constexpr int W = lanes::width;

// Square and multiply.
template <class Number>
void raise(const Number& number, int exponent, Number& result) {
  Number base = number;
  result = base - base + 1.0;
  while (true) {
    if (exponent & 1) result *= base;
    exponent >>= 1;
    if (exponent == 0) return;
    base *= base;
  }
}

template <class Number>
inline __attribute__((always_inline)) void step(int zeta, const Number& w, const Number& s, Number& sum, Number& slope, Number& value) {
  Number power;
  if (zeta == 4)
    power = s * s * s;
  else if (zeta == 2)
    power = s;
  else
    raise(s, zeta - 1, power);
  const Number weighted = w * power;
  value = power * s;
  sum += weighted * s;
  slope = static_cast<double>(zeta) * weighted;
}

}  // namespace
}  // namespace gapkit

#include "kernels/power_tiles_body.hpp"

namespace gapkit {

extern const PowerLoops GAPKIT_LOOPS;
const PowerLoops GAPKIT_LOOPS = {W, tile_width, group_width, block_rows, power_scratch, evaluate_powers};

}  // namespace gapkit
