#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/fit/cross_validation.hpp>
#include <gapkit/fit/sample_errors.hpp>

#include "fit/frame_sample.hpp"
#include "fit/property_fit.hpp"
#include "fit/sample_options.hpp"

namespace gapkit {
namespace {

constexpr std::size_t fewest_of_sample = 20;
constexpr double no_memory_limit = 1e6;                    // GB
constexpr int folds_of_sample = 10, steps_of_sample = 15;  // of the search for σ and δ

std::vector<std::int64_t> sample_of_folds(const Dataset& training, const FitOptions& options) {
  std::vector<std::int64_t> numbers;
  if (!names_environments(options)) numbers = choose_sample(training.summary(), options.seed);
  if (numbers.size() < fewest_of_sample) numbers.clear();
  return numbers;
}

FitOptions options_of_folds(const FitOptions& given, const std::map<int, double>& reference_energies, int most_points) {
  FitOptions options = options_of_sample(given, most_points);
  // Isolated atoms are not in the sample.
  if (options.reference_energies.mode == ReferenceEnergyOptions::Mode::isolated) {
    options.reference_energies = {.mode = ReferenceEnergyOptions::Mode::explicit_values, .values = {}};
    for (const auto& [z, energy] : reference_energies) options.reference_energies.values[element_symbol(z)] = energy;
  }
  options.optimize = given.optimize;
  options.optimize.max_evaluations = std::min(given.optimize.max_evaluations, steps_of_sample);
  options.optimize.folds = std::max(options.optimize.folds, folds_of_sample);
  if (options.optimize.objective != OptimizeOptions::Objective::none)
    options.optimize.objective = OptimizeOptions::Objective::cross_validation;
  return options;
}

/// Geometric mean over the folds: one structure far from all others is in one of them. With fewer folds it would outweigh the others.
double mean_error(const CrossValidation::Value& value, Property property) {
  double sum = 0;
  int count = 0;
  for (std::size_t f = 0; f < value.fold_rows.size(); ++f) {
    if (!(value.fold_rows[f][property] > 0)) continue;
    sum += 0.5 * std::log(value.fold_square[f][property] / value.fold_rows[f][property]);
    ++count;
  }
  return count > 0 ? std::exp(sum / count) : NAN;
}

double pooled_error(const CrossValidation::Value& value, Property property) {
  double square = 0, rows = 0;
  for (std::size_t f = 0; f < value.fold_rows.size(); ++f) {
    square += value.fold_square[f][property];
    rows += value.fold_rows[f][property];
  }
  return rows > 0 ? std::sqrt(square / rows) : NAN;
}

}  // namespace

double SampleErrors::loss() const {
  double sum = 0;
  bool has_any = false;
  for (const Property property : {Property::energy, Property::force})
    if (std::isfinite(error[property])) {
      sum += std::log(error[property]);
      has_any = true;
    }
  if (has_any) return sum;
  return std::isfinite(error[Property::virial]) ? std::log(error[Property::virial]) : INFINITY;
}

std::string SampleErrors::text() const {
  std::string text;
  const auto add = [&](Property property, double factor, const char* unit) {
    if (std::isfinite(error[property])) text += fmt::format("{}{:.3g} {}", text.empty() ? "" : ", ", factor * error[property], unit);
  };
  add(Property::energy, 1000, "meV/√N");
  add(Property::force, 1, "eV/Å");
  if (text.empty()) add(Property::virial, 1000, "meV/√N");
  return text;
}

std::optional<SampleErrors> fold_errors_of_sample(const Dataset& training, const FitOptions& given,
                                                  const std::map<int, double>& reference_energies, const ProgressCallback& progress,
                                                  int most_points) {
  const std::vector<std::int64_t> numbers = sample_of_folds(training, given);
  if (numbers.empty()) return std::nullopt;
  const DatasetView sample(training, numbers);
  const ProgressCallback shown = [&](const ProgressEvent& event) {
    if (progress && event.message.empty()) progress(event);
  };
  const FitOptions of_sample = options_of_folds(given, reference_energies, most_points);
  const FitResult fitted = fit_field(sample, of_sample, shown);
  const OptimizationReport& search = fitted.report.optimization.value();
  const SufficientStatistics& statistics = fitted.statistics.value().statistics;
  std::vector<double> sigma;  // of each group of each fold
  for (const GroupStatistics& g : statistics.groups)
    for (std::size_t i = 0; i < search.groups.size(); ++i)
      if (search.groups[i].same_noise(g.group)) sigma.push_back(search.after.sigma[i]);
  CrossValidation folds(statistics, sparse_offsets(fitted.model.terms), of_sample.optimize.weights);
  const CrossValidation::Value value = folds.compute(sigma, search.after.delta_ratio, false);
  SampleErrors result;
  result.structures = static_cast<std::int64_t>(numbers.size());
  result.folds = of_sample.optimize.folds;
  result.factors = search.factors;
  for (const TargetInfo& target : targets()) {
    result.error[target.property] = mean_error(value, target.property);
    result.pooled[target.property] = pooled_error(value, target.property);
  }
  return result;
}

std::optional<FitPlan> plan_of_sample(const Dataset& training, const FitOptions& options, const std::map<int, double>& reference_energies,
                                      int most_points) {
  const std::vector<std::int64_t> numbers = sample_of_folds(training, options);
  if (numbers.empty()) return std::nullopt;
  const DatasetView sample(training, numbers);
  FitOptions planned = options_of_folds(options, reference_energies, most_points);
  planned.memory = no_memory_limit;  // the caller compares
  return plan_fit(FitData{sample}, planned);
}

}  // namespace gapkit
