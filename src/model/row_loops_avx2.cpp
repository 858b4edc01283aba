#define GAPKIT_LOOPS row_loops_avx2
#include "model/row_loops_body.hpp"
