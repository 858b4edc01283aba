#include "active/describe_document.hpp"

namespace gapkit {
namespace {

using Kind = TomlValue::Kind;

bool is_free(const std::string& name) {
  return name == "loop.folder" || name == "loop.rounds" || name == "loop.labels" || name == "loop.wall_time" || name == "run.memory";
}

std::string simple(const TomlValue& value) {
  switch (value.kind) {
    case Kind::boolean:
      return value.boolean ? "true" : "false";
    case Kind::integer:
      return std::to_string(value.integer);
    case Kind::real:
      return toml_number(value.real);
    default:
      return toml_quoted(value.text);
  }
}

void describe(const std::string& name, const TomlValue& value, std::string& text) {
  if (value.kind == Kind::table) {
    for (const TomlEntry& entry : value.entries) describe((name.empty() ? "" : name + ".") + toml_key(entry.key), entry.value, text);
  } else if (value.kind == Kind::list) {
    for (std::size_t i = 0; i < value.items.size(); ++i) describe(name + "[" + std::to_string(i) + "]", value.items[i], text);
  } else if (!is_free(name)) {
    text += name + " = " + simple(value) + "\n";
  }
}

}  // namespace

std::string described_document(const TomlValue& document) {
  std::string text;
  describe("", document, text);
  return text;
}

}  // namespace gapkit
