#pragma once

#include <filesystem>
#include <gapkit/config/toml.hpp>
#include <gapkit/fit/options.hpp>

namespace gapkit {

/// All [[tensor]] of a document. `properties`: their names are taken.
std::vector<TensorOptions> read_tensors(const TomlValue& document, const std::string& file, const std::filesystem::path& folder,
                                        const std::vector<PropertyOptions>& properties);

}  // namespace gapkit
