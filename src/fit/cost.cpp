#include "fit/cost.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/fit/cross_validation.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/row_loops.hpp>

#include "fit/compression.hpp"
#include "fit/statistics_builder.hpp"

namespace gapkit {
namespace {

constexpr double steps_of_search = 26;      // usual number of evaluations until σ and δ have converged
constexpr double memory_speed = 7e9;        // bytes per second of one thread that adds packed matrices
constexpr double passes_of_fold = 20;       // over a packed matrix, for any number of groups
constexpr double factor_efficiency = 0.4;   // speed of a Cholesky factorisation of a thousand rows, relative to DGEMM
constexpr double inverse_and_traces = 2;    // of an evidence with gradient, in M³
constexpr double small_products = 2;        // time of whitening and Gram sums, relative to DGEMM
constexpr double select_efficiency = 0.08;  // speed of the selection, relative to DGEMM: limited by memory
constexpr double eigen_flop = 10;           // of the eigenvectors of a matrix, in its size³
constexpr double program_bytes = 6e7;
constexpr double squares_of_solution = 3;   // matrices of M² numbers: factors and posterior
constexpr double squares_of_left_out = 10;  // the same with the work space for structures that are left out
constexpr double basis_bytes = 7e7;         // of the choice of points for the prior of pairs or triplets

using TermPlan = FitPlan::TermPlan;

/// Time of one evaluation of the objective of [optimize].
double seconds_of_step(const FitOptions& options, const FitPlan& plan, double flop_per_second) {
  const auto m = static_cast<double>(plan.sparse_points());
  const double triangle = 4 * m * m;  // bytes
  if (options.optimize.objective != OptimizeOptions::Objective::cross_validation)
    return inverse_and_traces * m * m * m / flop_per_second + 4 * plan.gram_groups * triangle / memory_speed;
  // Each fold: one factorisation; products of every sum with the weights, and once more for the gradient.
  const int folds = std::max(1, options.optimize.folds), lanes = CrossValidation::lanes(plan.sparse_points(), folds);
  const double groups = static_cast<double>(plan.gram_groups) / folds, turns = std::ceil(static_cast<double>(folds) / lanes);
  const double speed = factor_efficiency * flop_per_second * (lanes > 1 ? 1.0 / thread_count() : 1.0);
  const double passes = passes_of_fold + groups * (2 * folds - 1);
  return turns * (m * m * m / 3 / speed + passes * triangle / memory_speed);
}

/// Candidates of a term that are kept.
double kept_candidates(const TermPlan& term, const TermDraft& draft) {
  return std::min(static_cast<double>(term.candidates), static_cast<double>(draft.options->max_candidates));
}

/// Flop of the selection, done at select_efficiency of the speed of DGEMM.
double selection_flop(const DataScan& scan) {
  double flop = 0;
  for (std::size_t t = 0; t < scan.drafts.size(); ++t) {
    const TermPlan& term = scan.plan.terms[t];
    flop += kept_candidates(term, scan.drafts[t]) * term.sparse_points * (term.sparse_points + 2.0 * term.rank + flop_of_few_features);
  }
  return flop;
}

bool has_derivatives(const FitOptions& options) {
  return options.use[Property::force] || options.use[Property::virial];
}

/// Flop of the kernel rows of one term with `features` after a compression, against `points`.
double row_flop(const FitOptions& options, const TermPlan& term, const TermDraft& draft, double features, double points) {
  if (term.features <= most_row_features) return flop_of_few_features * static_cast<double>(term.candidates) * points;
  if (!has_derivatives(options)) return 0;
  const double mapping = draft.options->compression.kind == "none" ? 0 : static_cast<double>(term.features);
  return 6 * static_cast<double>(draft.count.largest()) * features * (points + mapping);
}

/// Flop of the maps of features: principal directions, and the first fit of `learned`.
double compression_flop(const FitOptions& options, const DataScan& scan) {
  const FitPlan& plan = scan.plan;
  double flop = 0, of_first = 0, first_points = 0;
  bool is_any_learned = false;
  for (std::size_t t = 0; t < scan.drafts.size(); ++t) {
    const TermPlan& term = plan.terms[t];
    const TermDraft& draft = scan.drafts[t];
    const double candidates = kept_candidates(term, draft), features = term.features;
    double points = term.sparse_points, rank = term.rank;
    if (draft.options->compression.kind != "none")
      flop += candidates * features * (std::min(features, candidates) + 2.0 * term.rank) +
              eigen_flop * std::pow(std::min(features, candidates), 3);
    if (is_learned(*draft.options)) {
      is_any_learned = true;
      points = std::min<double>(FirstFit::most_points, points);
      rank = std::min<double>(term.features, FirstFit::rank(*draft.options, plan.elements.size()));
    }
    of_first += row_flop(options, term, draft, rank, points) + small_products * static_cast<double>(plan.rows()) * points * points;
    first_points += points;
  }
  if (!is_any_learned) return flop;
  of_first += small_products * static_cast<double>(plan.rows()) * first_points * first_points;
  flop += FirstFit::part_of_structures * of_first + 4 * std::pow(first_points, 3);
  if (options.optimize.objective != OptimizeOptions::Objective::none)
    flop += FirstFit::steps * inverse_and_traces * std::pow(first_points, 3);
  return flop;
}

void estimate_flop(const FitOptions& options, DataScan& scan) {
  FitPlan& plan = scan.plan;
  const auto sparse = static_cast<double>(plan.sparse_points());
  for (std::size_t t = 0; t < plan.terms.size(); ++t) {
    const TermPlan& term = plan.terms[t];
    plan.phase_flop["kernel rows"] += row_flop(options, term, scan.drafts[t], term.rank, term.sparse_points);
    plan.phase_flop["whiten"] += static_cast<double>(plan.rows()) * term.sparse_points * term.sparse_points;  // block by block
  }
  plan.phase_flop["gram"] = static_cast<double>(plan.rows()) * sparse * sparse;
  if (const double flop = compression_flop(options, scan); flop > 0) plan.phase_flop["compress"] = flop;
  for (const auto& [phase, flop] : plan.phase_flop) plan.flop += flop;
}

/// Candidates with a copy of them, and for compressed terms the matrices of their directions.
double candidate_bytes(const DataScan& scan) {
  double bytes = 0, directions = 0;
  for (std::size_t t = 0; t < scan.drafts.size(); ++t) {
    const TermPlan& term = scan.plan.terms[t];
    const double kept = kept_candidates(term, scan.drafts[t]), features = term.features;
    bytes += 2 * kept * features * 8;
    if (scan.drafts[t].options->compression.kind != "none")
      directions = std::max(directions, 3 * 8 * std::pow(std::min(kept, features), 2));
  }
  return bytes + directions;
}

/// Work space of the calibration by left-out structures, without the rows that it keeps.
double calibration_bytes(const FitPlan& plan, double square) {
  const bool has_basis =
      std::any_of(plan.terms.begin(), plan.terms.end(), [](const TermPlan& t) { return t.features <= most_row_features; });
  return plan.gram_bytes + std::max(squares_of_left_out * square, squares_of_solution * square + (has_basis ? basis_bytes : 0.0));
}

void estimate_memory(const FitOptions& options, DataScan& scan) {
  FitPlan& plan = scan.plan;
  const auto sparse = static_cast<double>(plan.sparse_points()), rows = static_cast<double>(plan.rows());
  for (const auto& g : plan.groups) plan.gram_groups += g.rows > 0;
  const int groups = plan.gram_groups, folds = options.optimize.folds;
  if (folds > 1) plan.gram_groups *= folds;
  const double triangle = sparse * (sparse + 1) / 2 * 8, square = sparse * sparse * 8;
  plan.gram_bytes = plan.gram_groups * triangle;
  const double batch = std::min(rows, static_cast<double>(StatisticsBuilder::batch_rows(plan.sparse_points())));
  const double streaming = plan.gram_bytes + 2 * batch * sparse * 8 + 2 * square;
  double optimizing = 0;  // work space of Evidence and CrossValidation, and the sums over the folds
  if (folds > 1)
    optimizing = plan.gram_bytes + (groups + 7 + 3 * CrossValidation::lanes(plan.sparse_points(), folds)) * triangle;
  else if (options.optimize.objective != OptimizeOptions::Objective::none)
    optimizing = plan.gram_bytes + 5 * triangle;
  double calibrating = 0;
  if (options.calibration.source == CalibrationOptions::Source::leave_one_out) {
    calibrating = calibration_bytes(plan, square);
    plan.kept_bytes = rows * sparse * sizeof(float);
  }
  plan.memory_bytes = program_bytes + std::max({candidate_bytes(scan), streaming, optimizing, calibrating});
}

/// Wall seconds; `flop_per_second`: of DGEMM with all threads.
void estimate_seconds(const FitOptions& options, double flop_per_second, DataScan& scan) {
  FitPlan& plan = scan.plan;
  const auto m = static_cast<double>(plan.sparse_points());
  double flop = selection_flop(scan) / select_efficiency + 4 * m * m * m;  // K_MM, its factor, the solution
  for (const auto& [phase, count] : plan.phase_flop) flop += (phase == "kernel rows" || phase == "compress" ? 1.0 : small_products) * count;
  plan.search_seconds =
      options.optimize.objective == OptimizeOptions::Objective::none
          ? 0.0
          : std::min<double>(steps_of_search, options.optimize.max_evaluations) * seconds_of_step(options, plan, flop_per_second);
  plan.seconds = 1.25 * flop / flop_per_second + plan.search_seconds;
}

}  // namespace

void estimate_cost(const FitOptions& options, DataScan& scan) {
  estimate_flop(options, scan);
  estimate_memory(options, scan);
  estimate_seconds(options, measure_dgemm(0.05), scan);
}

}  // namespace gapkit
