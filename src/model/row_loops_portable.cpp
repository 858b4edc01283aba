#define GAPKIT_LOOPS row_loops_portable
#include "model/row_loops_body.hpp"
