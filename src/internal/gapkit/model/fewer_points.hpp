#pragma once

#include <gapkit/model/model.hpp>

namespace gapkit {

/// The model of the first sparse points of each term, about `points` in all, fitted to the same data with the same σ: the result of
/// a fit with these points only, computed without the data. Its error bars cost `points`/M as much; they are wider, because its span is
/// smaller.
///
/// K_MM = L Lᵀ and A lose their last rows and columns: L of the first points is the first block of L, and so are statistics and A in
/// whitened form. Selections choose the most important points first ("variance" exactly so).
/// Throws InputError if the model has no posterior, or if points is below 1 or above the number of points of the model. Cost: points² M
/// flop.
Model with_fewer_points(const Model& model, int points);

/// Throws InputError unless a model can have error bars of this number of points.
void check_points(const Model& model, int points);

/// Whether error bars with these factors always take all points: those of energies and virials by J.
bool keeps_all_points(const CalibrationFactors& factors);

/// The number of points below all for which the calibration has factors of the forces, for bars in molecular dynamics and searches: a
/// quarter. 0 if there is none: then error bars take all points.
int quick_points(const Model& model);

/// The factors that hold for error bars of a number of points (0: all): those of this number, and those of targets that keep all points
/// (keeps_all_points()). Absent if there are none: all error bars are uncalibrated.
std::optional<Calibration> calibration_of_points(const Model& model, int points);

}  // namespace gapkit
