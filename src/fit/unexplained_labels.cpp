#include "fit/unexplained_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gapkit {
namespace {

// Errors are in σ.
constexpr std::int64_t fewest_force_rows = 30, fewest_virial_rows = 12, fewest_energy_rows = 5;  // rows of a config type
constexpr double fewest_correlation = 0.3;
constexpr double large_force_error = 5, largest_force_error = 20;  // beside better config types; of all together
constexpr double large_force_ratio = 2.5;                          // to the median of the other config types
constexpr double large_error = 50, large_ratio = 10;               // the same of energies and virials
constexpr double sure_error = 300;                                 // of energies, whatever the other config types have
constexpr double smallest_offset = 0.1;                            // eV per atom: an error below is no wrong label
constexpr double proportional = 0.6, small_slope = 0.2;            // of forces in a larger unit
constexpr double strong_correlation = -0.3;                        // of forces with the wrong sign

// Rows of one property: a config type, or all of them.
struct Part {
  const LabelAgreement* agreement;
  double score;  // error over the bound
};

// Forces that are far smaller than predicted belong to relaxed structures, which a poor model does not know as such; unless they are all 0
// or proportional to the predictions.
bool may_be_relaxed(const LabelAgreement& a) {
  constexpr double far_smaller = -20;
  return a.explained < far_smaller && a.correlation < proportional;  // NaN if all are 0
}

// Without variance both are NaN.
bool is_unrelated(const LabelAgreement& a) {
  return !(a.explained >= 0 && a.correlation >= fewest_correlation) && !may_be_relaxed(a);
}

// Median of the errors of the other config types; 0 if there are too few to compare with.
double median_of_others(const std::vector<const LabelAgreement*>& all, const LabelAgreement& one) {
  constexpr std::size_t fewest = 3;
  std::vector<double> errors;
  for (const LabelAgreement* a : all)
    if (a != &one) errors.push_back(a->error);
  if (errors.size() < fewest) return 0;
  const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::nth_element(errors.begin(), middle, errors.end());
  return *middle;
}

// 0 if the labels look as they should.
double score_of(const LabelAgreement& a, double median, double offset) {
  const bool is_compared = median > 0;
  if (std::isnan(a.error)) return INFINITY;
  if (a.property == Property::force) {
    if (a.rows < fewest_force_rows || !is_unrelated(a)) return 0;
    if (a.error > largest_force_error && !(a.explained >= 0)) return a.error / large_force_error;
    return is_compared && a.error > large_force_error && a.error > large_force_ratio * median ? a.error / large_force_error : 0;
  }
  const bool is_energy = a.property == Property::energy;
  if (a.rows < (is_energy ? fewest_energy_rows : fewest_virial_rows)) return 0;
  if (is_energy && std::abs(offset) < smallest_offset) return 0;
  const bool is_sure = is_energy && a.error > sure_error;
  const bool is_worst = is_compared && a.error > large_error && a.error > large_ratio * median;
  return is_sure || is_worst ? a.error / (0.4 * large_error) : 0;
}

std::string describe(const LabelAgreement& a, double offset) {
  const auto number = [](double value, int digits) {
    return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : std::string("undefined");
  };
  std::string text =
      fmt::format("'{}': slope {}, correlation {}, errors {:.3g} σ", a.config_type, number(a.slope, 2), number(a.correlation, 2), a.error);
  if (a.property == Property::energy) text += fmt::format(", {:+.3g} eV/atom on average", offset);
  if (a.property != Property::force) return text;
  if (a.correlation < strong_correlation && a.slope < -0.5) text += "; the sign seems to be reversed, expected −dE/dr";
  if (!std::isfinite(a.correlation)) text += "; all of them are 0";
  if (a.correlation > proportional && a.slope < small_slope)
    text += fmt::format("; they seem to be too small by a factor of {:.2g}", 1 / a.slope);
  return text;
}

std::string name_of(Property property) {
  std::string text;
  for (const TargetSource& source : target_info(property).sources) text += (text.empty() ? "" : " or ") + std::string(source.plural);
  return text;
}

}  // namespace

bool are_forces_unrelated(const std::vector<LabelAgreement>& agreement) {
  std::int64_t rows = 0, unrelated = 0;
  for (const LabelAgreement& a : agreement) {
    if (a.property != Property::force) continue;
    rows += a.rows;
    if (is_unrelated(a) && a.error > large_force_error) unrelated += a.rows;
  }
  return 2 * unrelated > rows;
}

std::optional<std::string> unexplained_labels(const std::vector<LabelAgreement>& agreement,
                                              const std::map<std::string, double>& mean_difference) {
  const auto offset_of = [&](const LabelAgreement& a) {
    const auto found = mean_difference.find(a.config_type);
    return found == mean_difference.end() ? 0.0 : found->second;
  };
  std::map<Property, std::vector<const LabelAgreement*>> of_property;
  for (const LabelAgreement& a : agreement) of_property[a.property].push_back(&a);
  std::vector<Part> worst;
  for (const auto& [property, all] : of_property) {
    std::vector<Part> parts;
    for (const LabelAgreement* a : all) {
      const double score = score_of(*a, median_of_others(all, *a), offset_of(*a));
      if (score > 0) parts.push_back({a, score});
    }
    std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.score > b.score; });
    if (!parts.empty() && (worst.empty() || parts.front().score > worst.front().score)) worst = parts;
  }
  if (worst.empty()) return std::nullopt;
  constexpr std::size_t most = 3;
  std::string text = fmt::format("the model does not explain the {} of config type", name_of(worst.front().agreement->property));
  if (worst.size() > 1) text += "s";
  for (std::size_t i = 0; i < std::min(most, worst.size()); ++i)
    text += fmt::format("{} {}", i ? " |" : "", describe(*worst[i].agreement, offset_of(*worst[i].agreement)));
  if (worst.size() > most) text += fmt::format(" | and {} more", worst.size() - most);
  return text +
         ". Look for another unit, sign, order of components or zero of energy in these labels (errors of the others can follow from "
         "them); if the labels are right, σ is too small for them, or the descriptors cannot describe them";
}

}  // namespace gapkit
