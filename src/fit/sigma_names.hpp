#pragma once

#include <set>
#include <string>
#include <vector>

namespace gapkit {

/// A sentence for each key or column that sounds like a sigma of the data, but is not read under its name.
std::vector<std::string> unknown_sigma_names(const std::set<std::string>& fields, const std::set<std::string>& columns);

}  // namespace gapkit
