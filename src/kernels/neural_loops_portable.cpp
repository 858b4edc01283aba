#define GAPKIT_LOOPS neural_loops_portable
#include "kernels/neural_loops_body.hpp"
