#pragma once

#include <algorithm>
#include <gapkit/fit/fit.hpp>
#include <gapkit/predict/predictor.hpp>
#include <gapkit/report/error_table.hpp>

namespace gapkit {

class PropertyTable;
class TensorTable;

/// Predictions and reference values, collected frame by frame for the figures of a report.
///
/// Memory: 28 bytes for each force component (20 without error bars), about 250 bytes per frame.
class PredictionRecord {
 public:
  /// One entry per compared number.
  struct Values {
    std::vector<double> reference, predicted;
    std::vector<double> std;  ///< error bars of all entries, or empty
    std::vector<int> frame;   ///< index in frames()

    std::size_t size() const { return reference.size(); }
    bool has_std() const { return !std.empty(); }
    double error(std::size_t i) const { return predicted[i] - reference[i]; }
  };
  struct Frame {
    std::int64_t number = 0;  ///< over all files, from 1
    std::string source;       ///< file, line and frame, without folders
    int config_type = 0;      ///< index in config_types()
    int atoms = 0;
    double energy = 0;  ///< predicted, eV per atom, relative to isolated atoms
    /// In TargetInfo::shown.unit: the error of a target with one number, the root mean square error of others; absent without reference.
    PerTarget<std::optional<double>> error;
    /// |Δ| of the worst atom of targets that are vectors of atoms.
    PerTarget<double> largest_error;
    PerTarget<int> worst_atom;  ///< atom of largest_error, from 1; 0: none
    /// In TargetInfo::shown.unit: the error bar of a target with one number; for vectors of atoms the largest √Σ std² of an atom.
    PerTarget<std::optional<double>> largest_std;
  };

  /// Subtracts reference energies (eV per atom, by element) from energies, so that compositions can be compared.
  /// Without `keep_values`, keeps only frames() and config_types().
  explicit PredictionRecord(std::map<int, double> reference_energies = {}, bool keep_values = true)
      : reference_energies_(std::move(reference_energies)), keep_values_(keep_values) {}

  /// Leaves out masked forces and numbers that are not finite, and counts the latter. `number` of the frame, from 1; 0: the number of the
  /// last frame + 1.
  void add(const Structure& frame, const Prediction& prediction, std::int64_t number = 0);

  const std::vector<Frame>& frames() const { return frames_; }
  const std::vector<std::string>& config_types() const { return config_types_; }  ///< by first occurrence
  /// In TargetInfo::shown.unit; energies relative to isolated atoms.
  const Values& values(Property target) const { return values_[target]; }
  /// Errors of the base model, in TargetInfo::shown.error_unit.
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

/// Energy of two atoms in vacuum over their distance, relative to the same atoms far apart.
struct DimerCurve {
  int first = 0, second = 0;     ///< atomic numbers
  std::vector<double> distance;  ///< Å, ascending
  std::vector<double> energy;    ///< eV
  std::vector<double> std;       ///< epistemic error bar of `energy`, eV; empty without a posterior
};

/// `points` distances from half the sum of the covalent radii to the model's cutoff. Cost: one prediction of two atoms for each.
DimerCurve dimer_curve(Predictor& predictor, int first, int second, int points = 120);

/// Curves of all pairs of the model's elements; at most the first `most` in the order of atomic numbers.
std::vector<DimerCurve> dimer_curves(const std::shared_ptr<const Model>& model, std::size_t most = 36);

/// The model of a report (docs/report.md).
struct ReportModel {
  const Model& model;
  std::string file;  ///< path of the model
  std::vector<DimerCurve> dimers;
  /// Errors of local properties, with the name of their data.
  std::vector<std::pair<std::string, const PropertyTable*>> properties = {};
  std::vector<std::pair<std::string, const TensorTable*>> tensors = {};  ///< the same of tensors
};

struct ReportTiming {
  std::vector<std::pair<std::string, double>> seconds;  ///< of each phase, in order
  double total_seconds = 0;
  double peak_memory_gb = 0;
};

class ExtrapolationTable;

/// The predictions that a report shows.
struct ReportData {
  std::string name;  ///< "validation"
  std::string file;
  const PredictionRecord& record;
  std::string note;           ///< a remark under the heading of error bars; may be empty
  std::string left_out = {};  ///< frames that are not in the record, with the reason, for prediction_report; may be empty
  const ExtrapolationTable* extrapolation = nullptr;  ///< grades of the frames, for prediction_report; null: not requested
};

/// One self-contained HTML page about predictions of a model: errors, parity, error bars, worst structures, dimers, sparse set,
/// hyperparameters, timing. Figures without data (reference values, error bars) are left out, and the page says so.
/// Uses notes["sparse_config_types"] of the model (sparse_counts_to_json) if present.
std::string prediction_report(const ReportModel& model, const ReportData& data, const ReportTiming& timing);

/// The same about a fit: each of `data` (validation first, training last), and the report of the fit. `error_bars`: data that were not
/// fitted, with error bars; its record may be empty.
std::string fit_report(const ReportModel& model, const std::vector<ReportData>& data, const ReportData& error_bars, const FitReport& fit,
                       const ReportTiming& timing);

/// Numbers of sparse points of each term and of training atoms, by config type.
struct SparseCounts {
  std::map<std::string, std::int64_t> atoms;  ///< of the training data, by config type
  std::vector<std::pair<std::string, std::map<std::string, int>>>
      terms;  ///< label of the term, points by config type; "from a file" if unknown
};

inline constexpr const char* sparse_counts_note = "sparse_config_types";

/// Counts by the origins of the sparse points; `record` has all training frames in their order.
SparseCounts count_sparse_points(const Model& model, const PredictionRecord& record);
std::string sparse_counts_to_json(const SparseCounts& counts);
/// Throws InputError for a text that sparse_counts_to_json did not write.
SparseCounts sparse_counts_from_json(const std::string& text);

}  // namespace gapkit
