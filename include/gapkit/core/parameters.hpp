#pragma once

#include <gapkit/core/errors.hpp>
#include <gapkit/core/types.hpp>
#include <limits>
#include <map>
#include <variant>

namespace gapkit {

using ParameterValue = std::variant<bool, std::int64_t, double, std::string, std::vector<double>>;

/// Documentation, default and legal range of one parameter of a descriptor or kernel, for configuration, help and checks.
struct ParameterInfo {
  enum class Type { boolean, integer, real, text, reals /* one number, or one per dimension */ };

  std::string name = {};
  Type type = Type::real;
  std::string unit = {};  ///< "Å", "" for pure numbers
  std::string description = {};
  std::optional<ParameterValue> default_value = {};  ///< absent: required
  double smallest = -std::numeric_limits<double>::infinity();
  double largest = std::numeric_limits<double>::infinity();
  bool excludes_smallest = false;  ///< smallest itself is not allowed
  /// Value in files that were written before the parameter existed; absent: default_value.
  std::optional<ParameterValue> earlier_value = {};
};

/// Named values for one descriptor or kernel. Getters throw InputError if the name is missing or of another type.
class Parameters {
 public:
  Parameters() = default;
  Parameters(std::initializer_list<std::pair<const std::string, ParameterValue>> values) : values_(values) {}

  bool has(const std::string& name) const { return values_.count(name) > 0; }
  void set(const std::string& name, ParameterValue value) { values_[name] = std::move(value); }
  bool boolean(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  double real(const std::string& name) const;  ///< an integer converts
  std::string text(const std::string& name) const;
  std::vector<double> reals(const std::string& name) const;  ///< a number converts to a list of one
  const std::map<std::string, ParameterValue>& values() const { return values_; }

 private:
  std::map<std::string, ParameterValue> values_;
};

/// Fills defaults, converts integers to reals where a real is expected, and checks names, types and ranges.
/// `where` begins each message ("silicon.toml:14: [[term]]"). Throws InputError.
Parameters complete_parameters(const Parameters& given, std::span<const ParameterInfo> infos, const std::string& where);

/// The same for parameters that a file of any version, or of another program, holds: where one is missing, its value is earlier_value.
Parameters complete_stored_parameters(Parameters given, std::span<const ParameterInfo> infos, const std::string& where);

/// One JSON object, keys sorted; numbers keep all digits. The inverse reads it back.
std::string parameters_to_json(const Parameters& parameters);
Parameters parameters_from_json(const std::string& text);

}  // namespace gapkit
