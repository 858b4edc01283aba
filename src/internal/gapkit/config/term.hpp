#pragma once

#include <filesystem>
#include <gapkit/fit/options.hpp>

#include "config/section.hpp"

namespace gapkit {

/// One [[term]]; its name stays empty if the configuration gives none. `folder`: what sparse files are relative to.
TermOptions read_term(const Section& section, const std::filesystem::path& folder);

/// The parameters of a kind as the section gives them, complete.
Parameters read_parameters(const Section& section, const std::vector<ParameterInfo>& infos);

/// Gives nameless terms the name of their descriptor, with a number from the second on, and refuses names used twice.
void name_terms(std::vector<TermOptions>& terms, const std::vector<Section>& sections);

}  // namespace gapkit
