#pragma once

#include <gapkit/config/toml.hpp>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gapkit {

/// One table of the configuration, with what its error messages need. All getters throw InputError "file:line: label: …".
class Section {
 public:
  /// `table` may be null (the section is absent: every key has its default). `label` is what messages call it: "[data]".
  Section(const TomlValue* table, std::string label, std::string file, int line = 1);

  bool has(const std::string& key) const { return find(key) != nullptr; }
  const TomlEntry* find(const std::string& key) const { return table_ ? table_->find(key) : nullptr; }
  std::span<const TomlEntry> entries() const { return table_ ? std::span(table_->entries) : std::span<const TomlEntry>(); }
  /// Line of the key, or of the section if it is not there.
  int line(const std::string& key) const;
  int line() const { return line_; }
  const std::string& label() const { return label_; }
  const std::string& file() const { return file_; }
  /// "silicon.toml:14: [[term]]", for functions that make their own messages.
  std::string where(int line) const;
  [[noreturn]] void fail(int line, const std::string& what) const;
  /// "'key' is the text '5', expected a number".
  [[noreturn]] void wrong(const TomlEntry& entry, const std::string& expected) const;
  [[noreturn]] void unknown(const TomlEntry& entry, std::span<const std::string> known) const;

  void check_keys(std::span<const std::string> known) const;
  bool boolean(const std::string& key, bool default_value) const;
  std::int64_t integer(const std::string& key, std::int64_t default_value, std::int64_t smallest, std::int64_t largest) const;
  double positive(const std::string& key, double default_value, const std::string& unit) const;
  double not_negative(const std::string& key, double default_value) const;
  std::string text(const std::string& key, const std::string& default_value, bool may_be_empty = false) const;
  /// A text from a list; throws with the nearest name.
  std::string choice(const std::string& key, const std::string& default_value, std::span<const std::string> choices) const;
  /// One text or a list of texts, none of them empty; absent: no texts.
  std::vector<std::string> texts(const std::string& key) const;
  /// A table within this one; its label is "[label.key]" or, if given, `label`.
  Section section(const std::string& key, const std::string& label) const;

  /// The value of an entry as a finite number; an integer converts.
  double number(const TomlEntry& entry, const std::string& expected) const;
  double positive_number(const TomlEntry& entry, const std::string& unit) const;
  std::int64_t integer_number(const TomlEntry& entry, std::int64_t smallest, std::int64_t largest) const;

 private:
  const TomlValue* table_;
  std::string label_;
  std::string file_;
  int line_;
};

}  // namespace gapkit
