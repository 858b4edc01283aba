#pragma once

#include <gapkit/fit/fit.hpp>
#include <gapkit/report/dimers.hpp>
#include <gapkit/report/prediction_record.hpp>

namespace gapkit {

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
