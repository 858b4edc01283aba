#define GAPKIT_LOOPS screened_loops_avx512
#include "potentials/screened_loops_body.hpp"
