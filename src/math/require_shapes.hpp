#pragma once

#include <gapkit/core/errors.hpp>
#include <string>

namespace gapkit {

/// Throws Error unless `condition` holds: the shapes of the arguments of `operation` are consistent.
inline void require_shapes(bool condition, const char* operation) {
  if (!condition) throw Error(std::string("shapes do not fit in ") + operation);
}

}  // namespace gapkit
