#include "report/svg_text.hpp"

#include <cmath>
#include <gapkit/io/xml.hpp>

namespace gapkit {
namespace {

// Length of the valid UTF-8 sequence of a character that XML allows at the beginning of `text`; 0 if there is none.
std::size_t valid_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : (first == '\n' || first == '\t') ? 1 : 0;
  const std::size_t length = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first >= 0xF5 || text.size() < length) return 0;
  unsigned code = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const bool is_too_long = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool is_forbidden =
      (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF || (code & 0xFFFE) == 0xFFFE || (code >= 0x80 && code < 0xA0);
  return is_too_long || is_forbidden ? 0 : length;
}

}  // namespace

std::string page_text(std::string_view text) {
  std::string valid;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = valid_length(text.substr(i));
    if (length == 0)
      valid += "�";
    else
      valid += text.substr(i, length);
    i += std::max<std::size_t>(1, length);
  }
  return xml_escaped(valid);
}

std::string px(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

double text_width(std::string_view text, double size) {
  double characters = 0;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) characters += c == '.' || c == ' ' ? 0.5 : 1;
  return 0.57 * size * characters;
}

std::string svg_head(double width, double height, const std::string& title, const std::string& description, const std::string& attributes) {
  std::string out = fmt::format("<svg class=\"plot\" role=\"img\" viewBox=\"0 0 {} {}\"{}>", px(width), px(height), attributes);
  out += fmt::format("<title>{}</title>", page_text(title));
  if (!description.empty()) out += fmt::format("<desc>{}</desc>", page_text(description));
  return out;
}

std::string point_path(int shape, double x, double y) {
  switch (shape) {
    case 2:
      return fmt::format("M{} {}l2.3 4h-4.6z", px(x), px(y - 2.5));
    case 3:
      return fmt::format("M{} {}l2.4 2.4-2.4 2.4-2.4-2.4z", px(x), px(y - 2.4));
    default:
      return fmt::format("M{} {}h0", px(x), px(y));
  }
}

}  // namespace gapkit
