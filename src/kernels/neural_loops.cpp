#include "kernels/neural_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const NeuralLoops neural_loops_portable;
extern const NeuralLoops neural_loops_avx2;
extern const NeuralLoops neural_loops_avx512;

const NeuralLoops& neural_loops() {
  switch (instruction_set()) {
    case InstructionSet::avx512:
      return neural_loops_avx512;
    case InstructionSet::avx2:
      return neural_loops_avx2;
    default:
      return neural_loops_portable;
  }
}

}  // namespace gapkit
