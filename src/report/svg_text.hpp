#pragma once

#include <fmt/format.h>

#include <gapkit/report/plot.hpp>
#include <string>
#include <string_view>

namespace gapkit {

/// Text for element content and attribute values: escaped, invalid UTF-8 and control characters replaced by "�".
std::string page_text(std::string_view text);

/// A coordinate in px, rounded to a tenth, without trailing zeros: "12.3", "-7".
std::string px(double value);

inline constexpr double font_size = 11.5;  ///< of labels in plots, px

/// Approximate width of a text at `size` px, from the number of its characters.
double text_width(std::string_view text, double size);

/// CSS class of a series' colour.
inline std::string colour_class(int colour) {
  if (colour == -2) return "si";
  return colour < 0 ? "sn" : fmt::format("s{}", colour % plot_colours);
}
/// Shape of a series' points: 0 circle, 1 square, 2 triangle, 3 diamond.
inline int point_shape(int colour) {
  return colour < 0 ? 0 : colour / plot_colours % 4;
}
/// CSS class of a series' bars: fainter where colours repeat.
inline std::string bar_class(int colour) {
  return fmt::format("bar k{}", point_shape(colour));
}
/// data-group="3", or "".
inline std::string group_attribute(const PlotStyle& style) {
  return style.group < 0 ? "" : fmt::format(" data-group=\"{}\"", style.group);
}
/// <svg …><title>…</title><desc>…</desc>
std::string svg_head(double width, double height, const std::string& title, const std::string& description,
                     const std::string& attributes = "");

/// Path data of a point with the given shape.
std::string point_path(int shape, double x, double y);

}  // namespace gapkit
