#pragma once

#include <gapkit/config/toml.hpp>
#include <string>

namespace gapkit {

/// The values of a loop's configuration, one per line, without those that may change when a loop continues (folder, rounds, labels, wall
/// time, memory).
std::string described_document(const TomlValue& document);

}  // namespace gapkit
