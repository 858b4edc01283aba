#pragma once

#include <gapkit/fit/fit.hpp>
#include <optional>

namespace gapkit {

/// Most forces have nothing to do with those of the model that was fitted to them.
bool are_forces_unrelated(const std::vector<LabelAgreement>& agreement);

/// Labels of the property and config types that the fitted model, for all that it was fitted to them, does not explain, worst of all; or
/// nothing. Wrong labels in one place spoil the model elsewhere, hence only one property is named. `mean_difference`: reference minus
/// prediction of the energies of each config type, in eV per atom.
std::optional<std::string> unexplained_labels(const std::vector<LabelAgreement>& agreement,
                                              const std::map<std::string, double>& mean_difference);

}  // namespace gapkit
