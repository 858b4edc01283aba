#include "convert/gap_fit_data.hpp"

#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/io/extxyz.hpp>

namespace gapkit {
namespace {

std::optional<double> number_of(const Structure& frame, const std::string& key) {
  const Field* field = frame.find_field(key);
  if (!field) return {};
  if (const auto* real = std::get_if<double>(&field->value)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&field->value)) return static_cast<double>(*integer);
  return {};
}

std::string type_of(const Structure& frame, const std::string& key) {
  const Field* field = frame.find_field(key);
  if (!field) return "default";
  const auto* word = std::get_if<std::string>(&field->value);
  return word ? *word : field->text;
}

bool is_isolated(const Structure& frame, double cutoff) {
  return frame.size() == 1 && (cutoff <= 0 || NeighborList(frame, cutoff).pair_count() == 0);
}

}  // namespace

std::optional<GapFitData> look_into_gap_fit_data(const std::filesystem::path& path, const GapFitNames& names) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return {};
  GapFitData data;
  double sum = 0;
  std::int64_t count = 0;
  ExtxyzReader reader(path);
  while (const auto frame = reader.next()) {
    data.elements.insert(frame->atomic_numbers.begin(), frame->atomic_numbers.end());
    std::set<std::string>& of_type = data.keys_of_type[type_of(*frame, names.config_type)];
    for (const Field& field : frame->fields) of_type.insert(field.key);
    for (const Column& column : frame->columns) of_type.insert(column.name);
    const auto energy = number_of(*frame, names.energy);
    if (!energy) continue;
    sum += *energy / frame->size();
    ++count;
    if (is_isolated(*frame, names.cutoff)) data.isolated.emplace(frame->atomic_numbers.front(), *energy);
  }
  for (const auto& [type, keys] : data.keys_of_type) data.keys.insert(keys.begin(), keys.end());
  if (count > 0) data.mean_energy = sum / static_cast<double>(count);
  return data;
}

}  // namespace gapkit
