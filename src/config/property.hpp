#pragma once

#include <gapkit/config/document.hpp>
#include <gapkit/fit/options.hpp>

#include "config/section.hpp"

namespace gapkit {

/// The tables of terms behind the entry `term` of a section or document. `label`: "[[term]]" or "[[property.term]]". Throws InputError
/// if they are no list of tables.
std::vector<TermOptions> read_terms(const TomlEntry& entry, const std::string& label, const std::string& file,
                                    const std::filesystem::path& folder);

/// Throws InputError if the name of a prediction has other characters than letters, digits and '_', or is one of other predictions.
void check_predicted_name(const Section& section, const std::string& name);

/// All [[property]] of a document.
std::vector<PropertyOptions> read_properties(const TomlValue& document, const std::string& file, const std::filesystem::path& folder);

}  // namespace gapkit
