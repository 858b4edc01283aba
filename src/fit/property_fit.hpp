#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// A fit of a field to frames that need no examination.
using FieldFit = std::function<FitResult(const Dataset& data, const FitOptions& options, const ProgressCallback& progress)>;

/// The usual one.
FitResult fit_field(const Dataset& data, const FitOptions& options, const ProgressCallback& progress);

struct FittedProperties {
  std::vector<FittedProperty> properties;
  std::vector<PropertyReport> reports;
};

/// Fits the local properties of options.properties to the training data, one after the other (methods.md, section 8). Each is a fit of its
/// own: targets, means of the elements, terms, sparse points, σ, evidence, error bars. Throws InputError if no frame has a target of a
/// property, or if an element of the training data has no value of it.
FittedProperties fit_properties(const Dataset& training, const FitOptions& options, const FieldFit& of_field,
                                const ProgressCallback& progress);

/// The mistakes and warnings of the properties' targets, without fits.
std::vector<CheckFinding> check_properties(const Dataset& training, const FitOptions& options);

}  // namespace gapkit
