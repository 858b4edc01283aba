#include "kernels/neural_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const NeuralLoops neural_loops_portable;
extern const NeuralLoops neural_loops_avx2;
extern const NeuralLoops neural_loops_avx512;

const NeuralLoops& neural_loops() {
  return loops_in_use(neural_loops_portable, neural_loops_avx2, neural_loops_avx512);
}

}  // namespace gapkit
