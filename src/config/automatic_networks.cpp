#include "config/automatic_networks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/sample_errors.hpp>
#include <gapkit/kernels/kernel.hpp>

#include "config/automatic_terms.hpp"

namespace gapkit {
namespace {

constexpr double clear = 0.95, much = 1.1;  // ratios of errors
// Of the sparse points of a sample: the time of the trial grows as their cube.
constexpr double all_points = 1, few_points = 1.0 / 3;
constexpr int fewest_points_of_trial = 20;
constexpr int steps_from_own = 6;  // of the search for σ, which begins where that with SOAP's own kernel has ended

/// Mean ratio of the errors of energies and forces; infinite if one of them is much larger, in the mean of the folds or of all rows.
double ratio(const SampleErrors& with, const SampleErrors& without) {
  double product = 1;
  int factors = 0;
  for (const Property property : {Property::energy, Property::force}) {
    const double one = with.error[property], other = without.error[property];
    if (!std::isfinite(other) || !(other > 0)) continue;
    if (!(one <= much * other) || !(with.pooled[property] <= much * without.pooled[property])) return INFINITY;
    product *= one / other;
    ++factors;
  }
  return factors > 0 ? std::pow(product, 1.0 / factors) : INFINITY;
}

/// For a trial.
FitConfiguration with_points(FitConfiguration options, double part) {
  const auto reduce = [&](int& points) {
    const int usual = std::min(points, most_points_of_sample);
    points = std::max(std::min(usual, fewest_points_of_trial), static_cast<int>(std::lround(part * usual)));
  };
  for (TermOptions& term : options.terms) {
    reduce(term.n_sparse);
    for (auto& [combination, points] : term.species_n_sparse) reduce(points);
  }
  return options;
}

/// Estimated time of fits to a sample, s; infinite if they need more memory than allowed, absent if the data are too few.
std::optional<double> seconds_of(const FitData& given, const DataSummary& data, const std::vector<const FitConfiguration*>& fits,
                                 double part) {
  double seconds = 0;
  for (const FitConfiguration* options : fits) {
    const std::optional<FitPlan> plan = plan_of_sample(given.train, with_points(*options, part), data.isolated);
    if (!plan) return std::nullopt;
    seconds += plan->memory_bytes <= 1e9 * options->memory ? plan->seconds : INFINITY;
  }
  return seconds;
}

}  // namespace

std::vector<NetworkCandidate> network_candidates(const FitConfiguration& options, std::size_t elements) {
  NetworkCandidate on_soap{options, "ntk on the features of SOAP"}, on_functions{options, "ntk on symmetry functions"};
  TermOptions& soap = on_soap.options.terms.back();
  soap.kernel = "ntk";
  soap.kernel_parameters = complete_parameters({}, kernel_kind(soap.kernel).parameters, soap.kernel);
  std::vector<TermOptions>& terms = on_functions.options.terms;
  std::erase_if(terms, [&](const TermOptions& term) { return term.descriptor == "soap" && term.name != options.terms.back().name; });
  terms.back() = functions_term(options.terms.back(), elements);
  return {on_soap, on_functions};
}

void choose_network(const FitData& given, const DataSummary& data, double most_seconds, FitConfiguration& options,
                    std::vector<std::string>& reasons, const ProgressCallback& progress) {
  const ProgressCallback shown = [&](const ProgressEvent& event) {
    ProgressEvent named = event;
    named.phase = "try a network: " + event.phase;
    if (progress) progress(named);
  };
  FitConfiguration compared = options;
  // All candidates leave out the same structures.
  compared.optimize.leaves_out_unlearned = std::any_of(options.terms.begin(), options.terms.end(), is_learned);
  std::vector<NetworkCandidate> candidates = network_candidates(compared, data.atoms_of.size());
  std::vector<const FitConfiguration*> tried = {&compared};
  for (NetworkCandidate& candidate : candidates) {
    candidate.options.optimize.max_evaluations = std::min(candidate.options.optimize.max_evaluations, steps_from_own);
    tried.push_back(&candidate.options);
  }
  double part = all_points;
  std::optional<double> seconds = seconds_of(given, data, tried, part);
  if (seconds > most_seconds) seconds = seconds_of(given, data, tried, part = few_points);
  if (!seconds) return;
  if (*seconds > most_seconds) {
    const std::string why = std::isfinite(*seconds) ? fmt::format("as this would take {:.0f} s", *seconds) : "for lack of memory";
    reasons.push_back(fmt::format("kernels of networks: not tried, {}; --tune tries them", why));
    return;
  }
  const auto errors_of = [&](const FitConfiguration& fitted) {
    return fold_errors_of_sample(given.train, with_points(fitted, part), data.isolated, shown).value();
  };
  const SampleErrors own = errors_of(compared);
  double best = clear;
  for (NetworkCandidate& candidate : candidates) {
    std::string text;
    double found = INFINITY;
    try {
      candidate.options.optimize.start = own.factors;
      const SampleErrors errors = errors_of(candidate.options);
      found = ratio(errors, own);
      text = fmt::format("errors of {} structures in {} folds: {} with it, {} without", errors.structures, errors.folds, errors.text(),
                         own.text());
    } catch (const Error& error) {
      text = fmt::format("cannot be tried: {}", error.what());
    }
    const bool helps = found < best;
    reasons.push_back(fmt::format("{}: {}; {}", candidate.name, text, helps ? "it helps" : "it is left out"));
    if (!helps) continue;
    best = found;
    options.terms = candidate.options.terms;
  }
}

}  // namespace gapkit
