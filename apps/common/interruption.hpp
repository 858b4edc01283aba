#pragma once

#include <gapkit/core/progress.hpp>

namespace gapkit::apps {

/// From here on SIGINT (Ctrl-C) and SIGTERM do not end the program at once: the callback below notices them. A second one does.
void catch_signals();

/// The signal that arrived, or 0.
int caught_signal();

/// Passes events on to `inner` and throws Interrupted once a signal has arrived.
ProgressCallback interruptible(ProgressCallback inner);

}  // namespace gapkit::apps
