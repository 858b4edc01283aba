#pragma once

#include <gapkit/config/config.hpp>
#include <gapkit/fit/long_range_gain.hpp>
#include <nlohmann/json_fwd.hpp>

#include "progress_display.hpp"

namespace gapkit::apps {

/// Estimates what the long-range parts of a finished fit are worth, if it has some, and warns if they do harm. Its time goes to the phases.
std::optional<LongRangeGain> find_long_range_gain(const FitData& data, const FitConfiguration& options, FitResult& result,
                                                  const Model& model, ProgressDisplay& display);

/// The factor of fixed charges that the fit has found.
std::string charge_scale_text(const ChargeScale& scale);
nlohmann::ordered_json charge_scale_json(const ChargeScale& scale);

/// Errors with and without the long range, side by side.
std::string long_range_text(const LongRangeGain& gain);
nlohmann::ordered_json long_range_json(const LongRangeGain& gain);

}  // namespace gapkit::apps
