#include "kernels/stationary_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const StationaryLoops stationary_loops_portable;
extern const StationaryLoops stationary_loops_avx2;
extern const StationaryLoops stationary_loops_avx512;

const StationaryLoops& stationary_loops() {
  return loops_in_use(stationary_loops_portable, stationary_loops_avx2, stationary_loops_avx512);
}

}  // namespace gapkit
