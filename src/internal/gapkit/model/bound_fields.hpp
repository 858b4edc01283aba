#pragma once

#include <gapkit/model/model.hpp>
#include <gapkit/potentials/atom_field.hpp>

namespace gapkit {

/// A fitted property as potentials see it. Cost of the first call of each thread: that of preparing its terms for prediction.
AtomFieldPointer field_of(const FittedProperty& property);

/// Gives each potential that depends on a local property the fitted field of this name; a potential that has one keeps it. Throws
/// InputError, which begins with `where`, if there is no such property.
void bind_fields(std::vector<PotentialPointer>& potentials, std::span<const FittedProperty> properties, const std::string& where = "");

}  // namespace gapkit
