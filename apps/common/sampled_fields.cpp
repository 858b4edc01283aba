#include "sampled_fields.hpp"

#include <gapkit/model/sample.hpp>

#include "predicted_fields.hpp"

namespace gapkit::apps {

SampledFields::SampledFields(const Model& model, int count, std::uint64_t seed, bool with_forces)
    : with_forces_(with_forces && (!model.base.is_used() || model.base.has(target_info(Property::force)))) {
  for (int i = 0; i < count; ++i)
    members_.push_back(std::make_unique<Predictor>(std::make_shared<const Model>(sample_model(model, seed, i))));
}

void SampledFields::set_fields(Structure& frame, const std::string& prefix) {
  if (members_.empty()) return;
  std::vector<double> energies;
  Matrix forces(frame.size(), 3 * static_cast<Eigen::Index>(members_.size()));
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const Prediction prediction = members_[m]->compute(frame, {.forces = with_forces_});
    energies.push_back(prediction.energy);
    if (with_forces_) forces.middleCols(3 * static_cast<Eigen::Index>(m), 3) = *prediction.forces;
  }
  frame.set_field(prefix + "energy_samples", energies);
  if (with_forces_) frame.set_column(prefix + "forces_samples", static_cast<int>(forces.cols()), as_list(forces));
}

}  // namespace gapkit::apps
