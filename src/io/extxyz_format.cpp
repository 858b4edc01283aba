#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <gapkit/io/extxyz_values.hpp>
#include <type_traits>

namespace gapkit::extxyz {

namespace {

/// A real that no reader takes for an integer.
void append_marked_real(std::string& out, double value) {
  const std::size_t start = out.size();
  append_real(out, value);
  if (std::isfinite(value) && out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

void append_element(std::string& out, double value) {
  append_marked_real(out, value);
}
void append_element(std::string& out, std::int64_t value) {
  append_integer(out, value);
}
void append_element(std::string& out, bool value) {
  out.push_back(value ? 'T' : 'F');
}

void append_quoted(std::string& out, std::string_view value) {
  out.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (c == '\n')
      out += "\\n";
    else
      out.push_back(c);
  }
  out.push_back('"');
}

/// "1 2 3": the old style, which every reader understands. A vector of one or none would read back as a scalar there: […].
template <class T>
void append_vector(std::string& out, const std::vector<T>& values) {
  const bool new_style = values.size() < 2;
  out.push_back(new_style ? '[' : '"');
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out.push_back(' ');
    append_element(out, static_cast<T>(values[i]));
  }
  out.push_back(new_style ? ']' : '"');
}

void append_vector(std::string& out, const std::vector<std::string>& values) {
  out.push_back('[');
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ", ";
    append_quoted(out, values[i]);
  }
  out.push_back(']');
}

void append_matrix(std::string& out, const Matrix& values) {
  const bool old_style = values.rows() == 3 && values.cols() == 3;
  out += old_style ? "\"" : "[";
  for (Eigen::Index i = 0; i < values.rows(); ++i) {
    if (i > 0) out += old_style ? " " : ", ";
    if (!old_style) out.push_back('[');
    for (Eigen::Index j = 0; j < values.cols(); ++j) {
      if (j > 0) out += old_style ? " " : ", ";
      append_marked_real(out, values(i, j));
    }
    if (!old_style) out.push_back(']');
  }
  out += old_style ? "\"" : "]";
}

}  // namespace

void append_real(std::string& out, double value) {
  std::array<char, 32> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), result.ptr);
}

void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), result.ptr);
}

void append_string(std::string& out, std::string_view value) {
  if (value.empty() || value.find_first_of(" \t\n\r=\",{}[]\\'") != std::string_view::npos)
    append_quoted(out, value);
  else
    out += value;
}

void append_value(std::string& out, const FieldValue& value) {
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string>)
          append_string(out, v);
        else if constexpr (std::is_same_v<T, Matrix>)
          append_matrix(out, v);
        else if constexpr (std::is_arithmetic_v<T>)
          append_element(out, v);
        else
          append_vector(out, v);
      },
      value);
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string out(text.substr(0, longest));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  // Do not cut inside a UTF-8 character.
  if (text.size() > longest) {
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
    out += "...";
  }
  return out;
}

}  // namespace gapkit::extxyz
