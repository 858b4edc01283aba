#define GAPKIT_LOOPS screened_loops_avx2
#include "potentials/screened_loops_body.hpp"
