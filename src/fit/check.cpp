#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>

#include "fit/candidate_gatherer.hpp"
#include "fit/data_checker.hpp"
#include "fit/data_scan.hpp"
#include "fit/held_out.hpp"
#include "fit/property_fit.hpp"
#include "fit/tensor_fit.hpp"
#include "fit/training_facts.hpp"

namespace gapkit {
namespace {

struct CheckedScan {
  CheckReport report;
  std::optional<TrainingFacts> facts;  // of a complete scan
  std::optional<DataScan> scan;        // complete, or absent
};

/// Objects that a visit of the training data fills; facts and candidates without the frames that are held out.
struct Examination {
  DataChecker& checker;
  Findings& findings;
  TargetReport& targets;
  TrainingFacts& facts;
  EarlyCandidates* candidates;  // may be null
};

/// Visits all training data. Returns false if a frame cannot be used.
bool examine_training_data(const FitData& data, const std::vector<std::int64_t>& held_out, const Examination& examination,
                           const ProgressCallback& progress) {
  std::int64_t lost = 0;
  const auto examine = [&](const Structure& s, const FramePlace& place) {
    std::optional<NeighborList> list = examination.checker.neighbors(s, examination.facts.cutoff());
    if (!list) {
      ++lost;
      return;
    }
    examination.checker.examine(s, *list, place);
    if (std::binary_search(held_out.begin(), held_out.end(), place.number)) return;
    const StructureEnvironments environments(s, std::move(*list));
    examination.facts.add(s, environments);
    if (examination.candidates) examination.candidates->add(s, environments.view(), place.number);
    if (progress) progress({.phase = "scan", .done = static_cast<double>(place.number + 1), .unit = "frames"});
  };
  lost +=
      data.train.visit(examine, {.targets = &examination.targets, .finding = [&](const CheckFinding& f) { examination.findings.add(f); }});
  return lost == 0;
}

CheckedScan scan_and_check(const FitData& data, const ScanRequest& request, const FitOptions& options, const ProgressCallback& progress) {
  CheckedScan result;
  CheckReport& report = result.report;
  Findings findings;
  DataChecker checker(options, data.train.parts(), report, findings);
  std::optional<TrainingFacts>& facts = result.facts;
  std::optional<EarlyCandidates> candidates;
  if (request.gathers_candidates) candidates.emplace(options);
  std::string stopped_by;
  try {
    if (options.terms.empty()) throw InputError("the configuration has no [[term]]");
    if (data.train.parts().empty()) throw InputError("no training files: name them in [data] train or with --train");
    facts.emplace(options);
    // No plan without all frames: errors about missing elements or targets would mislead.
    if (examine_training_data(data, request.held_out, {checker, findings, report.targets, *facts, candidates ? &*candidates : nullptr},
                              progress)) {
      result.scan = plan_of_facts(options, *facts, [&](const std::string& message) { findings.warning("terms", message); });
      if (candidates) result.scan->candidates = candidates->take(*result.scan);
    }
  } catch (const InputError& e) {
    stopped_by = e.what();
  }
  const bool complete = result.scan.has_value();
  if (complete) result.scan->plan.targets = report.targets;
  if (facts && facts->frames > 0) checker.finish(complete ? result.scan->plan : FitPlan(), complete);
  // Behind the findings that may be its cause. Targets that were lost for their names cause it alone.
  if (!stopped_by.empty() && !checker.has_lost_targets()) findings.error("configuration", stopped_by);
  if (data.validation)
    data.validation->visit(
        [&](const Structure& s, const FramePlace&) {
          if (complete) checker.examine_validation(s);
        },
        {.finding = [&](const CheckFinding& f) { findings.add(f); }});
  checker.finish_validation();
  report.errors = findings.count(CheckFinding::Severity::error);
  report.warnings = findings.count(CheckFinding::Severity::warning);
  report.notes = findings.count(CheckFinding::Severity::note);
  report.findings = findings.sorted();
  if (complete) report.plan = result.scan->plan;
  return result;
}

/// Throws InputError with the first error and the number of further ones.
CheckedScan scan_without_errors(const FitData& data, const ScanRequest& request, const FitOptions& options,
                                const ProgressCallback& progress) {
  CheckedScan checked = scan_and_check(data, request, options, progress);
  const CheckReport& report = checked.report;
  if (report.errors > 0) {
    const std::string others = report.errors > 1 ? fmt::format(" (and {} more error{}: gap-fit --check lists them)", report.errors - 1,
                                                               report.errors == 2 ? "" : "s")
                                                 : "";
    throw InputError(report.findings.front().message + others);
  }
  if (!checked.scan) throw Error("the examination of the data ended without errors and without a plan");
  return checked;
}

/// The first block of the log: data, keys, targets, rows, memory.
std::vector<std::string> lines_at_start(const FitData& data, std::size_t held_out, const FitOptions& options, const CheckReport& report) {
  const FitPlan& plan = report.plan.value();
  std::vector<std::string> lines;
  const std::string set_aside = held_out == 0 ? "" : fmt::format("; {} frames are set aside for the calibration", held_out);
  lines.push_back(fmt::format("data: {}: {} frames, {} atoms{}", fmt::join(data.train.parts(), ", "), plan.frames, plan.atoms, set_aside));
  for (const std::string& line : report.targets.lines()) lines.push_back(line);
  if (options.keys.base.is_used()) lines.push_back(fmt::format("base: {}, taken off the targets", options.keys.base.text()));
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
                              plan.peak_bytes(options.memory * 1e9) * 1e-9, options.memory));
  return lines;
}

}  // namespace

CheckReport check_training_data(const FitData& data, const FitOptions& options, const ProgressCallback& progress) {
  CheckReport report = scan_and_check(data, {.held_out = held_out_of_fit(data.train, options)}, options, progress).report;
  if (data.train.parts().empty()) return report;
  std::vector<CheckFinding> others = check_properties(data.train, options);
  for (CheckFinding& finding : check_tensors(data.train, options)) others.push_back(std::move(finding));
  for (CheckFinding& finding : others) {
    const auto is_same = [&](const CheckFinding& other) { return other.message == finding.message; };
    if (std::any_of(report.findings.begin(), report.findings.end(), is_same)) continue;  // a mistake of the frame, not of the property
    ++(finding.is_error() ? report.errors : report.warnings);
    const auto is_milder = [&](const CheckFinding& other) { return other.severity < finding.severity; };
    report.findings.insert(std::find_if(report.findings.begin(), report.findings.end(), is_milder), std::move(finding));
  }
  return report;
}

DataScan scan_training_data(const FitData& data, const ScanRequest& request, const FitOptions& options, const ProgressCallback& progress) {
  CheckedScan checked = scan_without_errors(data, request, options, progress);
  const CheckReport& report = checked.report;
  if (progress) {
    for (const std::string& line : lines_at_start(data, request.held_out.size(), options, report))
      progress({.phase = "scan", .message = line});
    for (const CheckFinding& finding : report.findings)
      // The choice of sparse points warns of it too, and counts distinct environments.
      if (finding.severity == CheckFinding::Severity::warning && finding.kind != "n_sparse")
        progress({.phase = "scan", .message = finding.message, .is_warning = true});
  }
  return std::move(*checked.scan);
}

TrainingFacts facts_of_training_data(const FitData& data, const FitOptions& options) {
  return std::move(*scan_without_errors(data, {}, options, {}).facts);
}

}  // namespace gapkit
