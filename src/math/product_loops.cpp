#include "math/product_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const ProductLoops product_loops_portable;
extern const ProductLoops product_loops_avx2;
extern const ProductLoops product_loops_avx512;

const ProductLoops& product_loops() {
  switch (instruction_set()) {
    case InstructionSet::avx512:
      return product_loops_avx512;
    case InstructionSet::avx2:
      return product_loops_avx2;
    default:
      return product_loops_portable;
  }
}

}  // namespace gapkit
