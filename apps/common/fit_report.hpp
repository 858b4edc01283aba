#pragma once

#include <gapkit/config/config.hpp>
#include <gapkit/fit/long_range_gain.hpp>
#include <gapkit/report/error_table.hpp>
#include <gapkit/report/property_table.hpp>
#include <gapkit/report/tensor_table.hpp>
#include <nlohmann/json_fwd.hpp>

namespace gapkit::apps {

/// Results of a finished fit that gap-fit prints.
struct FitSummary {
  const FitConfiguration& options;
  const FitReport& report;
  const ErrorTable& training;
  const ErrorTable& validation;  ///< empty if there was no validation data
  const Model& model;
  double statistics_bytes = 0;  ///< in the model file; 0 without statistics
  double seconds = 0;           ///< wall time of the program
  std::vector<std::string> warnings;
  std::optional<LongRangeGain> long_range = {};
  PropertyTable training_properties = {}, validation_properties = {};
  TensorTable training_tensors = {}, validation_tensors = {};
};

nlohmann::ordered_json finding_json(const CheckFinding& finding);
/// The warnings of a run, for the end of its summary; empty without warnings.
std::string warnings_text(const std::vector<std::string>& warnings);

/// The dry run: data, terms, noise groups, estimated memory and time.
std::string plan_text(const FitPlan& plan, const FitConfiguration& options);
nlohmann::ordered_json plan_json(const FitPlan& plan, const FitConfiguration& options);

std::string summary_text(const FitSummary& summary);
nlohmann::ordered_json summary_json(const FitSummary& summary);

}  // namespace gapkit::apps
