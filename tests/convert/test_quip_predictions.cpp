#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/predict/predictor.hpp>

#include "convert/quip_predictions.hpp"
#include "support/support.hpp"

namespace gapkit::test {

Differences differences_from(const Model& model, const std::filesystem::path& predictions, const std::string& forces_key) {
  Differences worst;
  Predictor predictor(std::make_shared<const Model>(model));
  const auto raise = [](double& value, double other) { value = other > value || std::isnan(other) ? other : value; };
  for (Structure s : read_extxyz(predictions)) {
    TargetKeys keys;
    keys.name("energy", "energy");
    keys.name("forces", forces_key);
    keys.name("virial", "virial");
    assign_targets(s, keys);
    const Column* variance = s.find_column("local_gap_variance");
    const Prediction ours = predictor.compute(s, {.local_std = variance != nullptr});
    raise(worst.energy, std::abs(ours.energy - s.energy.value()) / s.size());
    raise(worst.forces, largest_difference(*ours.forces, s.forces.value()));
    if (s.virial) raise(worst.virial, largest_difference(*ours.virial, *s.virial));
    worst.virials += s.virial ? 1 : 0;
    if (variance) {
      const auto& theirs = std::get<std::vector<double>>(variance->values);
      const Vector& local = ours.local_quip_variance.value();
      for (int i = 0; i < s.size(); ++i) raise(worst.variance, std::abs(local[i] / theirs[static_cast<std::size_t>(i)] - 1));
      ++worst.variances;
    }
    ++worst.frames;
  }
  return worst;
}

Differences differences_between(const Model& a, const Model& b, const std::vector<Structure>& structures) {
  Differences worst;
  Predictor first(std::make_shared<const Model>(a)), second(std::make_shared<const Model>(b));
  const auto raise = [](double& value, double other) { value = other > value || std::isnan(other) ? other : value; };
  for (const Structure& s : structures) {
    const Prediction p = first.compute(s), q = second.compute(s);
    raise(worst.energy, std::abs(p.energy - q.energy) / s.size());
    raise(worst.forces, largest_difference(*p.forces, *q.forces));
    raise(worst.virial, largest_difference(*p.virial, *q.virial));
    ++worst.frames;
  }
  return worst;
}

}  // namespace gapkit::test
