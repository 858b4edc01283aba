#include "descriptors/symmetry_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const SymmetryLoops symmetry_loops_portable;
extern const SymmetryLoops symmetry_loops_avx2;
extern const SymmetryLoops symmetry_loops_avx512;

const SymmetryLoops& symmetry_loops() {
  return loops_in_use(symmetry_loops_portable, symmetry_loops_avx2, symmetry_loops_avx512);
}

}  // namespace gapkit
