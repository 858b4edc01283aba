#pragma once

#include <filesystem>
#include <gapkit/config/toml.hpp>
#include <gapkit/potentials/potential.hpp>

namespace gapkit {

/// Adds the potentials of [[long_range]] to the list. Paths are relative to `folder`. Errors name the line.
void read_long_range(const TomlValue& document, const std::string& name, const std::filesystem::path& folder,
                     std::vector<PotentialPointer>& potentials);

}  // namespace gapkit
