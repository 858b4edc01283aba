#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <sstream>

namespace gapkit {

std::map<int, double> element_values_of(const std::string& text, const std::string& where) {
  std::map<int, double> values;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    std::istringstream words(part);
    std::string symbol, equals, rest;
    double value = 0;
    if (!(words >> symbol >> equals >> value) || equals != "=" || words >> rest || !std::isfinite(value))
      throw InputError(fmt::format("{}: found '{}', expected an element and a number, as in 'Na = 1.0, Cl = -1.0'", where, part));
    const int z = find_atomic_number(symbol);
    if (z == 0) throw InputError(fmt::format("{}: '{}' is no element", where, symbol));
    if (!values.emplace(z, value).second) throw InputError(fmt::format("{}: {} occurs twice", where, symbol));
  }
  return values;
}

std::string element_values_text(const std::map<int, double>& values) {
  std::map<std::string, double> by_name;
  for (const auto& [z, value] : values) by_name[element_symbol(z)] = value;
  std::string text;
  for (const auto& [symbol, value] : by_name) text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", symbol, value);
  return text;
}

}  // namespace gapkit
