#pragma once

#include <filesystem>
#include <gapkit/potentials/potential.hpp>

#include "config/section.hpp"

namespace gapkit {

/// The potential that the section's key `kind` names, with the parameters that the section gives. Other keys than these are refused.
/// `folder`: what a file of tables is relative to. Errors name the line.
PotentialPointer read_potential(const Section& section, const PotentialKind& kind, const std::filesystem::path& folder);

}  // namespace gapkit
