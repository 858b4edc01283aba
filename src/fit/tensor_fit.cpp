#include "fit/tensor_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>

#include "fit/tensor_frames.hpp"
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
  if (facts.unbalanced > 0)
    warnings.push_back(
        fmt::format("tensor '{}': {} ({} such frames of {} with derivatives): they belong to a charge, or to labels about a "
                    "fixed point, and cannot be fitted; subtract charge · 1 / atoms",
                    name, facts.first_unbalanced, facts.unbalanced, facts.derivatives));
  return warnings;
}

void check_memory(const TensorOptions& options, const std::vector<TensorTerm>& terms, const TensorFacts& facts, double memory) {
  double columns = 0, points = 0;
  int largest = 0;
  for (const int lambda : options.keys.ranks()) largest = std::max(largest, lambda);
  for (const TensorTerm& term : terms) {
    columns += static_cast<double>((2 * largest + 1) * term.points.rows());
    const double channels = expanded_density(*term.descriptor)->channel_count();
    points += static_cast<double>((2 * largest + 1) * term.points.rows()) * channels * channels *
              (expanded_density(*term.descriptor)->largest_l() + 1);
  }
  const double rows = 3.0 * facts.largest_derivatives * (2 * largest + 1);  // of the derivatives of the largest frame
  const double groups = facts.derivatives > 0 ? 1 : 0;
  const double bytes = 8 * ((4 + groups) * columns * columns + points + 3 * rows * columns);
  if (bytes > memory * 1e9)
    throw InputError(fmt::format(
        "[[tensor]] '{}': {:.0f} columns need about {:.2g} GB, more than the limit of {:.2g} GB: lower n_sparse, n_max or l_max, or raise "
        "memory",
        options.keys.name, columns, bytes * 1e-9, memory));
}

std::vector<std::int64_t> evenly_spaced(const std::vector<std::int64_t>& all, std::size_t most) {
  if (all.size() <= most) return all;
  std::vector<std::int64_t> result;
  for (std::size_t i = 0; i < most; ++i) result.push_back(all[i * all.size() / most]);
  return result;
}

class TensorFit {
 public:
  TensorFit(const Dataset& data, const TensorOptions& options, const FitOptions& all, std::span<const FittedProperty> properties,
            const ProgressCallback& progress)
      : data_(data), options_(options), all_(all), labels_{options.keys, ChargeDipole::of(options.keys, properties)}, progress_(progress) {}

  std::shared_ptr<const FittedTensor> run(std::vector<TensorReport>& reports) {
    const TensorFacts facts = tensor_facts(data_, options_, labels_);
    for (const std::string& text : tensor_warnings(options_, facts)) say(text, true);
    auto tensor = std::make_shared<FittedTensor>();
    tensor->keys = options_.keys;
    for (const auto& [z, count] : facts.atoms_of) tensor->elements.insert(z);
    tensor->terms = tensor_terms(data_, options_, facts, all_);
    check_memory(options_, tensor->terms, facts, all_.memory);
    std::vector<TensorPartFit> fits;
    for (const int lambda : options_.keys.ranks()) fits.emplace_back(options_, tensor->terms, facts, lambda, all_);
    visit_labels(data_, labels_, tensor->terms, &facts.frames, [&](const TensorFrame& frame) {
      for (TensorPartFit& fit : fits) fit.add(frame);
    });
    for (TensorPartFit& fit : fits) fit.solve();
    const bool is_calibrated = all_.calibration.source != CalibrationOptions::Source::none;
    const std::vector<std::int64_t> left_out = evenly_spaced(facts.frames, most_left_out);
    if (is_calibrated)
      visit_labels(data_, labels_, tensor->terms, &left_out, [&](const TensorFrame& frame) {
        for (TensorPartFit& fit : fits) fit.leave_out(frame);
      });
    for (TensorPartFit& fit : fits) {
      TensorReport& report = reports.emplace_back();
      report.frames = facts.labels;
      report.derivative_frames = facts.derivatives;
      tensor->parts.push_back(fit.finish(is_calibrated, report));
      report.seconds = watch_.seconds();
      describe(report, facts, tensor->parts.back());
    }
    return tensor;
  }

 private:
  void say(const std::string& text, bool is_warning = false) const {
    if (progress_) progress_({.phase = "tensors", .message = text, .is_warning = is_warning});
  }

  void describe(const TensorReport& report, const TensorFacts& facts, const TensorPart& part) const {
    std::string text = fmt::format("tensor '{}', lambda = {}: {} of {} frames, {} rows, {} columns, sigma {:.3g}", report.name,
                                   report.lambda, report.frames, facts.all_frames, report.rows, report.columns, report.sigma);
    if (report.derivative_frames > 0)
      text += fmt::format("; derivatives of {} frames, {} rows, sigma {:.3g}", report.derivative_frames, report.derivative_rows,
                          report.derivatives_sigma);
    if (report.left_out > 0)
      text += fmt::format(
          "; left-out error {:.3g} ({:.2g} % of the spread), error bars times {:.2g}, their noise {:.2g} ({} left-out structures)",
          report.error, 100 * report.error / report.spread, part.scale, part.noise_scale, report.left_out);
    if (report.derivative_error > 0)
      text += fmt::format("; left-out error of derivatives {:.3g} ({:.2g} %)", report.derivative_error,
                          100 * report.derivative_error / report.derivative_spread);
    say(text);
    if (report.columns > report.rows + report.derivative_rows)
      say(fmt::format("tensor '{}', lambda = {}: more columns ({}) than rows ({}): the fit may follow the noise; lower n_sparse to at most "
                      "half of the number of frames in all",
                      report.name, report.lambda, report.columns, report.rows + report.derivative_rows),
          true);
  }

  const Dataset& data_;
  const TensorOptions& options_;
  const FitOptions& all_;
  TensorLabels labels_;
  const ProgressCallback& progress_;
  Stopwatch watch_;
};

}  // namespace

FittedTensors fit_tensors(const Dataset& training, const FitOptions& options, std::span<const FittedProperty> properties,
                          const ProgressCallback& progress) {
  FittedTensors result;
  for (const TensorOptions& tensor : options.tensors)
    result.tensors.push_back(TensorFit(training, tensor, options, properties, progress).run(result.reports));
  return result;
}

std::vector<CheckFinding> check_tensors(const Dataset& training, const FitOptions& options) {
  std::vector<CheckFinding> findings;
  for (const TensorOptions& tensor : options.tensors) try {
      for (const std::string& text : tensor_warnings(tensor, tensor_facts(training, tensor, {tensor.keys})))
        findings.push_back({CheckFinding::Severity::warning, "tensor", text});
    } catch (const InputError& e) {
      findings.push_back({CheckFinding::Severity::error, "tensor", e.what()});
    }
  return findings;
}

}  // namespace gapkit
