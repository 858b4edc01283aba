#include "fit/tensor_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>

#include "fit/tensor_part_fit.hpp"
#include "fit/tensor_points.hpp"

namespace gapkit {
namespace {

constexpr std::size_t most_left_out = 500;  // frames of the calibration

std::vector<std::string> tensor_warnings(const TensorOptions& options, const TensorFacts& facts) {
  std::vector<std::string> warnings;
  const std::string& name = options.keys.name;
  if (facts.jumps > 0)
    warnings.push_back(fmt::format(
        "tensor '{}': {} ({} such steps among {} periodic frames): the dipole of a cell is defined up to a charge times cell vectors, and "
        "frames on different branches look like noise; shift them to one branch",
        name, facts.first_jump, facts.jumps, facts.periodic));
  return warnings;
}

void check_memory(const TensorOptions& options, const std::vector<TensorTerm>& terms, double memory) {
  double columns = 0, points = 0;
  int largest = 0;
  for (const int lambda : options.keys.ranks()) largest = std::max(largest, lambda);
  for (const TensorTerm& term : terms) {
    columns += static_cast<double>((2 * largest + 1) * term.points.rows());
    const double channels = expanded_density(*term.descriptor)->channel_count();
    points += static_cast<double>((2 * largest + 1) * term.points.rows()) * channels * channels *
              (expanded_density(*term.descriptor)->largest_l() + 1);
  }
  const double bytes = 8 * (4 * columns * columns + points);
  if (bytes > memory * 1e9)
    throw InputError(fmt::format(
        "[[tensor]] '{}': {:.0f} columns need about {:.2g} GB, more than the limit of {:.2g} GB: lower n_sparse, n_max or l_max, or raise "
        "memory",
        options.keys.name, columns, bytes * 1e-9, memory));
}

std::vector<TensorEnvironments> environments_of(const std::vector<TensorTerm>& terms, const Structure& frame) {
  double cutoff = 0;
  for (const TensorTerm& term : terms) cutoff = std::max(cutoff, term.descriptor->cutoff());
  const StructureEnvironments environments(frame, cutoff);
  std::vector<TensorEnvironments> result;
  for (const TensorTerm& term : terms) result.push_back(tensor_environments(term, environments.view()));
  return result;
}

std::vector<std::int64_t> evenly_spaced(const std::vector<std::int64_t>& all, std::size_t most) {
  if (all.size() <= most) return all;
  std::vector<std::int64_t> result;
  for (std::size_t i = 0; i < most; ++i) result.push_back(all[i * all.size() / most]);
  return result;
}

/// Calls use(frame, number, environments, label) for some frames.
void visit_labels(const Dataset& data, const TensorOptions& options, const std::vector<TensorTerm>& terms,
                  const std::vector<std::int64_t>& numbers, const auto& use) {
  VisitRequest request;
  request.numbers = &numbers;
  data.visit(
      [&](const Structure& frame, const FramePlace& place) {
        const std::optional<Matrix> label = read_tensor(frame, options.keys);
        if (label) use(frame, place.number, environments_of(terms, frame), *label);
      },
      request);
}

class TensorFit {
 public:
  TensorFit(const Dataset& data, const TensorOptions& options, const FitOptions& all, const ProgressCallback& progress)
      : data_(data), options_(options), all_(all), progress_(progress) {}

  std::shared_ptr<const FittedTensor> run(std::vector<TensorReport>& reports) {
    const TensorFacts facts = tensor_facts(data_, options_);
    for (const std::string& text : tensor_warnings(options_, facts)) say(text, true);
    auto tensor = std::make_shared<FittedTensor>();
    tensor->keys = options_.keys;
    for (const auto& [z, count] : facts.atoms_of) tensor->elements.insert(z);
    tensor->terms = tensor_terms(data_, options_, facts, all_);
    check_memory(options_, tensor->terms, all_.memory);
    std::vector<TensorPartFit> fits;
    for (const int lambda : options_.keys.ranks()) fits.emplace_back(options_, tensor->terms, facts, lambda, all_.jitter);
    visit_labels(data_, options_, tensor->terms, facts.frames,
                 [&](const Structure& frame, std::int64_t, const std::vector<TensorEnvironments>& environments, const Matrix& label) {
                   for (TensorPartFit& fit : fits) fit.add(frame, environments, label);
                 });
    for (TensorPartFit& fit : fits) fit.solve();
    const bool is_calibrated = all_.calibration.source != CalibrationOptions::Source::none;
    if (is_calibrated)
      visit_labels(
          data_, options_, tensor->terms, evenly_spaced(facts.frames, most_left_out),
          [&](const Structure& frame, std::int64_t number, const std::vector<TensorEnvironments>& environments, const Matrix& label) {
            for (TensorPartFit& fit : fits) fit.leave_out(frame, number, environments, label);
          });
    for (TensorPartFit& fit : fits) {
      TensorReport& report = reports.emplace_back();
      report.frames = static_cast<std::int64_t>(facts.frames.size());
      tensor->parts.push_back(fit.finish(is_calibrated, report));
      report.seconds = watch_.seconds();
      describe(report, facts);
    }
    return tensor;
  }

 private:
  void say(const std::string& text, bool is_warning = false) const {
    if (progress_) progress_({.phase = "tensors", .message = text, .is_warning = is_warning});
  }

  void describe(const TensorReport& report, const TensorFacts& facts) const {
    std::string text = fmt::format("tensor '{}', lambda = {}: {} of {} frames, {} rows, {} columns, sigma {:.3g}", report.name,
                                   report.lambda, report.frames, facts.all_frames, report.rows, report.columns, report.sigma);
    if (report.left_out > 0)
      text += fmt::format("; left-out error {:.3g} ({:.2g} % of the spread), error bars times {:.2g} ({} left-out structures)",
                          report.error, 100 * report.error / report.spread, std::sqrt(report.mahalanobis), report.left_out);
    say(text);
    if (report.columns > report.rows)
      say(fmt::format("tensor '{}', lambda = {}: more columns ({}) than rows ({}): the fit may follow the noise; lower n_sparse to at most "
                      "half of the number of frames in all",
                      report.name, report.lambda, report.columns, report.rows),
          true);
  }

  const Dataset& data_;
  const TensorOptions& options_;
  const FitOptions& all_;
  const ProgressCallback& progress_;
  Stopwatch watch_;
};

}  // namespace

FittedTensors fit_tensors(const Dataset& training, const FitOptions& options, const ProgressCallback& progress) {
  FittedTensors result;
  for (const TensorOptions& tensor : options.tensors)
    result.tensors.push_back(TensorFit(training, tensor, options, progress).run(result.reports));
  return result;
}

std::vector<CheckFinding> check_tensors(const Dataset& training, const FitOptions& options) {
  std::vector<CheckFinding> findings;
  for (const TensorOptions& tensor : options.tensors) try {
      for (const std::string& text : tensor_warnings(tensor, tensor_facts(training, tensor)))
        findings.push_back({CheckFinding::Severity::warning, "tensor", text});
    } catch (const InputError& e) {
      findings.push_back({CheckFinding::Severity::error, "tensor", e.what()});
    }
  return findings;
}

}  // namespace gapkit
