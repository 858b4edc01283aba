#include "potentials/screened_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const ScreenedLoops screened_loops_portable;
extern const ScreenedLoops screened_loops_avx2;
extern const ScreenedLoops screened_loops_avx512;

const ScreenedLoops& screened_loops() {
  switch (instruction_set()) {
    case InstructionSet::avx512:
      return screened_loops_avx512;
    case InstructionSet::avx2:
      return screened_loops_avx2;
    default:
      return screened_loops_portable;
  }
}

}  // namespace gapkit
