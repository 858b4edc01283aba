#include "convert/quip_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <climits>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz_values.hpp>

namespace gapkit {
namespace {

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// Position behind the brace or quote that closes the one at `begin`; npos if there is none.
std::size_t end_of_group(std::string_view text, std::size_t begin) {
  if (text[begin] != '{') {
    const std::size_t end = text.find(text[begin], begin + 1);
    return end == std::string_view::npos ? end : end + 1;
  }
  for (std::size_t i = begin + 1; i < text.size();) {
    if (text[i] == '}') return i + 1;
    i = text[i] == '{' ? end_of_group(text, i) : i + 1;
    if (i == std::string_view::npos) return i;
  }
  return std::string_view::npos;
}

bool opens_group(char c) {
  return c == '{' || c == '"' || c == '\'';
}

std::string without_line_continuations(std::string_view text) {
  std::string result(text);
  for (std::size_t i = 0; i < result.size(); ++i)
    if (result[i] == '\\' && (i + 1 == result.size() || result[i + 1] == '\n' || result[i + 1] == '\r')) result[i] = ' ';
  return result;
}

void add_word(std::string_view word, const std::string& where, std::vector<QuipOption>& options) {
  // A shell's quotes may stand around the whole: "gap={soap …}".
  const std::size_t equals = word.find('=');
  if (opens_group(word[0]) && word[0] != '{' && end_of_group(word, 0) == word.size() && equals != std::string_view::npos) {
    add_word(word.substr(1, word.size() - 2), where, options);
    return;
  }
  QuipOption option;
  option.key = std::string(word.substr(0, equals));
  if (equals != std::string_view::npos) option.value = without_quip_delimiters(word.substr(equals + 1));
  if (option.key.empty()) throw InputError(fmt::format("{}: '{}' has no key before '='", where, extxyz::excerpt(word)));
  for (const QuipOption& other : options)
    if (other.key == option.key) {
      if (other.value == option.value) return;
      throw InputError(
          fmt::format("{}: '{}' is given twice, as '{}' and '{}'", where, option.key, other.value.value_or(""), option.value.value_or("")));
    }
  options.push_back(std::move(option));
}

/// Words between white space outside braces and quotes.
std::vector<std::string> words_of(const std::string& text, const std::string& where) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < text.size();) {
    if (is_space(text[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < text.size() && !is_space(text[i])) {
      if (text[i] == '}') throw InputError(fmt::format("{}: '}}' without a '{{' in '{}'", where, extxyz::excerpt(text.substr(begin))));
      const std::size_t end = opens_group(text[i]) ? end_of_group(text, i) : i + 1;
      if (end == std::string::npos)
        throw InputError(fmt::format("{}: '{}' is not closed in '{}'", where, text[i], extxyz::excerpt(text.substr(begin))));
      i = end;
    }
    words.push_back(text.substr(begin, i - begin));
  }
  return words;
}

/// "Z1 = 14", "Z1= 14" and "Z1 =14" are "Z1=14". A value that is missing stays so: "a= b=1" are two options.
std::vector<std::string> joined_at_equals(const std::vector<std::string>& words) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string word = words[i];
    const auto begins_with_equals = [&](std::size_t k) { return k < words.size() && words[k][0] == '='; };
    if (word.find('=') == std::string::npos && begins_with_equals(i + 1)) word += words[++i];
    const bool is_open = word.size() > 1 && word.find('=') + 1 == word.size();
    if (is_open && i + 1 < words.size() && !begins_with_equals(i + 2) &&
        (opens_group(words[i + 1][0]) || words[i + 1].find('=') == std::string::npos))
      word += words[++i];
    result.push_back(std::move(word));
  }
  return result;
}

}  // namespace

std::vector<QuipOption> parse_quip_options(std::string_view given, const std::string& where) {
  std::vector<QuipOption> options;
  for (const std::string& word : joined_at_equals(words_of(without_line_continuations(given), where))) add_word(word, where, options);
  return options;
}

std::string without_quip_delimiters(std::string_view value) {
  std::string text = trimmed(value);
  while (text.size() >= 2 && opens_group(text[0]) && end_of_group(text, 0) == text.size()) text = trimmed(text.substr(1, text.size() - 2));
  return text;
}

std::vector<std::string> split_outside_braces(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size();) {
    if (i == text.size() || text[i] == separator) {
      parts.push_back(trimmed(text.substr(begin, i - begin)));
      begin = ++i;
      continue;
    }
    const std::size_t end = opens_group(text[i]) ? end_of_group(text, i) : i + 1;
    i = std::min(end, text.size());
  }
  return parts;
}

std::vector<std::string> quip_list(const std::string& value) {
  std::vector<std::string> words;
  const std::string text = without_quip_delimiters(value);
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && !is_space(text[end]) && text[end] != ',') ++end;
    if (end > i) words.push_back(text.substr(i, end - i));
    i = end + 1;
  }
  return words;
}

std::optional<double> quip_number(std::string_view text) {
  double value = 0;
  if (extxyz::parse_real(trimmed(text), value) != extxyz::NumberStatus::good || !std::isfinite(value)) return {};
  return value;
}

std::optional<int> quip_integer(std::string_view text) {
  std::int64_t value = 0;
  if (extxyz::parse_integer(trimmed(text), value) != extxyz::NumberStatus::good || value < INT_MIN || value > INT_MAX) return {};
  return static_cast<int>(value);
}

std::optional<bool> quip_logical(const std::optional<std::string>& text) {
  if (!text) return true;
  const std::string word = lower_case(trimmed(*text));
  if (word == "t" || word == "true" || word == ".true.") return true;
  if (word == "f" || word == "false" || word == ".false.") return false;
  return {};
}

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace gapkit
