#define GAPKIT_LOOPS soap_loops_portable
#define GAPKIT_LOOPS_NAME "baseline"
#include "descriptors/soap_loops_body.hpp"
