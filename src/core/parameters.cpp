#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/parameters.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {
namespace {

using nlohmann::json;

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;  // clang before 17 does not deduce aggregates

/// The value for messages, with its type where the type matters.
std::string describe(const ParameterValue& value) {
  return std::visit(
      Overloaded{[](bool v) { return std::string(v ? "true" : "false"); }, [](std::int64_t v) { return fmt::format("the integer {}", v); },
                 [](double v) { return fmt::format("the number {}", v); }, [](const std::string& v) { return "the text '" + v + "'"; },
                 [](const std::vector<double>& v) { return fmt::format("a list of {} numbers", v.size()); }},
      value);
}

const char* describe(ParameterInfo::Type type) {
  switch (type) {
    case ParameterInfo::Type::boolean:
      return "true or false";
    case ParameterInfo::Type::integer:
      return "an integer";
    case ParameterInfo::Type::real:
      return "a number";
    case ParameterInfo::Type::text:
      return "a text";
    case ParameterInfo::Type::reals:
      return "a number or a list of numbers";
  }
  return "";
}

/// The value if it has the requested type, else nothing.
std::optional<ParameterValue> converted(const ParameterValue& value, ParameterInfo::Type type) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  std::optional<double> number;
  if (integer) number = static_cast<double>(*integer);
  if (real) number = *real;
  switch (type) {
    case ParameterInfo::Type::boolean:
      if (std::holds_alternative<bool>(value)) return value;
      break;
    case ParameterInfo::Type::integer:
      if (integer) return value;
      break;
    case ParameterInfo::Type::real:
      if (number) return ParameterValue(*number);
      break;
    case ParameterInfo::Type::text:
      if (std::holds_alternative<std::string>(value)) return value;
      break;
    case ParameterInfo::Type::reals:
      if (number) return ParameterValue(std::vector<double>{*number});
      if (std::holds_alternative<std::vector<double>>(value)) return value;
      break;
  }
  return std::nullopt;
}

const ParameterValue& find(const std::map<std::string, ParameterValue>& values, const std::string& name) {
  const auto found = values.find(name);
  if (found != values.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [key, value] : values) names.push_back(key);
  throw InputError("parameter '" + name + "' is missing" + suggestion(name, names));
}

template <class T>
T get(const std::map<std::string, ParameterValue>& values, const std::string& name, ParameterInfo::Type type) {
  const ParameterValue& value = find(values, name);
  const auto result = converted(value, type);
  if (!result) throw InputError(fmt::format("parameter '{}' is {}, expected {}", name, describe(value), describe(type)));
  return std::get<T>(*result);
}

/// "at least 1 and at most 20", in words.
std::string range_text(const ParameterInfo& info) {
  std::string text;
  if (std::isfinite(info.smallest)) text = fmt::format("{} {}", info.excludes_smallest ? "more than" : "at least", info.smallest);
  if (std::isfinite(info.largest)) text += fmt::format("{}at most {}", text.empty() ? "" : " and ", info.largest);
  if (text.empty()) text = "a finite number";
  return info.unit.empty() ? text : text + " " + info.unit;
}

void check_range(double number, const ParameterInfo& info, const std::string& prefix) {
  const bool above = info.excludes_smallest ? number > info.smallest : number >= info.smallest;
  if (std::isfinite(number) && above && number <= info.largest) return;
  throw InputError(fmt::format("{}'{}' is {}, expected {}", prefix, info.name, number, range_text(info)));
}

void check_ranges(const ParameterValue& value, const ParameterInfo& info, const std::string& prefix) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) check_range(static_cast<double>(*integer), info, prefix);
  if (const auto* real = std::get_if<double>(&value)) check_range(*real, info, prefix);
  if (const auto* list = std::get_if<std::vector<double>>(&value)) {
    if (list->empty()) throw InputError(fmt::format("{}'{}' is an empty list, expected at least one number", prefix, info.name));
    for (const double number : *list) check_range(number, info, prefix);
  }
}

/// JSON cannot express NaN and infinity.
void check_finite(const std::string& name, double number) {
  if (!std::isfinite(number)) throw InputError(fmt::format("parameter '{}' is {}, expected a finite number to save", name, number));
}

json to_json(const std::string& name, const ParameterValue& value) {
  if (const auto* real = std::get_if<double>(&value)) check_finite(name, *real);
  if (const auto* list = std::get_if<std::vector<double>>(&value))
    for (const double number : *list) check_finite(name, number);
  return std::visit([](const auto& v) { return json(v); }, value);
}

ParameterValue from_json(const std::string& name, const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  const auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool fits = !value.is_number_unsigned() || value.get<std::uint64_t>() <= largest;
  if (value.is_number_integer() && fits) return value.get<std::int64_t>();
  if (value.is_number_float()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array() && std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_number(); }))
    return value.get<std::vector<double>>();
  throw InputError(
      fmt::format("parameters in JSON: '{}' is {}, expected true, false, a number, a text or a list of numbers", name, value.dump()));
}

}  // namespace

bool Parameters::boolean(const std::string& name) const {
  return get<bool>(values_, name, ParameterInfo::Type::boolean);
}
std::int64_t Parameters::integer(const std::string& name) const {
  return get<std::int64_t>(values_, name, ParameterInfo::Type::integer);
}
double Parameters::real(const std::string& name) const {
  return get<double>(values_, name, ParameterInfo::Type::real);
}
std::string Parameters::text(const std::string& name) const {
  return get<std::string>(values_, name, ParameterInfo::Type::text);
}
std::vector<double> Parameters::reals(const std::string& name) const {
  return get<std::vector<double>>(values_, name, ParameterInfo::Type::reals);
}

Parameters complete_parameters(const Parameters& given, std::span<const ParameterInfo> infos, const std::string& where) {
  std::string prefix = where;
  if (!where.empty()) prefix += where.back() == ':' ? " " : ": ";

  std::vector<std::string> names;
  for (const ParameterInfo& info : infos) names.push_back(info.name);
  for (const auto& [name, value] : given.values())
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw InputError(prefix + "unknown key '" + name + "'" + suggestion(name, names));

  Parameters complete;
  for (const ParameterInfo& info : infos) {
    if (!given.has(info.name) && !info.default_value) {
      const std::string unit = info.unit.empty() ? "" : " in " + info.unit;
      throw InputError(
          fmt::format("{}'{}' is missing, expected {}{} ({})", prefix, info.name, describe(info.type), unit, info.description));
    }
    const ParameterValue& value = given.has(info.name) ? given.values().at(info.name) : *info.default_value;
    const auto result = converted(value, info.type);
    if (!result) throw InputError(fmt::format("{}'{}' is {}, expected {}", prefix, info.name, describe(value), describe(info.type)));
    check_ranges(*result, info, prefix);
    complete.set(info.name, *result);
  }
  return complete;
}

Parameters complete_stored_parameters(Parameters given, std::span<const ParameterInfo> infos, const std::string& where) {
  for (const ParameterInfo& info : infos)
    if (info.earlier_value && !given.has(info.name)) given.set(info.name, *info.earlier_value);
  return complete_parameters(given, infos, where);
}

std::string parameters_to_json(const Parameters& parameters) {
  json object = json::object();
  for (const auto& [name, value] : parameters.values()) object[name] = to_json(name, value);
  try {
    return object.dump();
  } catch (const json::exception& e) {
    throw InputError(std::string("parameters cannot be written as JSON: ") + e.what());
  }
}

Parameters parameters_from_json(const std::string& text) {
  json object;
  try {
    object = json::parse(text);
  } catch (const json::exception& e) {
    throw InputError(std::string("parameters in JSON cannot be read: ") + e.what());
  }
  if (!object.is_object()) throw InputError(std::string("parameters in JSON: expected an object, found ") + object.type_name());
  Parameters parameters;
  for (const auto& [name, value] : object.items()) parameters.set(name, from_json(name, value));
  return parameters;
}

}  // namespace gapkit
