#define GAPKIT_LOOPS symmetry_loops_avx2
#include "descriptors/symmetry_loops_body.hpp"
