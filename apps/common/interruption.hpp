#pragma once

#include <gapkit/core/progress.hpp>

namespace gapkit::apps {

/// After this call the first SIGINT (Ctrl-C) or SIGTERM only sets caught_signal(); a second one ends the program.
void catch_signals();

/// The signal that arrived, or 0.
int caught_signal();

/// Passes events on to `inner` and throws Interrupted once a signal has arrived.
ProgressCallback interruptible(ProgressCallback inner);

}  // namespace gapkit::apps
