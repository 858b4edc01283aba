#pragma once

#include <gapkit/fit/fit.hpp>
#include <optional>

namespace gapkit {

/// True if most forces are unrelated to the predictions of the model that was fitted to them.
bool are_forces_unrelated(const std::vector<LabelAgreement>& agreement);

/// The labels that the model, fitted to them, explains worst, by property and config types; absent if it explains all. Wrong labels of one
/// property spoil the model for others, hence only one property is named. `mean_difference`: reference minus
/// prediction of the energies of each config type, in eV per atom.
std::optional<std::string> unexplained_labels(const std::vector<LabelAgreement>& agreement,
                                              const std::map<std::string, double>& mean_difference);

}  // namespace gapkit
