#include "fit/sample_options.hpp"

#include <algorithm>

#include "fit/input_scale.hpp"

namespace gapkit {
namespace {

constexpr int most_evaluations_of_sample = 60;  // of the evidence

}  // namespace

bool names_environments(const FitOptions& options) {
  for (const TermOptions& term : options.terms)
    if (!term.sparse_indices.empty()) return true;
  return false;
}

FitOptions options_of_sample(const FitOptions& given, int most_points) {
  FitOptions options = given;
  options.optimize = {};
  options.calibration.source = CalibrationOptions::Source::none;
  options.properties.clear();
  for (TermOptions& term : options.terms) {
    if (term.sparse_file.empty()) term.n_sparse = std::min(term.n_sparse, most_points);
    for (auto& [combination, points] : term.species_n_sparse) points = std::min(points, most_points);
    for (auto& [config_type, points] : term.config_type_n_sparse) points = std::min(points, most_points);
    if (has_free_input_scale(term)) term.input_scale_over_size = usual_input_scale;
  }
  return options;
}

OptimizeOptions search_of_sample(const FitOptions& given) {
  OptimizeOptions search = given.optimize;
  search.objective = OptimizeOptions::Objective::evidence;
  search.folds = 0;
  search.start.clear();
  search.max_evaluations = std::min(search.max_evaluations, most_evaluations_of_sample);
  return search;
}

}  // namespace gapkit
