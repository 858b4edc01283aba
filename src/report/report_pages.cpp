#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/report_parts.hpp"

namespace gapkit {
namespace {

constexpr const char* parity_text =
    "Each dot is one or more values: coincident dots are drawn once, stronger for more values. Point at a dot to see its frame; press a "
    "config type to see it alone.";

std::string file_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

void add_error_numbers(Page& page, const ReportData& data) {
  for (const Quantity& q : quantities_of(data.record)) {
    std::vector<double> errors;
    for (std::size_t i = 0; i < q.values.size(); ++i) errors.push_back(q.error(i));
    const ErrorNumbers n = error_numbers(std::move(errors));
    page.key_figure(fmt::format("{} RMSE", q.name()), page_number(n.summary.rmse()), q.error_unit(),
                    data.name.empty() ? fmt::format("MAE {}", page_number(n.summary.mae()))
                                      : fmt::format("{}; MAE {}", data.name, page_number(n.summary.mae())));
  }
}

/// "energy,force,stress"
std::string list_of_std_names() {
  std::string list;
  for (const TargetInfo& target : targets()) list += (list.empty() ? "" : ",") + std::string(target.std_names.front());
  return list;
}

/// "energy, forces or stress"
std::string worst_text() {
  std::string list;
  for (const TargetInfo& target : targets()) {
    const bool is_last = &target == &targets().back();
    list += (list.empty() ? "" : is_last ? " or " : ", ") + std::string(target.shown.name);
  }
  return fmt::format("Structures with the largest error of {} (in red), in units of the overall RMSE.", list);
}

bool has_bars(const PredictionRecord& record) {
  return std::any_of(targets().begin(), targets().end(), [&](const TargetInfo& t) { return record.values(t.property).has_std(); });
}

void add_model_sections(Page& page, const ReportModel& model) {
  add_properties(page, model);
  add_tensors(page, model);
  if (!model.dimers.empty()) {
    page.section(
        "Dimers",
        std::string(model.model.base.is_used() ? "Without the base model. " : "") +
            "Energy of two atoms in vacuum, relative to the same atoms far apart; the band is the epistemic 95 % interval. Short distances "
            "should repel; a wide band shows a lack of data.");
    add_dimers(page, model);
  }
  page.section("Sparse set", "The representative environments of the model.");
  add_sparse_set(page, model.model);
  page.section("Hyperparameters");
  add_hyperparameters(page, model.model);
}

}  // namespace

std::string prediction_report(const ReportModel& model, const ReportData& data, const ReportTiming& timing) {
  const PredictionRecord& record = data.record;
  const ConfigGroups groups({&data, 1});
  Page page("Predictions of " + file_name(data.file), fmt::format("Model {}, data {}", model.file, data.file));
  page.set_groups(groups.names());
  page.key_figure("Frames", grouped(static_cast<std::int64_t>(record.frames().size())), "",
                  fmt::format("{} atoms, {} config type{}", grouped(record.atoms()), record.config_types().size(),
                              record.config_types().size() == 1 ? "" : "s"));
  add_error_numbers(page, data);
  add_error_bar_numbers(page, record);
  if (record.has_reference()) {
    page.section("Errors");
    add_error_table(page, data);
    page.section("Predicted against reference", parity_text);
    page.group_legend();
    add_parity_plots(page, data, groups, "");
    page.section("Distribution of errors");
    add_error_histograms(page, data, groups, "");
    if (has_bars(record)) {
      page.section("Error bars");
      add_error_bars(page, data, groups);
    } else {
      page.section("Error bars",
                   fmt::format("No error bars were requested: gap-predict --std {} compares them with the errors.", list_of_std_names()));
    }
    page.section("Worst structures", worst_text());
    add_worst_structures(page, data);
  } else {
    page.section("Predictions", "The frames have no reference values.");
    page.group_legend();
    add_unlabelled(page, data, groups);
  }
  if (data.extrapolation != nullptr && !data.extrapolation->empty()) add_extrapolation(page, *data.extrapolation);
  if (!data.left_out.empty()) page.paragraph(data.left_out + ".");
  if (record.not_finite() > 0) page.paragraph(fmt::format("{} values are not finite and are left out.", record.not_finite()));
  add_model_sections(page, model);
  page.section("Time");
  add_timing(page, timing, record.atoms());
  return page.html();
}

std::string fit_report(const ReportModel& model, const std::vector<ReportData>& data, const ReportData& error_bars, const FitReport& fit,
                       const ReportTiming& timing) {
  const ConfigGroups groups(data);
  Page page("Fit of " + file_name(model.file), fmt::format("{} training frames, {} sparse points, {} rows", grouped(fit.plan.frames),
                                                           grouped(model.model.weights.size()), grouped(fit.plan.rows())));
  page.set_groups(groups.names());
  if (!data.empty()) add_error_numbers(page, data.front());
  add_error_bar_numbers(page, error_bars.record);
  page.key_figure("Log evidence", fmt::format("{:.0f}", fit.log_evidence), "", fmt::format("{} rows", grouped(fit.plan.rows())));
  page.key_figure("Time", page_number(timing.total_seconds), "s", fmt::format("peak memory {} GB", page_number(timing.peak_memory_gb, 2)));
  page.section("Errors");
  for (const ReportData& d : data) add_error_table(page, d);
  page.section("Predicted against reference", parity_text);
  page.group_legend();
  for (const ReportData& d : data) {
    page.heading(d.name);
    add_parity_plots(page, d, groups, "");
  }
  page.section("Distribution of errors");
  for (const ReportData& d : data) {
    page.heading(d.name);
    add_error_histograms(page, d, groups, "");
  }
  if (has_bars(error_bars.record)) {
    page.section("Error bars", fmt::format("Of the {}, which were not fitted.", error_bars.name));
    add_error_bars(page, error_bars, groups);
  } else {
    page.section("Error bars", "There are no validation data for a test; on the training data error bars would look better than they are.");
  }
  page.section("Worst structures", worst_text());
  for (const ReportData& d : data) add_worst_structures(page, d);
  add_model_sections(page, model);
  page.section("Time");
  add_timing(page, timing, fit.plan.atoms);
  return page.html();
}

}  // namespace gapkit
