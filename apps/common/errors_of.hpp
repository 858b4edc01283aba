#pragma once

#include <gapkit/fit/dataset.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/report/error_table.hpp>
#include <gapkit/report/report_pages.hpp>
#include <memory>

#include "progress_display.hpp"

namespace gapkit::apps {

/// Errors of a model on the frames of a data set. `total`: number of frames, 0 if unknown; `phase`: its name for the display.
/// `record`, if not null, gets every prediction.
ErrorTable errors_of(const std::shared_ptr<const Model>& model, const Dataset& data, const std::string& phase, std::int64_t total,
                     ProgressDisplay& display, PredictionRecord* record = nullptr);

}  // namespace gapkit::apps
