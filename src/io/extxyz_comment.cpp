#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz_values.hpp>
#include <unordered_set>

namespace gapkit::extxyz {

namespace {

class CommentParser {
 public:
  explicit CommentParser(std::string_view line) : line_(line) {}

  std::vector<Field> parse() {
    std::vector<Field> fields;
    std::unordered_set<std::string> seen;
    for (skip_space(); !at_end(); skip_space()) {
      Field field;
      field.key = read_key();
      if (!seen.insert(field.key).second)
        throw InputError(fmt::format("the comment line has the key '{}' twice, expected each key once", excerpt(field.key)));
      const std::size_t behind_key = position_;
      skip_space();
      if (!at_end() && peek() == '=') {
        ++position_;
        field.text = read_value(field.key);
        field.value = parse_value(field.text);
      } else {
        position_ = behind_key;
        field.value = true;
      }
      fields.push_back(std::move(field));
    }
    return fields;
  }

 private:
  bool at_end() const { return position_ >= line_.size(); }
  char peek() const { return line_[position_]; }
  void skip_space() {
    while (!at_end() && is_space(peek())) ++position_;
  }

  std::string read_key() {
    const std::size_t start = position_;
    if (peek() == '"') {
      const std::string_view quoted = delimited("a key");
      std::string key;
      for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        const bool escaped = quoted[i] == '\\' && i + 2 < quoted.size();
        if (escaped) ++i;
        key.push_back(escaped && quoted[i] == 'n' ? '\n' : quoted[i]);
      }
      if (key.empty()) throw InputError(fmt::format("the comment line has an empty key: {}", excerpt(line_.substr(start))));
      return key;
    }
    while (!at_end() && !is_space(peek()) && peek() != '=') ++position_;
    if (position_ == start)
      throw InputError(fmt::format("the comment line has '=' without a key before '{}'", excerpt(line_.substr(start))));
    return std::string(line_.substr(start, position_ - start));
  }

  /// Quote, brace or bracket up to its partner; the partner is not looked for inside quotes.
  std::string_view delimited(const std::string& what) {
    const std::size_t start = position_;
    const char opening = peek();
    const char closing = opening == '{' ? '}' : opening == '[' ? ']' : opening;
    int depth = 0;
    bool in_quotes = false;
    for (; !at_end(); ++position_) {
      const char c = peek();
      if (c == '\\' && (in_quotes || opening == closing)) {
        ++position_;
        continue;
      }
      if (opening == closing) {
        if (c == closing && position_ > start) break;
        continue;
      }
      if (c == '"') in_quotes = !in_quotes;
      if (in_quotes) continue;
      if (c == opening) ++depth;
      if (c == closing && --depth == 0) break;
    }
    if (at_end())
      throw InputError(fmt::format("{} opens with {} but has no closing {}: {}", what, opening, closing, excerpt(line_.substr(start))));
    ++position_;
    if (!at_end() && !is_space(peek()) && peek() != '=')
      throw InputError(
          fmt::format("{} ends with {}, expected a space behind it, found '{}'", what, closing, excerpt(line_.substr(position_))));
    return line_.substr(start, position_ - start);
  }

  /// A word up to the next space; `\ ` does not end it.
  std::string_view bare_word() {
    const std::size_t start = position_;
    while (!at_end() && !is_space(peek())) position_ += peek() == '\\' && position_ + 1 < line_.size() ? 2 : 1;
    return line_.substr(start, position_ - start);
  }

  std::string read_value(const std::string& key) {
    const bool space_behind_equals = !at_end() && is_space(peek());
    const std::size_t behind_equals = position_;
    skip_space();
    if (at_end()) return "";
    const char c = peek();
    if (c == '"' || c == '{' || c == '[') return std::string(delimited(fmt::format("the value of '{}'", excerpt(key))));
    if (c == '\'') {
      const std::size_t close = line_.find('\'', position_ + 1);
      if (close != std::string_view::npos && (close + 1 == line_.size() || is_space(line_[close + 1])))
        return std::string(delimited(fmt::format("the value of '{}'", excerpt(key))));
    }
    const std::string_view word = bare_word();
    if (space_behind_equals) {
      // 'a= b=3' is an empty value (ASE writes empty strings so), 'a = 3' a value.
      std::size_t next = position_;
      while (next < line_.size() && is_space(line_[next])) ++next;
      if (word.find('=') != std::string_view::npos || (next < line_.size() && line_[next] == '=')) {
        position_ = behind_equals;
        return "";
      }
    }
    return std::string(word);
  }

  std::string_view line_;
  std::size_t position_ = 0;
};

}  // namespace

std::vector<Field> parse_comment(std::string_view line) {
  return CommentParser(line).parse();
}

}  // namespace gapkit::extxyz
