#define GAPKIT_LOOPS product_loops_avx2
#include "math/product_loops_body.hpp"
