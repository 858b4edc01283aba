#include "config/section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>

namespace gapkit {
namespace {

using Kind = TomlValue::Kind;

std::string with_unit(const std::string& text, const std::string& unit) {
  return unit.empty() ? text : text + " (" + unit + ")";
}

}  // namespace

Section::Section(const TomlValue* table, std::string label, std::string file, int line)
    : table_(table), label_(std::move(label)), file_(std::move(file)), line_(table && table->line > 0 ? table->line : line) {}

int Section::line(const std::string& key) const {
  const TomlEntry* entry = find(key);
  return entry ? entry->line : line_;
}

std::string Section::where(int line) const {
  return fmt::format("{}:{}: {}", file_, line, label_);
}

void Section::fail(int line, const std::string& what) const {
  throw InputError(where(line) + ": " + what);
}

void Section::wrong(const TomlEntry& entry, const std::string& expected) const {
  fail(entry.line, fmt::format("'{}' is {}, expected {}", entry.key, entry.value.description(), expected));
}

void Section::unknown(const TomlEntry& entry, std::span<const std::string> known) const {
  throw InputError(fmt::format("{}:{}: unknown key '{}' in {}{}", file_, entry.line, entry.key, label_, suggestion(entry.key, known)));
}

void Section::check_keys(std::span<const std::string> known) const {
  for (const TomlEntry& entry : entries())
    if (std::find(known.begin(), known.end(), entry.key) == known.end()) unknown(entry, known);
}

double Section::number(const TomlEntry& entry, const std::string& expected) const {
  double value = 0;
  if (entry.value.kind == Kind::integer)
    value = static_cast<double>(entry.value.integer);
  else if (entry.value.kind == Kind::real)
    value = entry.value.real;
  else
    wrong(entry, expected);
  if (!std::isfinite(value)) wrong(entry, "a finite number");
  return value;
}

double Section::positive_number(const TomlEntry& entry, const std::string& unit) const {
  const double value = number(entry, with_unit("a number", unit));
  if (!(value > 0)) wrong(entry, with_unit("a number larger than 0", unit));
  return value;
}

std::int64_t Section::integer_number(const TomlEntry& entry, std::int64_t smallest, std::int64_t largest) const {
  if (entry.value.kind != Kind::integer) wrong(entry, "an integer");
  if (entry.value.integer < smallest) wrong(entry, fmt::format("at least {}", smallest));
  if (entry.value.integer > largest) wrong(entry, fmt::format("at most {}", largest));
  return entry.value.integer;
}

bool Section::boolean(const std::string& key, bool default_value) const {
  const TomlEntry* entry = find(key);
  if (!entry) return default_value;
  if (entry->value.kind != Kind::boolean) wrong(*entry, "true or false");
  return entry->value.boolean;
}

std::int64_t Section::integer(const std::string& key, std::int64_t default_value, std::int64_t smallest, std::int64_t largest) const {
  const TomlEntry* entry = find(key);
  return entry ? integer_number(*entry, smallest, largest) : default_value;
}

double Section::positive(const std::string& key, double default_value, const std::string& unit) const {
  const TomlEntry* entry = find(key);
  return entry ? positive_number(*entry, unit) : default_value;
}

double Section::not_negative(const std::string& key, double default_value) const {
  const TomlEntry* entry = find(key);
  if (!entry) return default_value;
  const double value = number(*entry, "a number");
  if (!(value >= 0)) wrong(*entry, "a number that is not negative");
  return value;
}

std::string Section::text(const std::string& key, const std::string& default_value, bool may_be_empty) const {
  const TomlEntry* entry = find(key);
  if (!entry) return default_value;
  if (entry->value.kind != Kind::text) wrong(*entry, "a text");
  if (entry->value.text.empty() && !may_be_empty) fail(entry->line, fmt::format("'{}' is empty", key));
  return entry->value.text;
}

std::string Section::choice(const std::string& key, const std::string& default_value, std::span<const std::string> choices) const {
  std::string value = text(key, default_value);
  if (std::find(choices.begin(), choices.end(), value) == choices.end())
    fail(line(key), fmt::format("unknown {} '{}'{}", key, value, suggestion(value, choices)));
  return value;
}

std::vector<std::string> Section::texts(const std::string& key) const {
  const TomlEntry* entry = find(key);
  if (!entry) return {};
  const TomlValue& value = entry->value;
  if (value.kind != Kind::text && value.kind != Kind::list) wrong(*entry, "a text or a list of texts");
  const std::vector<TomlValue> items = value.kind == Kind::list ? value.items : std::vector<TomlValue>{value};
  std::vector<std::string> result;
  for (const TomlValue& item : items) {
    if (item.kind != Kind::text) fail(item.line, fmt::format("'{}' contains {}, expected texts", key, item.description()));
    if (item.text.empty()) fail(item.line, fmt::format("'{}' contains an empty text", key));
    result.push_back(item.text);
  }
  return result;
}

Section Section::section(const std::string& key, const std::string& label) const {
  const TomlEntry* entry = find(key);
  if (!entry) return Section(nullptr, label, file_, line_);
  if (entry->value.kind != Kind::table) wrong(*entry, "a table");
  return Section(&entry->value, label, file_, entry->line);
}

}  // namespace gapkit
