#include "errors_of.hpp"

#include <gapkit/predict/frame_batch.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit::apps {

ErrorTable errors_of(const std::shared_ptr<const Model>& model, const Dataset& data, const std::string& phase, std::int64_t total,
                     ProgressDisplay& display, PredictionRecord* record) {
  ErrorTable table;
  Predictor predictor(model);
  std::int64_t done = 0;
  FrameBatch batch(predictor, {}, [&](const Structure& frame, const Prediction& prediction) {
    if (record) record->add(frame, prediction);
    table.add(frame, prediction);
    display.show({phase, static_cast<double>(++done), static_cast<double>(total), "frames", "", false});
  });
  data.visit([&](const Structure& frame, const FramePlace&) { batch.add(frame); });
  batch.flush();
  display.finish();
  return table;
}

}  // namespace gapkit::apps
