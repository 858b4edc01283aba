#include "potentials/screened_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const ScreenedLoops screened_loops_portable;
extern const ScreenedLoops screened_loops_avx2;
extern const ScreenedLoops screened_loops_avx512;

const ScreenedLoops& screened_loops() {
  return loops_in_use(screened_loops_portable, screened_loops_avx2, screened_loops_avx512);
}

}  // namespace gapkit
