#include <fmt/format.h>

#include <gapkit/core/errors.hpp>

#include "fit/data_checker.hpp"
#include "fit/data_scan.hpp"
#include "fit/held_out.hpp"

namespace gapkit {
namespace {

struct CheckedScan {
  CheckReport report;
  std::optional<DataScan> scan;  // complete, or absent
};

CheckedScan scan_and_check(const FitOptions& options, const ProgressCallback& progress) {
  CheckedScan result;
  CheckReport& report = result.report;
  Findings findings;
  DataChecker checker(options, report, findings);
  DataScan scan;
  bool complete = false;
  std::string stopped_by;
  try {
    complete = scan_frames(options, progress, checker, findings, scan);
  } catch (const InputError& e) {
    stopped_by = e.what();
  }
  report.targets = scan.plan.targets;
  if (complete || scan.plan.frames > 0) checker.finish(scan.plan, complete);
  // After what may be its cause. Without targets that were lost for their names it would not be.
  if (!stopped_by.empty() && !checker.has_lost_targets()) findings.error("configuration", stopped_by);
  TargetReport ignored;
  read_frames(options.validation, options.keys, &ignored, findings, [&](const Structure& s, const FramePlace&) {
    if (complete) checker.examine_validation(s);
  });
  checker.finish_validation();
  report.errors = findings.count(CheckFinding::Severity::error);
  report.warnings = findings.count(CheckFinding::Severity::warning);
  report.notes = findings.count(CheckFinding::Severity::note);
  report.findings = findings.sorted();
  if (complete) {
    report.plan = scan.plan;
    result.scan = std::move(scan);
  }
  return result;
}

/// The first block of the log: data, keys, targets and what they are used for, memory.
std::vector<std::string> lines_at_start(const FitOptions& options, const CheckReport& report) {
  const FitPlan& plan = report.plan.value();
  std::vector<std::string> lines;
  const std::string left_out =
      options.left_out.empty() ? "" : fmt::format("; {} frames are set aside for the calibration", options.left_out.size());
  lines.push_back(fmt::format("data: {}: {} frames, {} atoms{}", fmt::join(options.train, ", "), plan.frames, plan.atoms, left_out));
  for (const std::string& line : report.targets.lines()) lines.push_back(line);
  std::string fitted, unused;
  for (const TargetInfo& target : targets()) {
    std::int64_t rows = 0;
    for (const FitPlan::GroupPlan& g : plan.groups)
      if (g.group.property == target.property) rows += g.rows;
    if (rows > 0) fitted += fmt::format("{}{} {}", fitted.empty() ? "" : ", ", target.name, rows);
    if (!options.use[target.property]) unused += fmt::format("{}{}", unused.empty() ? "" : ", ", target.name);
  }
  lines.push_back(fmt::format("fitted: {} rows: {}{}", plan.rows(), fitted, unused.empty() ? "" : "; not used: " + unused));
  lines.push_back(fmt::format("estimated: {} sparse points, {:.2f} GB of memory ({:g} GB allowed)", plan.sparse_points(),
                              plan.memory_bytes * 1e-9, options.memory));
  return lines;
}

}  // namespace

CheckReport check_training_data(const FitOptions& options, const ProgressCallback& progress) {
  return scan_and_check(with_held_out(options), progress).report;
}

DataScan scan_training_data(const FitOptions& options, const ProgressCallback& progress) {
  CheckedScan checked = scan_and_check(options, progress);
  const CheckReport& report = checked.report;
  if (report.errors > 0) {
    const std::string others = report.errors > 1 ? fmt::format(" (and {} more error{}: gap-fit --check lists them)", report.errors - 1,
                                                               report.errors == 2 ? "" : "s")
                                                 : "";
    throw InputError(report.findings.front().message + others);
  }
  if (!checked.scan) throw Error("the examination of the data ended without errors and without a plan");
  if (progress) {
    for (const std::string& line : lines_at_start(options, report)) progress({.phase = "scan", .message = line});
    for (const CheckFinding& finding : report.findings)
      // The choice of sparse points tells the same, and counts distinct environments.
      if (finding.severity == CheckFinding::Severity::warning && finding.kind != "n_sparse")
        progress({.phase = "scan", .message = finding.message, .is_warning = true});
  }
  return std::move(*checked.scan);
}

}  // namespace gapkit
