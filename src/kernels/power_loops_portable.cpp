#define GAPKIT_LOOPS power_loops_portable
#include "kernels/power_loops_body.hpp"
