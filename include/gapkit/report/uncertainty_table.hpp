#pragma once

#include <gapkit/predict/predictor.hpp>
#include <gapkit/report/uncertainty_metrics.hpp>
#include <map>

namespace gapkit {

/// Errors and error bars of predictions against reference values, per config type and in all.
///
/// Energy in meV/atom (one entry per frame), forces in eV/Å (one per component, and one vector per atom), stress in GPa (six per frame).
/// Components that symmetry makes zero (TargetInfo::vanishes) are counted and left out: they are zero whatever the model.
class UncertaintyTable {
 public:
  struct Rows {
    PerTarget<ErrorsWithBars> rows;
    PerTarget<VectorErrorsWithBars> vectors;  ///< of atoms, of targets with TargetInfo::shown.vectors
    PerTarget<long> vanishing;                ///< rows that are left out

    bool empty() const;
  };
  struct Metrics {
    PerTarget<UncertaintyMetrics> rows;
    PerTarget<VectorUncertaintyMetrics> vectors;
    PerTarget<long> vanishing;
  };

  /// What the prediction has error bars for and the frame has targets of. Masked forces are left out.
  void add(const Structure& frame, const Prediction& prediction);

  bool empty() const { return all_.empty(); }
  const std::map<std::string, Rows>& config_types() const { return config_types_; }
  const Rows& all() const { return all_; }
  static Metrics metrics(const Rows& rows, const BootstrapOptions& options = {});

  /// Aligned columns with a heading, properties in all with 95 % intervals, then ZMS and coverage per config type if there are several.
  /// `calibration`: what the heading says about them, such as "calibrated".
  std::string text(const std::string& calibration) const;
  /// {"all": {"energy": {…}, "forces": …, "atoms": …, "stress": …}, "config_types": {name: …}, "units": …}: every number of the metrics
  /// with its interval; null where a number is not defined.
  std::string json() const;

 private:
  std::map<std::string, Rows> config_types_;
  Rows all_;
  int frames_ = 0;
};

}  // namespace gapkit
