#pragma once

#include <gapkit/active/options.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// What was seen of a structure when it was labelled, before the model learnt it: sums over its force components.
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

/// a and b of largest likelihood for normal errors, on a grid; a = b = 1 without points.
ErrorScale calibrated(const std::vector<CalibrationPoint>& points);

/// Error bars above `value` are worth a label, above `upper` the model knows nothing.
struct Threshold {
  double value = 0, upper = 0;  ///< in the unit of the quantity
  ErrorScale scale;
};

/// The threshold of a round. `previous`: that of the round before, if there was one.
Threshold threshold_of(const ThresholdOptions& options, const Model& model, const std::vector<CalibrationPoint>& points,
                       const std::optional<Threshold>& previous);

/// What a user must know of a threshold that depends on σ or on errors: that σ is a root mean square of σ given with the data, or that no
/// labelled force was there to calibrate error bars with. Empty if there is nothing to say.
std::string threshold_remark(const ThresholdOptions& options, const Model& model, const std::vector<CalibrationPoint>& points);

/// What is asked of a predictor to have the error bar of a quantity.
PredictionRequest request_of(ThresholdOptions::Quantity quantity);
/// The largest epistemic std of a force component or local energy, or that of the total energy per atom.
double error_bar(const Prediction& prediction, ThresholdOptions::Quantity quantity);

}  // namespace gapkit
