#include "kernels/stationary_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const StationaryLoops stationary_loops_portable;
extern const StationaryLoops stationary_loops_avx2;
extern const StationaryLoops stationary_loops_avx512;

const StationaryLoops& stationary_loops() {
  switch (instruction_set()) {
    case InstructionSet::avx512:
      return stationary_loops_avx512;
    case InstructionSet::avx2:
      return stationary_loops_avx2;
    default:
      return stationary_loops_portable;
  }
}

}  // namespace gapkit
