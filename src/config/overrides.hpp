#pragma once

#include <gapkit/config/config.hpp>
#include <gapkit/config/toml.hpp>

namespace gapkit {

/// Replaces or adds one value in a configuration. Throws InputError if the key names no section or no [[term]] that is there.
void apply_override(TomlValue& document, const ConfigurationOverride& change);

}  // namespace gapkit
