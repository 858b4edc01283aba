#include <algorithm>
#include <gapkit/serve/committee.hpp>

namespace gapkit::serve {

Committee::Committee(std::span<const std::shared_ptr<const Model>> models, int error_bar_points) {
  for (const auto& model : models) {
    predictors_.push_back(std::make_unique<Predictor>(model, error_bar_points));
    cutoff_ = std::max(cutoff_, model->cutoff());
  }
}

std::span<const Prediction> Committee::compute(const Structure& structure, const PredictionRequest& request) {
  const Environments& environments = neighbors_.update(structure, cutoff_, KeptNeighbors::usual_skin);
  predictions_.clear();
  for (const auto& predictor : predictors_) predictions_.push_back(predictor->compute(structure, environments, request));
  return predictions_;
}

Mean mean_of(std::span<const Prediction> members) {
  Mean mean{members.front().energy, members.front().forces.value(), members.front().virial.value()};
  for (const Prediction& p : members.subspan(1)) {
    mean.energy += p.energy;
    mean.forces += p.forces.value();
    mean.virial += p.virial.value();
  }
  const auto count = static_cast<double>(members.size());
  mean.energy /= count;
  mean.forces /= count;
  mean.virial /= count;
  return mean;
}

Vector spread_of(std::span<const Prediction> members, const std::function<Vector(const Prediction&)>& values) {
  Vector mean = values(members.front());
  for (const Prediction& p : members.subspan(1)) mean += values(p);
  mean /= static_cast<double>(members.size());
  Vector squares = Vector::Zero(mean.size());
  for (const Prediction& p : members) squares += (values(p) - mean).cwiseAbs2();
  return (squares / static_cast<double>(members.size() - 1)).cwiseSqrt();
}

}  // namespace gapkit::serve
