#include "config/toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>

// The headers alone, whatever build of toml++ the system has.
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
// Some damaged texts violate assertions of toml++ 3.3 that stand just before the code which reports them; with NDEBUG the
// assertions are hints to the optimiser, which is worse. So they are nothing at all here.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace gapkit {
namespace {

int line_of(const toml::source_region& region) {
  return static_cast<int>(region.begin.line);
}

TomlValue converted(const toml::node& node) {
  using Kind = TomlValue::Kind;
  TomlValue result;
  result.line = line_of(node.source());
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) {
      result.entries.push_back({std::string(key.str()), line_of(key.source()), converted(value)});
      TomlEntry& entry = result.entries.back();
      if (entry.line == 0) entry.line = entry.value.line;
    }
    std::stable_sort(result.entries.begin(), result.entries.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  } else if (const auto* list = node.as_array()) {
    result.kind = Kind::list;
    for (const auto& item : *list) result.items.push_back(converted(item));
  } else if (const auto* text = node.as_string()) {
    result.kind = Kind::text;
    result.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    result.kind = Kind::integer;
    result.integer = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    result.kind = Kind::real;
    result.real = real->get();
  } else if (const auto* boolean = node.as_boolean()) {
    result.kind = Kind::boolean;
    result.boolean = boolean->get();
  } else {
    result.kind = Kind::date;
  }
  return result;
}

/// Refuses what toml++ 3.3 cannot take without undefined behaviour: characters outside of strings and comments that are not ASCII
/// (TOML refuses them too), and keys of very many parts, each a recursion.
void check_characters(const std::string& text, const std::string& name) {
  std::size_t line = 1, line_begin = 0;
  int dots = 0;         // of one key
  std::string closing;  // what ends the string or comment that the position is in; empty: outside
  for (std::size_t i = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      ++line;
      line_begin = i + 1;
      dots = 0;
      if (closing.size() < 3) closing.clear();  // only strings in three quotes go on
    } else if (!closing.empty()) {
      if (c == '\\' && closing[0] == '"')
        ++i;
      else if (text.compare(i, closing.size(), closing) == 0) {
        i += closing.size() - 1;
        for (int extra = 0; closing.size() == 3 && extra < 2 && i + 1 < text.size() && text[i + 1] == closing[0]; ++extra) ++i;
        closing.clear();
      }
      if (i < text.size() && text[i] == '\n') --i;  // an escaped end of line still ends the line
    } else if (c == '#') {
      closing = "\n";
    } else if (c == '"' || c == '\'') {
      const bool is_triple = text.compare(i, 3, std::string(3, c)) == 0;
      closing.assign(is_triple ? 3 : 1, c);
      if (is_triple) i += 2;
    } else if (c == '.') {
      if (++dots > 64) throw InputError(fmt::format("{}:{}:{}: a key of more than 64 parts", name, line, i - line_begin + 1));
    } else if (c == '=' || c == ',' || c == '[') {
      dots = 0;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      throw InputError(fmt::format("{}:{}:{}: not valid TOML: a character that is not ASCII outside of quotes and comments", name, line,
                                   i - line_begin + 1));
    }
  }
}

}  // namespace

const TomlEntry* TomlValue::find(const std::string& key) const {
  for (const TomlEntry& entry : entries)
    if (entry.key == key) return &entry;
  return nullptr;
}

std::string TomlValue::description() const {
  switch (kind) {
    case Kind::boolean:
      return boolean ? "true" : "false";
    case Kind::integer:
      return fmt::format("the integer {}", integer);
    case Kind::real:
      return fmt::format("the number {}", real);
    case Kind::text:
      return fmt::format("the text '{}'", text);
    case Kind::list:
      return items.empty() ? "an empty list" : fmt::format("a list of {} value{}", items.size(), items.size() == 1 ? "" : "s");
    case Kind::table:
      return "a table";
    case Kind::date:
      return "a date or time";
  }
  return "";
}

TomlValue parse_toml(const std::string& text, const std::string& name) {
  check_characters(text, name);
  try {
    return converted(toml::parse(std::string_view(text), std::string_view(name)));
  } catch (const toml::parse_error& error) {
    std::string reason(error.description());
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    const auto& place = error.source().begin;
    throw InputError(fmt::format("{}:{}:{}: not valid TOML: {}", name, place.line, place.column, reason));
  }
}

std::string toml_quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      result += {'\\', c};
    else if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (code < 0x20 || code == 0x7f)
      result += fmt::format("\\u{:04X}", code);
    else
      result += c;
  }
  return result + '"';
}

std::string toml_key(const std::string& key) {
  const auto is_bare = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), is_bare) ? key : toml_quoted(key);
}

std::string toml_number(double number) {
  if (std::isnan(number)) return "nan";
  std::string text = fmt::format("{}", number);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

}  // namespace gapkit
