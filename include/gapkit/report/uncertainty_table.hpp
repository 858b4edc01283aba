#pragma once

#include <cstdint>
#include <gapkit/core/types.hpp>
#include <gapkit/predict/predictor.hpp>
#include <map>
#include <vector>

namespace gapkit {

/// Errors with the error bars that were predicted for them, in any unit; one entry per number that was compared.
struct ErrorsWithBars {
  std::vector<double> error;   ///< prediction − reference
  std::vector<double> std;     ///< predicted standard deviation of it
  std::vector<int> structure;  ///< index of the structure that the entry belongs to, from 0: the unit of the bootstrap

  void add(double e, double s, int index) {
    error.push_back(e);
    std.push_back(s);
    structure.push_back(index);
  }
  std::size_t size() const { return error.size(); }
};

/// The same for vectors (forces of atoms).
struct VectorErrorsWithBars {
  std::vector<Vector3> error, std;
  std::vector<int> structure;

  void add(const Vector3& e, const Vector3& s, int index) {
    error.push_back(e);
    std.push_back(s);
    structure.push_back(index);
  }
  std::size_t size() const { return error.size(); }
};

/// A number with its 95 % interval by bootstrap over structures (percentiles). NaN where it is not defined (no data; one structure).
struct Estimate {
  double value = 0, low = 0, high = 0;

  bool contains(double x) const { return low <= x && x <= high; }
};

struct BootstrapOptions {
  int resamples = 1000;  ///< fewer (at least 200) where there are more than 100,000 entries
  std::uint64_t seed = 0;
};

/// A fifth of the entries, sorted by std.
struct StdBin {
  long count = 0;
  double std = 0;   ///< root mean square of the predicted stds
  double rmse = 0;  ///< of the errors; equal to `std` if the error bars are right
  Estimate zms;
};

/// How good error bars are (methods.md, section 5). z = error/std; a perfect model has z ~ N(0, 1).
struct UncertaintyMetrics {
  static constexpr int bin_count = 5;

  long count = 0;            ///< entries
  long without_bar = 0;      ///< entries with std = 0: left out of everything
  long structures = 0;       ///< that have entries
  Estimate zms;              ///< ⟨z²⟩; 1 is right, above 1: too confident
  std::vector<StdBin> bins;  ///< five of equal count by increasing std; none below 10 entries
  Estimate nll;              ///< mean of ½ log 2π std² + ½ z², per entry
  double constant_std = 0;   ///< best constant error bar: the RMSE of these very errors
  double constant_nll = 0;
  Estimate nll_difference;          ///< nll − constant_nll; below 0: the error bars say more than one number for all
  Estimate coverage68, coverage95;  ///< fraction with |z| ≤ 1 (0.683 is right) and ≤ 1.96 (0.95)
  Estimate miscalibration_area;     ///< ∫ |observed(p) − p| dp over the central intervals; 0 is right, 0.5 the worst
  Estimate sharpness;               ///< root mean square of std, in the unit of the data
  Estimate spearman;                ///< rank correlation ρ(|error|, std)
  Estimate perfect_spearman;        ///< the ρ if the errors were drawn from N(0, std²): what a perfect model can reach with these std
};

/// Of vectors: error |Δ| against √(Σ std²).
struct VectorUncertaintyMetrics {
  long count = 0, without_bar = 0, structures = 0;
  Estimate zms;  ///< ⟨|Δ|² / Σ std²⟩
  Estimate sharpness;
  Estimate spearman, perfect_spearman;
};

/// Throws InputError for arrays of different lengths, NumericalError for NaN, infinity or a negative std.
/// Equal input gives equal output. Cost: sorting, and two passes over the entries for each resample.
UncertaintyMetrics uncertainty_metrics(const ErrorsWithBars& data, const BootstrapOptions& options = {});
VectorUncertaintyMetrics uncertainty_metrics(const VectorErrorsWithBars& data, const BootstrapOptions& options = {});

/// Fraction of the entries within the central interval of each probability: the calibration curve. `levels` in [0, 1].
std::vector<double> observed_fractions(const ErrorsWithBars& data, const std::vector<double>& levels);

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
