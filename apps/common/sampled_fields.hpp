#pragma once

#include <gapkit/predict/predictor.hpp>
#include <memory>
#include <string>
#include <vector>

namespace gapkit::apps {

/// Predictions of members of the posterior's ensemble, one predictor for each.
class SampledFields {
 public:
  /// `count` members drawn with `seed`; forces too if `with_forces`, unless the base of the model has none.
  SampledFields(const Model& model, int count, std::uint64_t seed, bool with_forces);

  /// Sets PREFIXenergy_samples and PREFIXforces_samples; sets no field without members.
  void set_fields(Structure& frame, const std::string& prefix);

 private:
  std::vector<std::unique_ptr<Predictor>> members_;
  bool with_forces_;
};

}  // namespace gapkit::apps
