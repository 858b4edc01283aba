#include "descriptors/symmetry_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const SymmetryLoops symmetry_loops_portable;
extern const SymmetryLoops symmetry_loops_avx2;
extern const SymmetryLoops symmetry_loops_avx512;

const SymmetryLoops& symmetry_loops() {
  switch (instruction_set()) {
    case InstructionSet::avx512:
      return symmetry_loops_avx512;
    case InstructionSet::avx2:
      return symmetry_loops_avx2;
    default:
      return symmetry_loops_portable;
  }
}

}  // namespace gapkit
