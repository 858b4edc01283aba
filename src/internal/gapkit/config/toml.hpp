#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gapkit {

struct TomlEntry;

/// A TOML document as a plain tree that remembers lines; keeps toml++, which compiles slowly, to one file.
struct TomlValue {
  enum class Kind { boolean, integer, real, text, list, table, date };

  Kind kind = Kind::table;
  int line = 0;  ///< counted from 1
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<TomlValue> items;    ///< of a list
  std::vector<TomlEntry> entries;  ///< of a table, in the order of the file

  /// Null if the table has no such key.
  const TomlEntry* find(const std::string& key) const;
  /// "the text '5'", "a list of 3 values": for messages.
  std::string description() const;
};

struct TomlEntry {
  std::string key;
  int line = 0;  ///< of the key
  TomlValue value;
};

/// Throws InputError "name:line:column: …" if the text is not TOML.
TomlValue parse_toml(const std::string& text, const std::string& name);

/// A text in quotes, with everything escaped that TOML wants escaped.
std::string toml_quoted(const std::string& text);
/// A key, in quotes only if it needs them.
std::string toml_key(const std::string& key);
/// Shortest decimal that reads back to the same bits, always recognisable as a real number.
std::string toml_number(double number);

}  // namespace gapkit
