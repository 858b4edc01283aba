#include "kernels/power_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const PowerLoops power_loops_portable;
extern const PowerLoops power_loops_avx2;
extern const PowerLoops power_loops_avx512;

const PowerLoops& power_loops() {
  return loops_in_use(power_loops_portable, power_loops_avx2, power_loops_avx512);
}

}  // namespace gapkit
