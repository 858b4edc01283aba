#define GAPKIT_LOOPS symmetry_loops_avx512
#include "descriptors/symmetry_loops_body.hpp"
