#define GAPKIT_LOOPS stationary_loops_portable
#include "kernels/stationary_loops_body.hpp"
