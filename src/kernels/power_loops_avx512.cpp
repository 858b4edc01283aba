#define GAPKIT_LOOPS power_loops_avx512
#include "kernels/power_loops_body.hpp"
