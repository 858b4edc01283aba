#pragma once

#include <gapkit/core/types.hpp>
#include <string>

namespace gapkit::test {

/// One line of numbers per row.
Matrix read_table(const std::string& path);

}  // namespace gapkit::test
