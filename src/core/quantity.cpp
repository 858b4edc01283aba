#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/quantity.hpp>
#include <utility>
#include <vector>

namespace gapkit {
namespace {

struct Rules {
  const char* expected;
  std::vector<std::pair<std::string, double>> units;  // the first one is meant where none is given
  double largest;                                     // in the first unit
  bool may_be_zero;
};

const Rules& rules_of(QuantityKind kind) {
  static const std::vector<std::pair<std::string, double>> times = {{"s", 1}, {"m", 60}, {"h", 3600}};
  // 30 years, and 1000 TB: more is a mistake, and would be infinite in other units.
  static const Rules duration{"a time above 0 in seconds, or with the unit s, m or h, such as 90s, 10m or 2h", times, 1e9, false};
  static const Rules interval{"a time in seconds, or with the unit s, m or h, such as 90s, 10m or 2h; or 0", times, 1e9, true};
  static const Rules memory{
      "a size above 0 in GB, or with the unit MB, GB or TB, such as 4, 500MB or 16GB", {{"GB", 1}, {"MB", 1e-3}, {"TB", 1e3}}, 1e6, false};
  return kind == QuantityKind::duration ? duration : kind == QuantityKind::interval ? interval : memory;
}

}  // namespace

double parse_quantity(const std::string& text, QuantityKind kind, const std::string& where) {
  const Rules& rules = rules_of(kind);
  double number = 0, factor = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(end, text.data() + text.size());
  for (const auto& [name, value] : rules.units)
    if (unit == name) factor = value;
  if (unit.empty()) factor = 1;
  const double value = number * factor;
  const bool is_number = error == std::errc() && factor > 0 && std::isfinite(value);
  if (!is_number || !(value > 0 || (value == 0 && rules.may_be_zero)))
    throw InputError(fmt::format("{} '{}': expected {}", where, text, rules.expected));
  if (value > rules.largest)
    throw InputError(fmt::format("{} '{}': expected at most {:g} {}", where, text, rules.largest, rules.units.front().first));
  return value;
}

}  // namespace gapkit
