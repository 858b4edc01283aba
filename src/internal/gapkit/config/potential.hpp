#pragma once

#include <filesystem>
#include <gapkit/potentials/potential.hpp>

#include "config/section.hpp"

namespace gapkit {

/// The potential of the section's key `kind`, with the parameters of the section. Other keys are refused. Paths are relative to
/// `folder`. Errors name the line.
PotentialPointer read_potential(const Section& section, const PotentialKind& kind, const std::filesystem::path& folder);

}  // namespace gapkit
