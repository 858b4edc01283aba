#include "descriptors/soap_loops.hpp"

#include <gapkit/math/instruction_set.hpp>

namespace gapkit {

extern const SoapLoops soap_loops_portable;
extern const SoapLoops soap_loops_avx2;
extern const SoapLoops soap_loops_avx512;

const SoapLoops& soap_loops() {
  return loops_in_use(soap_loops_portable, soap_loops_avx2, soap_loops_avx512);
}

}  // namespace gapkit
