#define GAPKIT_LOOPS neural_loops_avx512
#include "kernels/neural_loops_body.hpp"
