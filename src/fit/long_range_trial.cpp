#include <cmath>
#include <gapkit/fit/long_range_trial.hpp>
#include <gapkit/fit/needed_properties.hpp>
#include <gapkit/model/bound_fields.hpp>

#include "fit/charge_scale.hpp"
#include "fit/frame_sample.hpp"
#include "fit/property_fit.hpp"
#include "fit/sample_options.hpp"

namespace gapkit {

std::optional<LongRangeTrial> try_long_range(const FitData& data, const FitOptions& options,
                                             const std::map<int, double>& reference_energies, const ProgressCallback& progress) {
  if (names_environments(options)) return std::nullopt;
  const ProgressCallback shown = [&](const ProgressEvent& event) {
    if (progress && event.message.empty()) progress(event);
  };
  FitOptions tried = options;
  keep_needed_properties(tried);
  const DatasetView sample(data.train, choose_sample(data.train.summary(), options.seed));
  if (!tried.properties.empty()) {
    FitOptions of_sample = options_of_sample(tried);
    of_sample.properties = tried.properties;
    bind_fields(tried.baselines, fit_properties(sample, of_sample, fit_field, shown).properties);
    tried.properties.clear();
  }
  LongRangeTrial trial;
  tried = with_charge_scale(data, tried, trial.scale, shown);
  trial.baselines = tried.baselines;
  std::optional<LongRangeGain> gain = long_range_gain(data, tried, reference_energies, shown);
  if (!gain) return std::nullopt;
  trial.gain = std::move(*gain);
  return trial;
}

bool helps(const LeftOutErrors& with_it, const LeftOutErrors& without_it) {
  constexpr double clear = 0.95, much = 1.1;
  double product = 1;
  int factors = 0;
  for (const auto member : {&LeftOutErrors::energy, &LeftOutErrors::force}) {
    const double with = with_it.*member, without = without_it.*member;
    if (!std::isfinite(with) || !(without > 0)) continue;
    if (with > much * without) return false;
    product *= with / without;
    ++factors;
  }
  return factors > 0 && std::pow(product, 1.0 / factors) < clear;
}

}  // namespace gapkit
