#pragma once

#include <gapkit/config/toml.hpp>
#include <string>

namespace gapkit {

/// What a loop's configuration says, one value a line, without comments and without what may change when a loop goes on (its folder,
/// rounds, labels and wall time).
std::string described_document(const TomlValue& document);

}  // namespace gapkit
