#pragma once

#include <algorithm>
#include <gapkit/fit/fit.hpp>
#include <gapkit/predict/predictor.hpp>

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
  std::int64_t atoms_ = 0, not_finite_ = 0;
};

/// Energy of two atoms in vacuum over their distance, relative to the same atoms far apart.
struct DimerCurve {
  int first = 0, second = 0;     ///< atomic numbers
  std::vector<double> distance;  ///< Å, ascending
  std::vector<double> energy;    ///< eV
  std::vector<double> std;       ///< epistemic error bar of that difference, eV; empty if the model has no posterior
};

/// From half the sum of the covalent radii to the model's cutoff, `points` distances. Cost: as many predictions of two atoms.
DimerCurve dimer_curve(Predictor& predictor, int first, int second, int points = 120);

/// Of each pair of the model's elements; the first `most` in alphabetical order of atomic numbers if there are more.
std::vector<DimerCurve> dimer_curves(const std::shared_ptr<const Model>& model, std::size_t most = 36);

/// What reports of predictions and of fits have in common (docs/report.md).
struct ReportModel {
  const Model& model;
  std::string file;  ///< of the model
  std::vector<DimerCurve> dimers;
};

struct ReportTiming {
  std::vector<std::pair<std::string, double>> seconds;  ///< of each phase, in order
  double total_seconds = 0;
  double peak_memory_gb = 0;
};

/// Frames whose predictions are shown.
struct ReportData {
  std::string name;  ///< "validation"
  std::string file;
  const PredictionRecord& record;
  std::string note;           ///< what else is to be known about them, shown under the heading of error bars; may be empty
  std::string left_out = {};  ///< which frames are not in the record, and why; shown by prediction_report; may be empty
};

/// One self-contained HTML page about predictions of a model: errors, parity, error bars, worst structures, dimers, sparse set,
/// hyperparameters, timing. What the data do not allow (no reference values, no error bars) is left out, and the page says so.
/// notes["sparse_config_types"] of the model (sparse_counts_to_json) is used if it is there.
std::string prediction_report(const ReportModel& model, const ReportData& data, const ReportTiming& timing);

/// The same about a fit: each of `data` (validation first, training last), and what the fit itself told. `error_bars`: data that were not
/// fitted, with error bars; its record may be empty.
std::string fit_report(const ReportModel& model, const std::vector<ReportData>& data, const ReportData& error_bars, const FitReport& fit,
                       const ReportTiming& timing);

/// How many sparse points of each term come from each config type, beside the atoms of the training data.
struct SparseCounts {
  std::map<std::string, std::int64_t> atoms;  ///< of the training data, by config type
  std::vector<std::pair<std::string, std::map<std::string, int>>>
      terms;  ///< label of the term, points by config type; "from a file" if unknown
};

inline constexpr const char* sparse_counts_note = "sparse_config_types";

/// From the origins of the sparse points; `record` holds all training frames in their order.
SparseCounts count_sparse_points(const Model& model, const PredictionRecord& record);
std::string sparse_counts_to_json(const SparseCounts& counts);
/// Throws InputError if the text is not what sparse_counts_to_json writes.
SparseCounts sparse_counts_from_json(const std::string& text);

}  // namespace gapkit
