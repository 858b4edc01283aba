#define GAPKIT_LOOPS neural_loops_avx2
#include "kernels/neural_loops_body.hpp"
