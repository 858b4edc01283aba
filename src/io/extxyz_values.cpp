#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <gapkit/io/extxyz_values.hpp>

namespace gapkit::extxyz {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// std::from_chars reports overflow and underflow alike: the power of ten of the leading digit tells them apart.
bool is_underflow(std::string_view number) {
  long power = 0;
  long exponent = 0;
  bool after_point = false, significant = false;
  for (std::size_t i = 0; i < number.size(); ++i) {
    const char c = number[i];
    if (c == '.') {
      after_point = true;
    } else if (is_digit(c)) {
      significant = significant || c != '0';
      if (significant && !after_point) ++power;
      if (!significant && after_point) --power;
    } else if (c == 'e' || c == 'E') {
      std::string_view digits = number.substr(i + 1);
      if (digits.starts_with('+')) digits.remove_prefix(1);
      const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
      if (result.ec == std::errc::result_out_of_range) return digits.starts_with('-');
      break;
    }
  }
  return exponent < -power;  // their sum could overflow
}

/// What a list of words has in common. A word that was quoted inside […] can only be a string.
struct Words {
  std::vector<std::string> words;
  bool any_quoted = false;
};

template <class T, class Parse>
bool parse_all(const Words& list, std::vector<T>& values, Parse&& parse) {
  values.clear();
  values.reserve(list.words.size());
  for (const auto& word : list.words) {
    T value{};
    if (!parse(word, value)) return false;
    values.push_back(value);
  }
  return true;
}

template <class T>
FieldValue scalar_or_vector(std::vector<T>&& values, bool keep_vector) {
  if (values.size() == 1 && !keep_vector) return FieldValue(static_cast<T>(values.front()));
  return FieldValue(std::move(values));
}

/// The common type of the words, in the order integer, real, logical, string.
FieldValue typed_value(Words&& list, bool keep_vector) {
  if (!list.any_quoted) {
    std::vector<std::int64_t> integers;
    if (parse_all(list, integers, [](const std::string& w, std::int64_t& v) { return parse_integer(w, v) == NumberStatus::good; }))
      return scalar_or_vector(std::move(integers), keep_vector);
    std::vector<double> reals;
    if (parse_all(list, reals, [](const std::string& w, double& v) { return parse_real(w, v) == NumberStatus::good; }))
      return scalar_or_vector(std::move(reals), keep_vector);
    std::vector<bool> logicals;
    const auto logical = [](const std::string& w, bool& v) {
      const auto parsed = parse_logical(w);
      if (parsed) v = *parsed;
      return parsed.has_value();
    };
    if (parse_all(list, logicals, logical)) return scalar_or_vector(std::move(logicals), keep_vector);
  }
  return scalar_or_vector(std::move(list.words), keep_vector);
}

/// Reads one quoted word that starts at text[position]; leaves `position` behind the closing quote. False if there is none.
bool read_quoted(std::string_view text, std::size_t& position, std::string& word) {
  const char quote = text[position++];
  word.clear();
  for (; position < text.size(); ++position) {
    const char c = text[position];
    if (c == quote) {
      ++position;
      return true;
    }
    if (c == '\\' && position + 1 < text.size()) {
      ++position;
      word.push_back(text[position] == 'n' ? '\n' : text[position]);
    } else {
      word.push_back(c);
    }
  }
  return false;
}

FieldValue parse_quoted(std::string_view text) {
  std::string content;
  std::size_t position = 0;
  read_quoted(text, position, content);
  if (text.find('\\') != std::string_view::npos) return content;
  Words list;
  std::string_view rest = content;
  for (auto word = next_word(rest); !word.empty(); word = next_word(rest)) list.words.emplace_back(word);
  if (list.words.empty()) return content;
  FieldValue value = typed_value(std::move(list), false);
  // Words are a sentence, not a vector of strings: keep its spaces.
  if (std::holds_alternative<std::vector<std::string>>(value) || std::holds_alternative<std::string>(value)) return content;
  return value;
}

FieldValue parse_braces(std::string_view text) {
  const std::string_view content = text.substr(1, text.size() - 2);
  Words list;
  std::size_t position = 0;
  while (position < content.size()) {
    if (is_space(content[position])) {
      ++position;
      continue;
    }
    std::string word;
    if (content[position] == '"') {
      if (!read_quoted(content, position, word)) return std::string(text);
      list.any_quoted = true;
    } else {
      while (position < content.size() && !is_space(content[position])) word.push_back(content[position++]);
    }
    list.words.push_back(std::move(word));
  }
  if (list.words.empty()) return std::string();
  return typed_value(std::move(list), false);
}

/// Elements of a flat […] from position (behind the bracket) to its end. False if it is not a list of words separated by commas.
bool read_list(std::string_view text, std::size_t& position, Words& list) {
  const auto skip_space = [&] {
    while (position < text.size() && is_space(text[position])) ++position;
  };
  skip_space();
  if (position < text.size() && text[position] == ']') return ++position, true;
  for (;;) {
    skip_space();
    if (position >= text.size()) return false;
    std::string word;
    if (text[position] == '"') {
      if (!read_quoted(text, position, word)) return false;
      list.any_quoted = true;
    } else {
      const std::size_t start = position;
      while (position < text.size() && text[position] != ',' && text[position] != ']' && text[position] != '[') ++position;
      word = trimmed(text.substr(start, position - start));
      if (word.empty() || word.find_first_of(" \t") != std::string::npos) return false;
    }
    list.words.push_back(std::move(word));
    skip_space();
    if (position >= text.size()) return false;
    if (text[position] == ']') return ++position, true;
    if (text[position++] != ',') return false;
  }
}

FieldValue parse_brackets(std::string_view text) {
  FieldValue as_it_stands = std::string(text);
  std::size_t position = 1;
  const auto skip_space = [&] {
    while (position < text.size() && is_space(text[position])) ++position;
  };
  skip_space();
  if (position >= text.size() || text[position] != '[') {
    Words list;
    if (!read_list(text, position, list) || position != text.size()) return as_it_stands;
    return list.words.empty() ? FieldValue(std::vector<double>{}) : typed_value(std::move(list), true);
  }
  std::vector<double> entries;
  Eigen::Index rows = 0;
  std::size_t cols = 0;
  for (;;) {
    skip_space();
    if (position >= text.size() || text[position] != '[') return as_it_stands;
    ++position;
    Words list;
    if (!read_list(text, position, list) || list.any_quoted || list.words.empty()) return as_it_stands;
    if (rows == 0) cols = list.words.size();
    if (list.words.size() != cols) return as_it_stands;
    for (const auto& word : list.words) {
      double value = 0;
      if (parse_real(word, value) != NumberStatus::good) return as_it_stands;
      entries.push_back(value);
    }
    ++rows;
    skip_space();
    if (position >= text.size()) return as_it_stands;
    const char separator = text[position++];
    if (separator == ']') break;
    if (separator != ',') return as_it_stands;
  }
  if (position != text.size()) return as_it_stands;
  return Matrix(Eigen::Map<const Matrix>(entries.data(), rows, static_cast<Eigen::Index>(cols)));
}

/// A bare word: a backslash before a special character stands for that character.
std::string unescaped_bare(std::string_view text) {
  constexpr std::string_view special = " \t=\",{}[]\\";
  std::string word;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && special.find(text[i + 1]) != std::string_view::npos) ++i;
    word.push_back(text[i]);
  }
  return word;
}

}  // namespace

NumberStatus parse_real(std::string_view word, double& value) {
  if (word.starts_with('+')) {
    word.remove_prefix(1);
    if (word.starts_with('-')) return NumberStatus::malformed;
  }
  auto result = std::from_chars(word.data(), word.data() + word.size(), value);
  if (result.ec == std::errc{} && result.ptr == word.data() + word.size()) return NumberStatus::good;

  std::string with_e(word);  // a Fortran exponent or a number out of range: both rare
  const auto exponent = with_e.find_first_of("dD");
  if (exponent != std::string::npos && exponent > 0 && (is_digit(with_e[exponent - 1]) || with_e[exponent - 1] == '.'))
    with_e[exponent] = 'e';
  const char* const end = with_e.data() + with_e.size();
  result = std::from_chars(with_e.data(), end, value);
  if (result.ptr != end || result.ec == std::errc::invalid_argument) return NumberStatus::malformed;
  if (result.ec == std::errc::result_out_of_range) {
    if (!is_underflow(with_e)) return NumberStatus::out_of_range;
    value = with_e.starts_with('-') ? -0.0 : 0.0;
  }
  return NumberStatus::good;
}

NumberStatus parse_integer(std::string_view word, std::int64_t& value) {
  if (word.starts_with('+')) {
    word.remove_prefix(1);
    if (word.starts_with('-')) return NumberStatus::malformed;
  }
  const auto result = std::from_chars(word.data(), word.data() + word.size(), value);
  if (result.ptr != word.data() + word.size() || result.ec == std::errc::invalid_argument) return NumberStatus::malformed;
  return result.ec == std::errc{} ? NumberStatus::good : NumberStatus::out_of_range;
}

std::optional<bool> parse_logical(std::string_view word) {
  if (word == "T" || word == "true" || word == "True" || word == "TRUE") return true;
  if (word == "F" || word == "false" || word == "False" || word == "FALSE") return false;
  return std::nullopt;
}

std::string_view next_word(std::string_view& rest) {
  std::size_t begin = 0;
  while (begin < rest.size() && is_space(rest[begin])) ++begin;
  std::size_t end = begin;
  while (end < rest.size() && !is_space(rest[end])) ++end;
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

FieldValue parse_value(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() >= 2) {
    if ((text.front() == '"' || text.front() == '\'') && text.back() == text.front()) return parse_quoted(text);
    if (text.front() == '{') return parse_braces(text);
    if (text.front() == '[') return parse_brackets(text);
  }
  Words list;
  list.words.push_back(unescaped_bare(text));
  return typed_value(std::move(list), false);
}

std::vector<double> parse_numbers(std::string_view text) {
  std::string plain(text);
  for (char& c : plain)
    if (std::string_view("\"'{}[],").find(c) != std::string_view::npos) c = ' ';
  std::vector<double> values;
  std::string_view rest = plain;
  for (auto word = next_word(rest); !word.empty(); word = next_word(rest)) {
    double value = 0;
    if (parse_real(word, value) != NumberStatus::good) return {};
    values.push_back(value);
  }
  return values;
}

}  // namespace gapkit::extxyz
