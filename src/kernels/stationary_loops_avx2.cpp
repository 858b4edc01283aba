#define GAPKIT_LOOPS stationary_loops_avx2
#include "kernels/stationary_loops_body.hpp"
