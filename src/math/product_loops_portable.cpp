#define GAPKIT_LOOPS product_loops_portable
#include "math/product_loops_body.hpp"
