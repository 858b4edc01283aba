#pragma once

#include <gapkit/config/config.hpp>
#include <gapkit/config/toml.hpp>

namespace gapkit {

/// Replaces or adds one value in a configuration. Throws InputError if the key names an unknown section or [[term]].
void apply_override(TomlValue& document, const ConfigurationOverride& change);

}  // namespace gapkit
