#pragma once

#include <gapkit/core/communicator.hpp>

namespace gapkit {

/// Work of a process other than rank 0: kernel rows, whitening and sums of the frames that rank 0 sends in each pass over data (methods.md,
/// section 4). Returns once rank 0 calls end_serving(). Errors go to rank 0, which throws them.
void serve_rows(Communicator& communicator);

/// Rank 0: the other processes leave serve_rows().
void end_serving(Communicator& communicator);

}  // namespace gapkit
