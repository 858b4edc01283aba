#include "resources.hpp"

#include <sys/resource.h>

namespace gapkit::apps {

double peak_memory_gb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024e-9;  // Linux counts in KiB
}

}  // namespace gapkit::apps
