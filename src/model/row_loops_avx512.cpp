#define GAPKIT_LOOPS row_loops_avx512
#include "model/row_loops_body.hpp"
