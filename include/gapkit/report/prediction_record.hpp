#pragma once

#include <algorithm>
#include <gapkit/predict/predictor.hpp>
#include <gapkit/report/error_table.hpp>

namespace gapkit {

/// Predictions beside reference values, collected frame by frame for the figures of a report.
///
/// Memory: 28 bytes for each force component (20 without error bars), about 250 bytes per frame.
class PredictionRecord {
 public:
  /// One entry per number that was compared.
  struct Values {
    std::vector<double> reference, predicted;
    std::vector<double> std;  ///< error bars, of all entries or of none
    std::vector<int> frame;   ///< index in frames()

    std::size_t size() const { return reference.size(); }
    bool has_std() const { return !std.empty(); }
    double error(std::size_t i) const { return predicted[i] - reference[i]; }
  };
  struct Frame {
    std::int64_t number = 0;  ///< over all files, from 1
    std::string source;       ///< as messages name it, without folders
    int config_type = 0;      ///< index in config_types()
    int atoms = 0;
    double energy = 0;  ///< predicted, eV per atom, relative to isolated atoms
    /// In TargetInfo::shown.unit: the error of a target of one number, the root mean square error of others; absent without reference.
    PerTarget<std::optional<double>> error;
    /// |Δ| of the worst atom of targets that are vectors of atoms.
    PerTarget<double> largest_error;
    PerTarget<int> worst_atom;  ///< whose error that is, from 1; 0: none
    /// In TargetInfo::shown.unit: the error bar of a target of one number; of vectors of atoms √Σ std² of the least certain atom.
    PerTarget<std::optional<double>> largest_std;
  };

  /// Reference energies (eV per atom, by element) are taken off energies, so that they compare between compositions.
  /// Without `keep_values` only frames() and config_types() are kept.
  explicit PredictionRecord(std::map<int, double> reference_energies = {}, bool keep_values = true)
      : reference_energies_(std::move(reference_energies)), keep_values_(keep_values) {}

  /// Numbers that are not finite are left out and counted. Masked forces are left out. `number` of the frame, from 1; 0: one after the
  /// last.
  void add(const Structure& frame, const Prediction& prediction, std::int64_t number = 0);

  const std::vector<Frame>& frames() const { return frames_; }
  const std::vector<std::string>& config_types() const { return config_types_; }  ///< by first occurrence
  /// In TargetInfo::shown.unit; energies relative to isolated atoms.
  const Values& values(Property target) const { return values_[target]; }
  /// Errors of the model underneath, in TargetInfo::shown.error_unit.
  const PerTarget<ErrorSummary>& base_alone() const { return base_alone_; }
  std::int64_t atoms() const { return atoms_; }
  std::int64_t not_finite() const { return not_finite_; }
  /// Atoms of the frames of each config type.
  std::map<std::string, std::int64_t> atoms_of_config_types() const;
  bool has_reference() const {
    return std::any_of(values_.begin(), values_.end(), [](const Values& v) { return v.size() > 0; });
  }

 private:
  bool put(Values& values, double reference, double predicted, const double* std);
  void add_target(const TargetInfo& target, const Structure& frame, const Prediction& prediction, double isolated, Frame& entry);

  std::map<int, double> reference_energies_;
  bool keep_values_;
  std::vector<Frame> frames_;
  std::vector<std::string> config_types_;
  std::map<std::string, int> index_of_config_type_;
  PerTarget<Values> values_;
  PerTarget<ErrorSummary> base_alone_;
  std::int64_t atoms_ = 0, not_finite_ = 0;
};

}  // namespace gapkit
