#include "descriptors/soap_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const SoapLoops soap_loops_portable;
extern const SoapLoops soap_loops_avx2;
extern const SoapLoops soap_loops_avx512;

const SoapLoops& soap_loops() {
  switch (instruction_set()) {
    case InstructionSet::avx512:
      return soap_loops_avx512;
    case InstructionSet::avx2:
      return soap_loops_avx2;
    default:
      return soap_loops_portable;
  }
}

}  // namespace gapkit
