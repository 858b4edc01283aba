#pragma once

#include <gapkit/core/errors.hpp>
#include <string>

namespace gapkit {

/// Throws Error unless the arguments of `operation` have shapes that fit.
inline void require_shapes(bool condition, const char* operation) {
  if (!condition) throw Error(std::string("shapes do not fit in ") + operation);
}

}  // namespace gapkit
