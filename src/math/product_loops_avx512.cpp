#define GAPKIT_LOOPS product_loops_avx512
#include "math/product_loops_body.hpp"
