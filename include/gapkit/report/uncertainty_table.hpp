#pragma once

#include <gapkit/predict/predictor.hpp>
#include <gapkit/report/uncertainty_metrics.hpp>
#include <map>

namespace gapkit {

/// Errors and error bars of predictions against reference values, per config type and in all.
///
/// Energy in meV/atom (one entry per frame), forces in eV/Å (one per component, and one vector per atom), stress in GPa (six per frame).
/// Components of force and stress that symmetry makes zero (prediction, reference and epistemic std below 1e-5 eV/Å; 1e-4 eV for the
/// virial) are counted and left out: they are zero whatever the model.
class UncertaintyTable {
 public:
  struct Rows {
    ErrorsWithBars energy, forces, stress;
    VectorErrorsWithBars atoms;
    long vanishing_forces = 0, vanishing_stresses = 0;

    bool empty() const { return energy.size() + forces.size() + stress.size() == 0; }
  };
  struct Metrics {
    UncertaintyMetrics energy, forces, stress;
    VectorUncertaintyMetrics atoms;
    long vanishing_forces = 0, vanishing_stresses = 0;
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
