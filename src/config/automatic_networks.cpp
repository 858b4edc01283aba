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

/// Mean ratio of the errors of energies and forces; infinite if one of them is much larger.
double ratio(const SampleErrors& with, const SampleErrors& without) {
  double product = 1;
  int factors = 0;
  for (const Property property : {Property::energy, Property::force}) {
    const double one = with.error[property], other = without.error[property];
    if (!std::isfinite(other) || !(other > 0)) continue;
    if (!(one <= much * other)) return INFINITY;
    product *= one / other;
    ++factors;
  }
  return factors > 0 ? std::pow(product, 1.0 / factors) : INFINITY;
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
  double seconds = 0;
  std::vector<const FitConfiguration*> tried = {&compared};
  for (const NetworkCandidate& candidate : candidates) tried.push_back(&candidate.options);
  for (const FitConfiguration* fitted : tried) {
    const std::optional<FitPlan> plan = plan_of_sample(given.train, *fitted, data.isolated);
    if (!plan) return;
    seconds += plan->seconds;
  }
  if (seconds > most_seconds) {
    reasons.push_back(fmt::format("kernels of networks: not tried, as this would take {:.0f} s; --tune tries them", seconds));
    return;
  }
  const SampleErrors own = fold_errors_of_sample(given.train, compared, data.isolated, shown).value();
  double best = clear;
  for (NetworkCandidate& candidate : candidates) {
    std::string text;
    double found = INFINITY;
    try {
      const SampleErrors errors = fold_errors_of_sample(given.train, candidate.options, data.isolated, shown).value();
      found = ratio(errors, own);
      text = fmt::format("errors of {} structures in five folds: {} with it, {} without", errors.structures, errors.text(), own.text());
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
