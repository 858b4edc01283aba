#pragma once

#include <cstdint>
#include <gapkit/model/statistics.hpp>
#include <optional>

namespace gapkit {

/// What turns a posterior variance into the square of an error bar: std² = a²·epistemic + b²·σ_g² h² (methods.md, section 5).
struct CalibrationFactors {
  Property property = Property::energy;
  std::string config_class = "default";   ///< a config type with factors of its own, or "default" for all others
  double a = 1, b = 1;                    ///< ≥ 0
  std::int64_t rows = 0, structures = 0;  ///< held out, that these factors were found from
};

/// Calibration of a model's error bars. Properties without factors keep a = b = 1 and are uncalibrated.
struct Calibration {
  std::vector<CalibrationFactors> factors;
  std::string source;  ///< "holdout" (set aside before the fit and added afterwards) or "validation"

  /// Whether there are factors for a property: otherwise its error bars are uncalibrated.
  bool covers(Property property) const { return find(property, "default") != nullptr; }

  /// Those of the config type, else the default ones; null if the property has none.
  const CalibrationFactors* find(Property property, const std::string& config_type) const {
    const CalibrationFactors* chosen = nullptr;
    for (const CalibrationFactors& f : factors) {
      if (f.property != property) continue;
      if (f.config_class == config_type) return &f;
      if (f.config_class == "default") chosen = &f;
    }
    return chosen;
  }
};

}  // namespace gapkit
