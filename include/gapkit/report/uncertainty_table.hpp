#pragma once

#include <cstdint>
#include <gapkit/core/types.hpp>
#include <gapkit/predict/predictor.hpp>
#include <map>
#include <vector>

namespace gapkit {

/// Errors and their predicted error bars, in any unit; one entry per compared number.
struct ErrorsWithBars {
  std::vector<double> error;   ///< prediction − reference
  std::vector<double> std;     ///< predicted standard deviation of the error
  std::vector<int> structure;  ///< index of the structure of the entry, from 0; the bootstrap draws structures

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

/// A number with its 95 % interval by bootstrap over structures (percentiles). NaN if undefined (no data; one structure).
struct Estimate {
  double value = 0, low = 0, high = 0;

  bool contains(double x) const { return low <= x && x <= high; }
};

struct BootstrapOptions {
  int resamples = 1000;  ///< fewer (at least 200) for more than 100,000 entries
  std::uint64_t seed = 0;
};

/// A fifth of the entries, sorted by std.
struct StdBin {
  long count = 0;
  double std = 0;   ///< root mean square of the predicted stds
  double rmse = 0;  ///< of the errors; equal to `std` if the error bars are right
  Estimate zms;
};

/// Metrics of error bars (methods.md, section 5). z = error/std; a perfect model has z ~ N(0, 1).
struct UncertaintyMetrics {
  static constexpr int bin_count = 5;

  long count = 0;            ///< entries
  long without_bar = 0;      ///< entries with std = 0, which all metrics leave out
  long structures = 0;       ///< structures with entries
  Estimate zms;              ///< ⟨z²⟩; 1 is right, above 1: too confident
  std::vector<StdBin> bins;  ///< five of equal count by increasing std; none below 10 entries
  Estimate nll;              ///< mean of ½ log 2π std² + ½ z², per entry
  double constant_std = 0;   ///< best constant error bar: the RMSE of these errors
  double constant_nll = 0;
  Estimate nll_difference;          ///< nll − constant_nll; below 0: the error bars are better than one number for all
  Estimate coverage68, coverage95;  ///< fraction with |z| ≤ 1 (0.683 is right) and ≤ 1.96 (0.95)
  Estimate miscalibration_area;     ///< ∫ |observed(p) − p| dp over the central intervals; 0 is right, 0.5 the worst
  Estimate sharpness;               ///< root mean square of std, in the unit of the data
  Estimate spearman;                ///< rank correlation ρ(|error|, std)
  Estimate perfect_spearman;        ///< ρ of errors drawn from N(0, std²): the best value for these std
};

/// Metrics of vectors: error |Δ| against √(Σ std²).
struct VectorUncertaintyMetrics {
  long count = 0, without_bar = 0, structures = 0;
  Estimate zms;  ///< ⟨|Δ|² / Σ std²⟩
  Estimate sharpness;
  Estimate spearman, perfect_spearman;
};

/// Throws InputError for arrays of different lengths, NumericalError for NaN, infinity or a negative std.
/// Equal input gives equal output. Cost: a sort, and two passes over the entries for each resample.
UncertaintyMetrics uncertainty_metrics(const ErrorsWithBars& data, const BootstrapOptions& options = {});
VectorUncertaintyMetrics uncertainty_metrics(const VectorErrorsWithBars& data, const BootstrapOptions& options = {});

/// Fraction of the entries within the central interval of each probability: the calibration curve. `levels` in [0, 1].
std::vector<double> observed_fractions(const ErrorsWithBars& data, const std::vector<double>& levels);

/// Errors and error bars of predictions against reference values, per config type and over all frames.
///
/// Energy in meV/atom (one entry per frame), forces in eV/Å (one per component, and one vector per atom), stress in GPa (six per frame).
/// Components that symmetry makes zero (TargetInfo::vanishes) are counted and left out: every model predicts zero.
class UncertaintyTable {
 public:
  struct Rows {
    PerTarget<ErrorsWithBars> rows;
    PerTarget<VectorErrorsWithBars> vectors;  ///< of atoms, of targets with TargetInfo::shown.vectors
    PerTarget<long> vanishing;                ///< number of rows left out

    bool empty() const;
  };
  struct Metrics {
    PerTarget<UncertaintyMetrics> rows;
    PerTarget<VectorUncertaintyMetrics> vectors;
    PerTarget<long> vanishing;
  };

  /// Adds the targets of the frame with error bars in the prediction. Leaves out masked forces.
  void add(const Structure& frame, const Prediction& prediction);

  bool empty() const { return all_.empty(); }
  const std::map<std::string, Rows>& config_types() const { return config_types_; }
  const Rows& all() const { return all_; }
  static Metrics metrics(const Rows& rows, const BootstrapOptions& options = {});

  /// Aligned columns with a heading, properties over all frames with 95 % intervals, then ZMS and coverage per config type if there are
  /// several. `calibration`: a word for the heading, such as "calibrated".
  std::string text(const std::string& calibration) const;
  /// {"all": {"energy": {…}, "forces": …, "atoms": …, "stress": …}, "config_types": {name: …}, "units": …}: every number of the metrics
  /// with its interval; null for undefined numbers.
  std::string json() const;

 private:
  std::map<std::string, Rows> config_types_;
  Rows all_;
  int frames_ = 0;
};

}  // namespace gapkit
