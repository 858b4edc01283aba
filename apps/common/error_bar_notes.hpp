#pragma once

#include <gapkit/predict/predictor.hpp>
#include <limits>

namespace gapkit::apps {

/// What the calibration of a model does for the error bars that were asked for: "calibrated", "uncalibrated", "raw" (not asked for), or,
/// if it has factors for some of them only, such as "calibrated: energy force; uncalibrated: stress". Bars of local energies are
/// epistemic only: uncalibrated.
std::string calibration_state(const Model& model, const PredictionRequest& request);
/// The same as a sentence.
std::string calibration_message(const Model& model, const PredictionRequest& request);

/// Properties that a calibration has no factors for: "", "virial", "force, virial".
std::string uncalibrated_properties(const Calibration& calibration);

/// Gathers where the noise of predicted error bars came from, to say so once at the end.
class NoiseNote {
 public:
  explicit NoiseNote(const Model& model) : model_(model) {}
  void look_at(const Structure& frame, const Prediction& prediction);
  /// Names the properties whose noise is the root mean square of σ that came with the training data, with its values; empty if there are
  /// none.
  std::string given_rows() const;
  /// Names the properties without noise; empty if there are none.
  std::string no_noise() const;

 private:
  struct Seen {
    double smallest = std::numeric_limits<double>::infinity(), largest = 0;
    bool has_none = false;
  };
  const Model& model_;
  PerTarget<Seen> seen_;
};

}  // namespace gapkit::apps
