#pragma once

namespace gapkit::apps {

/// Peak memory of this process, GB (10⁹ bytes).
double peak_memory_gb();

/// CPU seconds of this process up to now, user and system, all threads.
double cpu_seconds();

}  // namespace gapkit::apps
