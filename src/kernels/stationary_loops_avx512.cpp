#define GAPKIT_LOOPS stationary_loops_avx512
#include "kernels/stationary_loops_body.hpp"
