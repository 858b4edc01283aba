#include <gapkit/math/instruction_set.hpp>
#include <gapkit/model/row_loops.hpp>

namespace gapkit {

extern const RowLoops row_loops_portable;
extern const RowLoops row_loops_avx2;
extern const RowLoops row_loops_avx512;

const RowLoops& row_loops() {
  return loops_in_use(row_loops_portable, row_loops_avx2, row_loops_avx512);
}

}  // namespace gapkit
