#include "math/product_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const ProductLoops product_loops_portable;
extern const ProductLoops product_loops_avx2;
extern const ProductLoops product_loops_avx512;

const ProductLoops& product_loops() {
  return loops_in_use(product_loops_portable, product_loops_avx2, product_loops_avx512);
}

}  // namespace gapkit
