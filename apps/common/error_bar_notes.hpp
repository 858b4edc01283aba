#pragma once

#include <gapkit/predict/predictor.hpp>
#include <limits>

namespace gapkit::apps {

/// Calibration of the requested error bars: "calibrated", "uncalibrated", "raw" (the request excludes it), or, if the model has factors
/// for a part of them, a text such as "calibrated: energy force; uncalibrated: stress". Bars of local energies are epistemic only:
/// uncalibrated. `points`: sparse points of the error bars, 0: all.
std::string calibration_state(const Model& model, const PredictionRequest& request, int points = 0);
/// The same as a sentence.
std::string calibration_message(const Model& model, const PredictionRequest& request, int points = 0);

/// What the requested error bars lack of the uncertainty of local properties on which the energy depends (learned charges); empty if
/// nothing.
std::string learned_part_note(const Model& model, const PredictionRequest& request);

/// Where the structures of a calibration come from, for brackets.
const char* calibration_source_text(const Calibration& calibration);
/// Properties without factors in a calibration: "", "virial", "force, virial".
std::string uncalibrated_properties(const Calibration& calibration);

/// Collects the origin of the noise in predicted error bars, for one message at the end.
class NoiseNote {
 public:
  explicit NoiseNote(const Model& model) : model_(model) {}
  void look_at(const Structure& frame, const Prediction& prediction);
  /// Names the properties whose noise is the root mean square of σ given with the training data, with the values; empty if there are
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

/// Compares the error bars from fewer points with those from all points in a frame.
std::string reduction_text(const std::shared_ptr<const Model>& model, const Structure& frame, const PredictionRequest& request,
                           const Prediction& reduced);

}  // namespace gapkit::apps
