#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/sparse_points.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/term_kernel.hpp>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "fit/candidate_gatherer.hpp"
#include "fit/choose_points.hpp"

namespace gapkit {
namespace {

// The configured fraction of the range of each feature.
std::vector<double> lengths_of_range(const TermOptions& term, const Candidates& candidates) {
  std::vector<double> lengths;
  for (Eigen::Index d = 0; d < candidates.x.cols(); ++d) {
    const double range = candidates.x.col(d).maxCoeff() - candidates.x.col(d).minCoeff();
    if (!(range > 0))
      throw InputError("term '" + term.name + "': length_scale as a fraction of the range, but feature " + std::to_string(d + 1) +
                       " is constant");
    lengths.push_back(*term.length_scale_fraction * range);
  }
  return lengths;
}

// Kernel parameters of each draft. A combination without environments gets the largest lengths of its term's others.
std::vector<Parameters> resolved_kernel_parameters(const DataScan& scan, const std::vector<Candidates>& candidates) {
  std::vector<Parameters> result;
  std::map<const TermOptions*, std::vector<double>> largest;
  for (std::size_t t = 0; t < scan.drafts.size(); ++t) {
    const TermOptions& term = *scan.drafts[t].options;
    result.push_back(term.kernel_parameters);
    if (term.length_scale_root)
      result.back().set("length_scale",
                        std::vector<double>{*term.length_scale_root * std::sqrt(scan.drafts[t].descriptor->usual_square())});
    if (term.input_scale_over_size)
      result.back().set("input_scale", *term.input_scale_over_size / usual_square(*scan.drafts[t].descriptor));
    if (!term.length_scale_fraction || candidates[t].x.rows() == 0) continue;
    const std::vector<double> lengths = lengths_of_range(term, candidates[t]);
    std::vector<double>& most = largest[&term];
    most.resize(lengths.size(), 0);
    for (std::size_t d = 0; d < lengths.size(); ++d) most[d] = std::max(most[d], lengths[d]);
    result.back().set("length_scale", lengths);
  }
  for (std::size_t t = 0; t < scan.drafts.size(); ++t) {
    const TermOptions& term = *scan.drafts[t].options;
    if (!term.length_scale_fraction || candidates[t].x.rows() > 0) continue;
    const auto others = largest.find(&term);
    if (others == largest.end())
      throw InputError("term '" + term.name +
                       "': length_scale as a fraction of the range, but the training data have no environment of this term");
    result[t].set("length_scale", others->second);
  }
  return result;
}

SparseSet subset(const Candidates& candidates, const std::vector<int>& chosen) {
  SparseSet set;
  set.x.resize(static_cast<Eigen::Index>(chosen.size()), candidates.x.cols());
  set.covariance_cutoff.resize(set.x.rows());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    set.x.row(static_cast<Eigen::Index>(i)) = candidates.x.row(chosen[i]);
    set.covariance_cutoff[static_cast<Eigen::Index>(i)] = candidates.covariance_cutoff[chosen[i]];
    set.origin.push_back(candidates.origin[static_cast<std::size_t>(chosen[i])]);
  }
  return set;
}

std::vector<int> indices_in(const Candidates& candidates, const std::vector<std::int64_t>& wanted, const std::string& file) {
  std::unordered_map<std::int64_t, int> place;
  for (std::size_t i = 0; i < candidates.serial.size(); ++i) place[candidates.serial[i]] = static_cast<int>(i);
  std::vector<int> chosen;
  for (const std::int64_t number : wanted) {
    const auto found = place.find(number - 1);
    if (found == place.end())
      throw InputError(file + ": environment " + std::to_string(number) + " does not exist; the training data have " +
                       std::to_string(candidates.serial.size()));
    chosen.push_back(found->second);
  }
  return chosen;
}

// Drops points whose pivot in the Cholesky factorisation of K + jitter vanishes in rounding.
void drop_dependent_points(Term& term, std::vector<std::int64_t>& serial, TermReport& report) {
  Matrix k = sparse_covariance(term);
  if (!k.allFinite())
    throw NumericalError("the kernel matrix of term '" + term.label() +
                         "' holds NaN or infinity; choose kernel parameters that are closer to their usual values");
  const double tolerance = 4 * static_cast<double>(k.rows()) * std::numeric_limits<double>::epsilon();
  // The rank of K alone: with the jitter on the diagonal, the pivot of a dependent point is jitter · (1 + |coefficients|²), which may be
  // large.
  report.effective_rank = static_cast<int>(pivoted_cholesky(k, std::max(tolerance, report.jitter / k.diagonal().maxCoeff())).pivot.size());
  k.diagonal().array() += report.jitter;
  const PivotedCholesky factor = pivoted_cholesky(k, tolerance);
  report.dropped = static_cast<int>(k.rows()) - static_cast<int>(factor.pivot.size());
  if (report.dropped == 0) return;
  std::vector<int> keep = factor.pivot;
  std::sort(keep.begin(), keep.end());
  SparseSet kept;
  kept.x.resize(static_cast<Eigen::Index>(keep.size()), term.sparse.x.cols());
  kept.covariance_cutoff.resize(kept.x.rows());
  std::vector<std::int64_t> kept_serial;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    kept.x.row(static_cast<Eigen::Index>(i)) = term.sparse.x.row(keep[i]);
    kept.covariance_cutoff[static_cast<Eigen::Index>(i)] = term.sparse.covariance_cutoff[keep[i]];
    if (!term.sparse.origin.empty()) kept.origin.push_back(term.sparse.origin[static_cast<std::size_t>(keep[i])]);
    if (!serial.empty()) kept_serial.push_back(serial[static_cast<std::size_t>(keep[i])]);
  }
  term.sparse = std::move(kept);
  serial = std::move(kept_serial);
}

// The kept points, and further ones with the largest pivots of the kernel matrix of kept points and candidates.
SparseSet extended(const SparseSet& kept, const Candidates& candidates, SelectionRequest request, int total) {
  const Eigen::Index before = kept.size(), offered = candidates.x.rows();
  if (kept.x.cols() != candidates.x.cols())
    throw InputError("the kept sparse points have " + std::to_string(kept.x.cols()) + " features, the term has " +
                     std::to_string(candidates.x.cols()));
  SparseSet set = kept;
  request.count = total - static_cast<int>(before);
  if (request.count < 1 || offered == 0) return set;
  Candidates all;
  all.x.resize(before + offered, kept.x.cols());
  all.x << kept.x, candidates.x;
  all.covariance_cutoff.resize(before + offered);
  all.covariance_cutoff << kept.covariance_cutoff, candidates.covariance_cutoff;
  request.chosen_before = static_cast<int>(before);
  const std::vector<int> chosen = selection_kind("variance").choose(all, request);
  const Eigen::Index size = before + static_cast<Eigen::Index>(chosen.size());
  set.x.conservativeResize(size, Eigen::NoChange);
  set.covariance_cutoff.conservativeResize(size);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const Eigen::Index to = before + static_cast<Eigen::Index>(i);
    set.x.row(to) = all.x.row(chosen[i]);
    set.covariance_cutoff[to] = all.covariance_cutoff[chosen[i]];
    if (!kept.origin.empty()) set.origin.push_back(candidates.origin[static_cast<std::size_t>(chosen[i] - before)]);
  }
  return set;
}

// Points in features of another map or of other channels are not kept.
bool is_extended(const TermOptions& term, const Descriptor& descriptor) {
  return term.selection != "file" && term.selection != "indices" && term.selection != "uniform" && term.selection != "all" &&
         !descriptor.feature_map() && !descriptor.contracted_channels() && !descriptor.chosen_functions();
}

/// Chooses the points of one term after the other.
class PointChooser {
 public:
  PointChooser(const FitData& training, const FitOptions& options, const DataScan& scan, const FitRun& run)
      : training_(training), options_(options), scan_(scan), run_(run) {
    for (const auto& [name, frames] : scan.plan.config_types) config_types_.push_back(name);
  }

  /// `term` has no points yet; `draft`: its number. Drops candidates that occur twice.
  void choose(std::size_t draft, Candidates& candidates, Term& term, TermReport& report) const {
    std::vector<std::int64_t> serial;
    if (scan_.drafts[draft].options->selection == "file") {
      term.sparse = scan_.drafts[draft].read_listed_points(scan_.listed_file(scan_.drafts[draft]));
      report.asked = static_cast<int>(term.sparse.size());
    } else {
      report.candidates = static_cast<std::int64_t>(candidates.serial.size());
      serial = choose_among(draft, candidates, term, report);
    }
    candidates = {};
    drop_dependent_points(term, serial, report);
    report.chosen = static_cast<int>(term.sparse.size());
    if (report.dropped > 0)
      warn(report, fmt::format("{} of {} sparse points depend linearly on the others beyond the jitter and were dropped", report.dropped,
                               report.dropped + report.chosen));
    if (run_.chosen) run_.chosen(term, serial);
  }

 private:
  /// Sets the points of the term; returns the numbers of their environments.
  std::vector<std::int64_t> choose_among(std::size_t draft, Candidates& candidates, Term& term, TermReport& report) const {
    TermOptions settings = *scan_.drafts[draft].options;
    settings.n_sparse = scan_.drafts[draft].n_sparse();
    std::vector<int> chosen;
    if (settings.selection == "indices") {
      const std::string file = scan_.listed_file(scan_.drafts[draft]);
      chosen = indices_in(candidates, read_sparse_indices(file), file);
      report.asked = static_cast<int>(chosen.size());
    } else {
      const std::vector<int> distinct = remove_duplicates(candidates);
      report.duplicates = report.candidates - static_cast<std::int64_t>(distinct.size());
      if (report.duplicates > 0) keep_candidates(candidates, distinct);
      report.asked = scan_.drafts[draft].sparse_points(static_cast<std::int64_t>(distinct.size()));
      SelectionRequest request;
      request.seed = options_.seed + 1000003u * (draft + 1);
      request.kernel = term.kernel.get();
      if (const auto kept = training_.kept_points.find(report.label);
          kept != training_.kept_points.end() && is_extended(settings, *term.descriptor)) {
        term.sparse = extended(kept->second, candidates, request, report.asked);
        return {};
      }
      if (settings.selection == "all") {
        chosen.resize(distinct.size());
        std::iota(chosen.begin(), chosen.end(), 0);
      } else {
        chosen = choose_points(settings, candidates, config_types_, request, [&](const std::string& message) { warn(report, message); });
      }
    }
    term.sparse = subset(candidates, chosen);
    std::vector<std::int64_t> serial;
    for (const int i : chosen) serial.push_back(candidates.serial[static_cast<std::size_t>(i)]);
    return serial;
  }

  void warn(const TermReport& report, const std::string& message) const {
    if (run_.progress) run_.progress({.phase = "select", .message = "term '" + report.label + "': " + message, .is_warning = true});
  }

  const FitData& training_;
  const FitOptions& options_;
  const DataScan& scan_;
  const FitRun& run_;
  std::vector<std::string> config_types_;  // in the order of Candidates::config_type
};

}  // namespace

std::vector<Term> choose_sparse_points(const FitData& training, const FitOptions& options, DataScan& scan, std::vector<TermReport>& reports,
                                       const FitRun& run) {
  std::vector<Candidates> candidates =
      scan.candidates ? std::move(*scan.candidates) : gather_candidates(training.train, options, scan, run.progress);
  scan.candidates.reset();
  const std::vector<Parameters> kernel_parameters = resolved_kernel_parameters(scan, candidates);
  const PointChooser chooser(training, options, scan, run);
  std::vector<Term> terms;
  for (std::size_t t = 0; t < scan.drafts.size(); ++t) {
    const TermDraft& draft = scan.drafts[t];
    Term& term = terms.emplace_back(draft.make_term(scan.plan.elements, kernel_parameters[t]));
    TermReport& report = reports.emplace_back();
    report.label = term.label();
    report.jitter = draft.jitter(options);
    if (draft.is_empty) {
      term.sparse.x.resize(0, term.descriptor->size());
      continue;
    }
    chooser.choose(t, candidates[t], term, report);
    if (run.progress)
      run.progress(
          {.phase = "select", .done = static_cast<double>(t + 1), .total = static_cast<double>(scan.drafts.size()), .unit = "terms"});
  }
  return terms;
}

void write_sparse_points(const std::string& prefix, const Term& term, const std::vector<std::int64_t>& serial) {
  const std::string stem = prefix + "." + term.name + "-" + combination_name(term.species);
  TemporaryFile points(stem + ".points");
  char buffer[64];
  for (Eigen::Index i = 0; i < term.sparse.x.size(); ++i) {
    char* end = std::to_chars(buffer, buffer + sizeof buffer, term.sparse.x.data()[i]).ptr;
    *end++ = '\n';
    points.append({buffer, static_cast<std::size_t>(end - buffer)});
  }
  points.commit();
  if (serial.empty()) return;
  TemporaryFile indices(stem + ".indices");
  for (const std::int64_t s : serial) indices.append(std::to_string(s + 1) + "\n");
  indices.commit();
}

}  // namespace gapkit
