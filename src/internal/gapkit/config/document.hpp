#pragma once

#include <filesystem>
#include <gapkit/config/config.hpp>

#include "config/section.hpp"

namespace gapkit {

/// The text of a configuration file. Throws InputError if it cannot be read or is too long to be one.
std::string configuration_text(const std::filesystem::path& path);

/// A section of a document; it may be absent.
Section top_section(const TomlValue& document, const std::string& key, const std::string& name);

/// The fit's part of a document that may hold `other_sections` besides, which are left alone.
FitConfiguration fit_options_of(const TomlValue& document, const std::string& name, const std::filesystem::path& folder,
                                const DataFiles& instead, std::span<const std::string> other_sections);

}  // namespace gapkit
