#include <gapkit/math/instruction_set.hpp>
#include <gapkit/model/row_loops.hpp>

namespace gapkit {

extern const RowLoops row_loops_portable;
extern const RowLoops row_loops_avx2;
extern const RowLoops row_loops_avx512;

const RowLoops& row_loops() {
  switch (instruction_set()) {
    case InstructionSet::avx512:
      return row_loops_avx512;
    case InstructionSet::avx2:
      return row_loops_avx2;
    default:
      return row_loops_portable;
  }
}

}  // namespace gapkit
