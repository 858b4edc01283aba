#define GAPKIT_LOOPS symmetry_loops_portable
#include "descriptors/symmetry_loops_body.hpp"
