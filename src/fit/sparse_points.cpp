#include <algorithm>
#include <charconv>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/sparse_points.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/environment_chunks.hpp>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "fit/candidate_pool.hpp"
#include "fit/choose_points.hpp"

namespace gapkit {
namespace {

// The fraction of the range of each feature that the configuration asks for.
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
  set.cutoff.resize(set.x.rows());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    set.x.row(static_cast<Eigen::Index>(i)) = candidates.x.row(chosen[i]);
    set.cutoff[static_cast<Eigen::Index>(i)] = candidates.cutoff[chosen[i]];
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

// Points whose pivot in the Cholesky factorisation of K + jitter vanishes in rounding cannot be told apart from the others: they go.
void drop_dependent_points(Term& term, std::vector<std::int64_t>& serial, TermReport& report) {
  Matrix k = sparse_covariance(term);
  if (!k.allFinite()) throw NumericalError("the kernel matrix of term '" + term.label() + "' holds NaN or infinity");
  const double rounding = 4 * static_cast<double>(k.rows()) * std::numeric_limits<double>::epsilon();
  // The rank is that of K alone: with the jitter on the diagonal, the pivot of a dependent point is jitter · (1 + |coefficients|²),
  // however large those are.
  report.effective_rank = static_cast<int>(pivoted_cholesky(k, std::max(rounding, report.jitter / k.diagonal().maxCoeff())).pivot.size());
  k.diagonal().array() += report.jitter;
  const PivotedCholesky factor = pivoted_cholesky(k, rounding);
  report.dropped = static_cast<int>(k.rows()) - static_cast<int>(factor.pivot.size());
  if (report.dropped == 0) return;
  std::vector<int> keep = factor.pivot;
  std::sort(keep.begin(), keep.end());
  SparseSet kept;
  kept.x.resize(static_cast<Eigen::Index>(keep.size()), term.sparse.x.cols());
  kept.cutoff.resize(kept.x.rows());
  std::vector<std::int64_t> kept_serial;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    kept.x.row(static_cast<Eigen::Index>(i)) = term.sparse.x.row(keep[i]);
    kept.cutoff[static_cast<Eigen::Index>(i)] = term.sparse.cutoff[keep[i]];
    if (!term.sparse.origin.empty()) kept.origin.push_back(term.sparse.origin[static_cast<std::size_t>(keep[i])]);
    if (!serial.empty()) kept_serial.push_back(serial[static_cast<std::size_t>(keep[i])]);
  }
  term.sparse = std::move(kept);
  serial = std::move(kept_serial);
}

// The kept points and behind them the candidates: the further ones are chosen so that the kernel matrix of all grows by its largest pivots.
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
  all.cutoff.resize(before + offered);
  all.cutoff << kept.cutoff, candidates.cutoff;
  request.chosen_before = static_cast<int>(before);
  const std::vector<int> chosen = selection_kind("variance").choose(all, request);
  const Eigen::Index size = before + static_cast<Eigen::Index>(chosen.size());
  set.x.conservativeResize(size, Eigen::NoChange);
  set.cutoff.conservativeResize(size);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const Eigen::Index to = before + static_cast<Eigen::Index>(i);
    set.x.row(to) = all.x.row(chosen[i]);
    set.cutoff[to] = all.cutoff[chosen[i]];
    if (!kept.origin.empty()) set.origin.push_back(candidates.origin[static_cast<std::size_t>(chosen[i] - before)]);
  }
  return set;
}

bool is_extended(const TermOptions& term) {
  return term.selection != "file" && term.selection != "indices" && term.selection != "uniform" && term.selection != "all";
}

constexpr std::size_t chunk_environments = 100'000;

// One pass over the data that fills the pool of every draft that needs one.
std::vector<Candidates> gather_candidates(const Dataset& training, const FitOptions& options, const DataScan& scan,
                                          const ProgressCallback& progress) {
  std::vector<std::unique_ptr<CandidatePool>> pools;
  double cutoff = 0;
  bool any = false;
  for (std::size_t t = 0; t < scan.drafts.size(); ++t) {
    const TermDraft& draft = scan.drafts[t];
    const std::string& selection = draft.options->selection;
    if (draft.is_empty || (selection == "file" && !draft.options->length_scale_fraction)) {
      pools.push_back(nullptr);
      continue;
    }
    any = true;
    const int capacity = selection == "indices" || selection == "all" ? std::numeric_limits<int>::max() : draft.options->max_candidates;
    pools.push_back(std::make_unique<CandidatePool>(draft.descriptor->size(), capacity, options.seed + 0x9E3779B9u * (t + 1)));
    cutoff = std::max(cutoff, draft.descriptor->cutoff());
  }
  std::vector<Candidates> result(scan.drafts.size());
  if (!any) return result;
  std::map<std::string, int> config_types;
  for (const auto& [name, count] : scan.plan.config_types) config_types.emplace(name, static_cast<int>(config_types.size()));
  Features features;
  std::int64_t done = 0;
  training.visit([&](const Structure& s, const FramePlace& place) {
    const StructureEnvironments environments(s, cutoff);
    const int config_type = config_types.at(s.config_type);
    for (std::size_t t = 0; t < pools.size(); ++t) {
      if (!pools[t]) continue;
      const Descriptor& descriptor = *scan.drafts[t].descriptor;
      for (int begin = 0; begin < s.size();) {
        const int end = chunk_end(environments.view(), descriptor, begin, chunk_environments);
        descriptor.compute(environments.view(), begin, end, Derivatives::none, features);
        begin = end;
        int previous = -1;
        std::int64_t ordinal = 0;
        for (int e = 0; e < features.size(); ++e) {
          const int centre = features.centre[static_cast<std::size_t>(e)];
          ordinal = centre == previous ? ordinal + 1 : 0;
          previous = centre;
          pools[t]->add(features.x.row(e), features.cutoff[static_cast<std::size_t>(e)], config_type, {place.number, centre, ordinal});
        }
      }
    }
    if (progress)
      progress(
          {.phase = "candidates", .done = static_cast<double>(++done), .total = static_cast<double>(scan.plan.frames), .unit = "frames"});
  });
  for (std::size_t t = 0; t < pools.size(); ++t)
    if (pools[t]) result[t] = pools[t]->take();
  return result;
}

}  // namespace

std::vector<Term> choose_sparse_points(const FitData& training, const FitOptions& options, const DataScan& scan,
                                       std::vector<TermReport>& reports, const FitRun& run) {
  const ProgressCallback& progress = run.progress;
  std::vector<Candidates> candidates = gather_candidates(training.train, options, scan, progress);
  const std::vector<Parameters> kernel_parameters = resolved_kernel_parameters(scan, candidates);
  std::vector<std::string> config_types;  // in the order of gather_candidates' numbers
  for (const auto& [name, count] : scan.plan.config_types) config_types.push_back(name);
  std::vector<Term> terms;
  for (std::size_t t = 0; t < scan.drafts.size(); ++t) {
    const TermDraft& draft = scan.drafts[t];
    TermOptions settings = *draft.options;
    settings.n_sparse = draft.n_sparse();
    TermReport report;
    Term term = draft.make_term(scan.plan.elements, kernel_parameters[t]);
    report.label = term.label();
    report.jitter = draft.jitter(options);

    if (draft.is_empty) {
      term.sparse.x.resize(0, term.descriptor->size());
      terms.push_back(std::move(term));
      reports.push_back(report);
      continue;
    }

    std::vector<std::int64_t> serial;
    if (settings.selection == "file") {
      const std::string file = scan.listed_file(draft);
      term.sparse = draft.read_listed_points(file);
      report.asked = static_cast<int>(term.sparse.x.rows());
    } else {
      report.candidates = static_cast<std::int64_t>(candidates[t].serial.size());
      std::vector<int> chosen;
      const auto kept = training.kept_points.find(report.label);
      const bool extends = kept != training.kept_points.end() && is_extended(settings);
      if (settings.selection == "indices") {
        const std::string file = scan.listed_file(draft);
        chosen = indices_in(candidates[t], read_sparse_indices(file), file);
        report.asked = static_cast<int>(chosen.size());
      } else {
        const std::vector<int> distinct = remove_duplicates(candidates[t]);
        report.duplicates = report.candidates - static_cast<std::int64_t>(distinct.size());
        if (report.duplicates > 0) keep_candidates(candidates[t], distinct);
        report.asked = draft.sparse_points(static_cast<std::int64_t>(distinct.size()));
        SelectionRequest request;
        request.seed = options.seed + 1000003u * (t + 1);
        request.kernel = term.kernel.get();
        if (settings.selection == "all") {
          chosen.resize(distinct.size());
          std::iota(chosen.begin(), chosen.end(), 0);
        } else if (extends) {
          term.sparse = extended(kept->second, candidates[t], request, report.asked);
        } else {
          chosen = choose_points(settings, candidates[t], config_types, request, [&](const std::string& message) {
            if (progress) progress({.phase = "select", .message = "term '" + report.label + "': " + message, .is_warning = true});
          });
        }
      }
      if (!extends) term.sparse = subset(candidates[t], chosen);
      for (const int i : chosen) serial.push_back(candidates[t].serial[static_cast<std::size_t>(i)]);
    }
    candidates[t] = {};
    drop_dependent_points(term, serial, report);
    report.chosen = static_cast<int>(term.sparse.size());
    if (report.dropped > 0 && progress)
      progress({.phase = "select",
                .message = "term '" + report.label + "': " + std::to_string(report.dropped) + " of " +
                           std::to_string(report.dropped + report.chosen) +
                           " sparse points depend linearly on the others beyond the jitter and were dropped",
                .is_warning = true});
    if (run.chosen) run.chosen(term, serial);
    if (progress)
      progress({.phase = "select", .done = static_cast<double>(t + 1), .total = static_cast<double>(scan.drafts.size()), .unit = "terms"});
    terms.push_back(std::move(term));
    reports.push_back(report);
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
