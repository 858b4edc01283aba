#define GAPKIT_LOOPS power_loops_avx2
#include "kernels/power_loops_body.hpp"
