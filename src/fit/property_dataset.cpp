#include "fit/property_dataset.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace gapkit {
namespace {

constexpr double unequal_total = 0.05;    // in the unit of the property
constexpr std::int64_t most_unequal = 3;  // frames by name

bool is_periodic(const Structure& s) {
  return s.pbc[0] || s.pbc[1] || s.pbc[2];
}

}  // namespace

PropertyDataset::PropertyDataset(const Dataset& data, const PropertyOptions& options) : data_(data), options_(options) {
  data.visit([&](const Structure& frame, const FramePlace& place) { examine(frame, place.number); });
}

void PropertyDataset::examine(const Structure& given, std::int64_t number) {
  constexpr std::size_t most_names = 200;
  PropertyFacts& f = facts_;
  ++f.all_frames;
  for (const int z : given.atomic_numbers) f.elements.try_emplace(z, given.source);
  for (const Field& field : given.fields)
    if (f.keys.size() < most_names) f.keys.insert(field.key);
  for (const Column& column : given.columns)
    if (f.columns.size() < most_names) f.columns.insert(column.name);
  const LocalTargets targets = read_property(given, options_.keys);
  const bool has_dipole = targets.dipole && !is_periodic(given);
  f.periodic_dipoles += targets.dipole && is_periodic(given);
  if (targets.values.empty() && !targets.total && !has_dipole) return;
  f.frames.push_back(number);
  f.summary.add(given, number);
  f.values += static_cast<std::int64_t>(targets.values.size());
  f.dipoles += has_dipole;
  f.totals += targets.total.has_value();
  f.given_totals += !options_.keys.total.empty() && given.find_field(options_.keys.total) != nullptr;
  for (std::size_t i = 0; i < targets.values.size(); ++i) {
    auto& [sum, count] = f.sums[given.atomic_numbers[i]];
    sum += targets.values[i];
    ++count;
  }
  if (has_dipole && !targets.values.empty()) add_dipole(given, targets);
  if (targets.values.empty() || !targets.total) return;
  const double sum = std::accumulate(targets.values.begin(), targets.values.end(), 0.0);
  if (std::abs(sum - *targets.total) <= unequal_total) return;
  if (f.unequal_totals++ < most_unequal)
    f.first_unequal += fmt::format("{}{}: the values of '{}' add up to {:.4g}, but '{}' is {:.4g}", f.unequal_totals > 1 ? "; " : "",
                                   given.source, options_.keys.column, sum, options_.keys.total, *targets.total);
}

// About the centroid.
void PropertyDataset::add_dipole(const Structure& s, const LocalTargets& targets) {
  const Eigen::Map<const Vector> values(targets.values.data(), s.size());
  const Vector3 centroid = s.positions.colwise().mean().transpose();
  const Vector3 given = *targets.dipole - targets.total.value_or(values.sum()) * centroid;
  const Vector3 of_values = (s.positions.rowwise() - centroid.transpose()).transpose() * values;
  PropertyFacts::DipoleProducts& p = facts_.dipole_products;
  ++p.frames;
  p.given_values += given.dot(of_values);
  p.values_values += of_values.squaredNorm();
  p.given_given += given.squaredNorm();
}

Structure bare_frame(const Structure& given) {
  Structure s;
  s.cell = given.cell;
  s.pbc = given.pbc;
  s.atomic_numbers = given.atomic_numbers;
  s.positions = given.positions;
  s.config_type = given.config_type;
  s.source = given.source;
  return s;
}

Structure PropertyDataset::frame_of(const Structure& given) const {
  Structure s = bare_frame(given);
  s.local = read_property(given, options_.keys);
  if (s.local.dipole && is_periodic(s)) s.local.dipole.reset();
  if (s.local.dipole) {
    const double sum = std::accumulate(s.local.values.begin(), s.local.values.end(), 0.0);
    *s.local.dipole -= s.local.total.value_or(sum) * s.positions.colwise().mean().transpose();
  }
  if (s.local.total) s.sigma[Property::total].frame = options_.total_sigma * std::sqrt(static_cast<double>(s.size()));
  return s;
}

std::int64_t PropertyDataset::visit_frames(const Visitor& visitor, const VisitRequest& request) const {
  VisitRequest inner{.numbers = request.numbers ? request.numbers : &facts_.frames};
  inner.finding = request.finding;
  return data_.visit([&](const Structure& frame, const FramePlace& place) { visitor(frame_of(frame), place); }, inner);
}

}  // namespace gapkit
