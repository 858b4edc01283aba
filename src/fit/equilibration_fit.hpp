#pragma once

#include "fit/property_dataset.hpp"
#include "fit/property_fit.hpp"

namespace gapkit {

/// The fit of electronegativities to charges and dipoles, with the widths and hardness of its elements.
struct EquilibrationFit {
  FitResult result;
  Equilibration equilibration;
};

/// Widths and hardness that the property does not give have one factor of the covalent radii and one value of all elements, which have the
/// largest evidence in a sample of the frames. `options`: of the field. Error bars are not calibrated.
EquilibrationFit fit_equilibration(const Dataset& training, const PropertyOptions& property, const PropertyFacts& facts, FitOptions options,
                                   const FieldFit& of_field, const ProgressCallback& progress);

}  // namespace gapkit
