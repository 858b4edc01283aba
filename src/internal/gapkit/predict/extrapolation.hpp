#pragma once

#include <gapkit/model/covariance.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {

inline constexpr double familiar_grade = 1;  ///< border of the familiar
inline constexpr double far_grade = 2;       ///< above it predictions are hardly worth anything

/// Whether the model has extrapolation thresholds of all these elements.
bool gives_extrapolation(const Model& model, std::span<const int> elements);
/// Throws InputError if the model has no extrapolation thresholds.
void require_extrapolation(const Model& model);
/// Throws InputError also if an element has none; `where` names the structure.
void require_extrapolation(const Model& model, std::span<const int> elements, const std::string& where);

/// Extrapolation grade of an atom from the variance of its local energy: the largest of ν, √(novelty + data) and ν of the full spectrum,
/// each over its threshold (methods.md, section 5). Throws InputError if the element has no thresholds.
double extrapolation_grade(const Model& model, int element, const Variance& local_energy);

}  // namespace gapkit
