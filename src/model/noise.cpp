#include <cmath>
#include <gapkit/model/noise.hpp>

namespace gapkit {
namespace {

constexpr std::int64_t fewest_rows = 20;  // that a config type needs for a root mean square of its own

// σ of a class that rows were fitted with; null if there were none.
const double* fitted_sigma(const Model& model, Property property, const std::string& config_class) {
  for (const RowGroup& group : model.posterior.groups)
    if (group.property == property && !group.fixed && group.config_class == config_class) return &group.sigma;
  return nullptr;
}

}  // namespace

std::optional<double> own_sigma(const Structure& structure, Property property, int row) {
  return structure.sigma[property].of_row(row, target_info(property).components);
}

std::string own_sigma_key(const Structure& structure, Property property) {
  const GivenSigmas& sigma = structure.sigma[property];
  return std::string(property_name(property)) + (!sigma.component.empty() ? "_component" : !sigma.atom.empty() ? "_atom" : "") + "_sigma";
}

double own_noise(const std::vector<NoiseRecord>& records, Property property) {
  double square = 0, rows = 0;
  for (const NoiseRecord& r : records)
    if (r.property == property) {
      square += r.own_square;
      rows += static_cast<double>(r.own_rows);
    }
  return rows > 0 ? std::sqrt(square / rows) : 0;
}

NoiseLevel noise_level(const Model& model, Property property, const std::string& config_type) {
  using Origin = NoiseLevel::Origin;
  const double* common = fitted_sigma(model, property, "default");
  double square = 0, own_rows = 0, class_rows = 0;
  for (const NoiseRecord& r : model.posterior.noise) {
    if (r.property != property) continue;
    const double* named = fitted_sigma(model, property, r.config_type);
    const double* sigma = named ? named : common;
    const auto own = static_cast<double>(r.own_rows), of_class = sigma ? static_cast<double>(r.class_rows) : 0.0;
    const double sum = r.own_square + (sigma ? of_class * *sigma * *sigma : 0.0);
    if (r.config_type == config_type) {
      // The σ that most rows of the type have been fitted with says more than that of its class.
      if (r.own_rows >= fewest_rows && own > of_class) return {Origin::given_rows, std::sqrt(sum / (own + of_class))};
      if (of_class > 0 && (named || of_class >= own)) return {Origin::class_rows, *sigma};
    }
    square += sum;
    own_rows += own;
    if (!named || !common) class_rows += of_class;  // rows of the default class, or all if there is none
    if (named && common) square -= of_class * *named * *named;
  }
  if (const double* named = fitted_sigma(model, property, config_type); named && config_type != "default")
    return {Origin::class_rows, *named};
  if (common && own_rows <= class_rows) return {Origin::class_rows, *common};
  if (own_rows + class_rows > 0) return {Origin::given_rows, std::sqrt(square / (own_rows + class_rows))};
  if (common) return {Origin::class_rows, *common};
  return {};
}

std::vector<double> row_noise(const Model& model, Property property, const Structure& structure) {
  std::vector<double> result;
  const int count = target_info(property).row_count(structure.size());
  if (count > 0 && !own_sigma(structure, property)) {
    const double h = target_info(property).noise_scale(structure.size(), model.scale_with_atoms);
    result.assign(static_cast<std::size_t>(count), h * noise_level(model, property, structure.config_type).sigma);
    return result;
  }
  for (int i = 0; i < count; ++i) result.push_back(*own_sigma(structure, property, i));
  return result;
}

}  // namespace gapkit
