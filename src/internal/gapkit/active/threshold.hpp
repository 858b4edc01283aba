#pragma once

#include <gapkit/active/options.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// Errors of a model on a labelled structure that it was not fitted to: sums over force components.
struct CalibrationPoint {
  double count = 0;      ///< force components
  double error = 0;      ///< Σ (predicted − label)², (eV/Å)²
  double epistemic = 0;  ///< Σ std²
  double noise = 0;      ///< Σ σ_F²
  double bar = 0;        ///< the error bar of the threshold's quantity
};

/// std² = a² · epistemic + b² · noise.
struct ErrorScale {
  double a = 1, b = 1;
};

/// a and b of the latest points by calibrate(), with one row of root mean squares for each structure; a = b = 1 without points.
ErrorScale error_scale(const std::vector<CalibrationPoint>& points);

/// Structures with error bars above `value` are proposed; above `upper` a prediction is useless.
struct Threshold {
  double value = 0, upper = 0;  ///< in the unit of the quantity
  ErrorScale scale;
};

/// The threshold of a round. `previous`: threshold of the previous round, if there was one.
Threshold threshold_of(const ThresholdOptions& options, const Model& model, const std::vector<CalibrationPoint>& points,
                       const std::optional<Threshold>& previous);

/// A message about a threshold that depends on σ or on errors: σ is a root mean square of σ given with the data, or there are no labelled
/// forces to calibrate error bars with. Empty otherwise.
std::string threshold_remark(const ThresholdOptions& options, const Model& model, const std::vector<CalibrationPoint>& points);

/// The sparse points of the error bars: for forces the quarter that the calibration knows, unless all are wanted. 0: all.
int error_bar_points(const ThresholdOptions& options, const Model& model);
/// The request for the error bar of a quantity.
PredictionRequest request_of(ThresholdOptions::Quantity quantity);
/// The largest epistemic std of a force component or local energy, the epistemic std of the total energy per atom, or the largest
/// extrapolation grade of an atom.
double error_bar(const Prediction& prediction, ThresholdOptions::Quantity quantity);

}  // namespace gapkit
