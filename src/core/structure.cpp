#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/structure.hpp>

namespace gapkit {

double Structure::volume() const {
  return cell ? std::abs(cell->determinant()) : 0.0;
}

const Field* Structure::find_field(std::string_view key) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.key == key; });
  return found == fields.end() ? nullptr : &*found;
}

const Column* Structure::find_column(std::string_view name) const {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

void Structure::set_field(std::string_view key, FieldValue value) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.key == key; });
  Field& field = found == fields.end() ? fields.emplace_back() : *found;
  field = Field{std::string(key), std::move(value), ""};
}

void Structure::set_column(std::string_view name, int count, std::vector<double> values) {
  const auto expected = static_cast<std::size_t>(size()) * static_cast<std::size_t>(std::max(count, 0));
  if (count < 1 || values.size() != expected)
    throw InputError("column '" + std::string(name) + "' with " + std::to_string(count) + " values per atom has " +
                     std::to_string(values.size()) + " values for " + std::to_string(size()) + " atoms, expected " +
                     (count < 1 ? "at least one per atom" : std::to_string(expected)));
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
  Column& column = found == columns.end() ? columns.emplace_back() : *found;
  column = Column{std::string(name), count, std::move(values)};
}

}  // namespace gapkit
