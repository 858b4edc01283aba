#pragma once

#include <gapkit/sparsify/selection.hpp>

namespace gapkit {

// The table guarantees before it calls a method: 1 ≤ count ≤ candidates, finite numbers, arrays of equal length.
SelectionKind cur_kind();
SelectionKind cur_deterministic_kind();
SelectionKind fps_kind();
SelectionKind random_kind();
SelectionKind uniform_kind();
SelectionKind variance_kind();

}  // namespace gapkit
