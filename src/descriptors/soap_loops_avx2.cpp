#define GAPKIT_LOOPS soap_loops_avx2
#define GAPKIT_LOOPS_NAME "AVX2"
#include "descriptors/soap_loops_body.hpp"
