#pragma once

#include <gapkit/report/error_table.hpp>
#include <gapkit/report/extrapolation_table.hpp>
#include <gapkit/report/html.hpp>
#include <gapkit/report/report_pages.hpp>
#include <span>

namespace gapkit {

/// The config types of all data of a page, in alphabetical order, as groups with one colour each. Beyond the number of distinguishable
/// styles, the types with the fewest frames share the last group.
class ConfigGroups {
 public:
  explicit ConfigGroups(std::span<const ReportData> data);
  const std::vector<std::string>& names() const { return names_; }
  int of(const std::string& config_type) const;
  /// The group of each of the record's config types.
  std::vector<int> of(const PredictionRecord& record) const;

 private:
  std::vector<std::string> names_;
  std::map<std::string, int> index_;
};

/// The compared values of one target.
struct Quantity {
  const TargetInfo& target;
  const PredictionRecord::Values& values;

  const char* name() const { return target.shown.title; }                                    ///< "Force"
  const char* unit() const { return target.shown.unit; }                                     ///< of values: "eV/Å"
  const char* error_unit() const { return target.shown.error_unit; }                         ///< of errors: "meV/atom"
  const char* entry() const { return target.shown.entry; }                                   ///< "component"
  double error(std::size_t i) const { return target.shown.error_factor * values.error(i); }  ///< in error_unit
  double std(std::size_t i) const { return target.shown.error_factor * values.std[i]; }
};
/// The targets with entries.
std::vector<Quantity> quantities_of(const PredictionRecord& record);

inline constexpr double two_sided_95 = 1.959964;  ///< P(|z| ≤ this) = 0.95 for a normal variable

/// Errors of a report: summary and quantiles.
struct ErrorNumbers {
  ErrorSummary summary;
  double median = 0, q95 = 0, largest = 0;  ///< of |error|; NaN without errors
};
ErrorNumbers error_numbers(std::vector<double> errors);
/// The value above a fraction of the sorted numbers.
double quantile(const std::vector<double>& sorted, double fraction);

/// "1 234 567"
std::string grouped(std::int64_t count);
PageTable::Cell number_cell(double value, int digits = 3);
PageTable::Cell count_cell(std::int64_t count);

void add_error_table(Page& page, const ReportData& data);
/// The title of each figure ends with `suffix`.
void add_parity_plots(Page& page, const ReportData& data, const ConfigGroups& groups, const std::string& suffix);
void add_error_histograms(Page& page, const ReportData& data, const ConfigGroups& groups, const std::string& suffix);
void add_worst_structures(Page& page, const ReportData& data);
void add_unlabelled(Page& page, const ReportData& data, const ConfigGroups& groups);

/// Errors against error bars, calibration curve, z, tables. Adds no figure without error bars.
void add_error_bars(Page& page, const ReportData& data, const ConfigGroups& groups);
/// Key figures of the error bars of forces; of energies without forces.
void add_error_bar_numbers(Page& page, const PredictionRecord& record);

/// A section with the counts of grades, and a key figure.
void add_extrapolation(Page& page, const ExtrapolationTable& grades);

void add_dimers(Page& page, const ReportModel& model);
/// A table for each data set and property; nothing without errors.
void add_properties(Page& page, const ReportModel& model);
/// The same of tensors, with their components as points.
void add_tensors(Page& page, const ReportModel& model);
void add_sparse_set(Page& page, const Model& model);
void add_hyperparameters(Page& page, const Model& model);
void add_timing(Page& page, const ReportTiming& timing, std::int64_t atoms);

}  // namespace gapkit
