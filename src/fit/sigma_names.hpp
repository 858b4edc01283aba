#pragma once

#include <set>
#include <string>
#include <vector>

namespace gapkit {

/// A sentence for each key or column with a name like a sigma of the data that is not read.
std::vector<std::string> unknown_sigma_names(const std::set<std::string>& fields, const std::set<std::string>& columns);

}  // namespace gapkit
