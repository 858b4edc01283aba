#include "kernels/power_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const PowerLoops power_loops_portable;
extern const PowerLoops power_loops_avx2;
extern const PowerLoops power_loops_avx512;

const PowerLoops& power_loops() {
  switch (instruction_set()) {
    case InstructionSet::avx512:
      return power_loops_avx512;
    case InstructionSet::avx2:
      return power_loops_avx2;
    default:
      return power_loops_portable;
  }
}

}  // namespace gapkit
