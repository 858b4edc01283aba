#define GAPKIT_LOOPS screened_loops_portable
#include "potentials/screened_loops_body.hpp"
