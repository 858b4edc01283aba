#define GAPKIT_LOOPS soap_loops_avx512
#define GAPKIT_LOOPS_NAME "AVX-512"
#include "descriptors/soap_loops_body.hpp"
