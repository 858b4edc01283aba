#pragma once

#include <gapkit/fit/options.hpp>

namespace gapkit {

/// Takes out the tensors, and the properties on which no potential of the options depends: a fit for its energies does without them.
void keep_needed_properties(FitOptions& options);

/// Throws InputError, which begins with `where`, if a potential depends on a property that the options do not have.
void check_needed_properties(const FitOptions& options, const std::string& where);

}  // namespace gapkit
