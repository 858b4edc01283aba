#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gapkit {

/// An axis of a Plot.
struct PlotAxis {
  std::string label = {};                            ///< with the unit: "force (eV/Å)"
  bool logarithmic = false;                          ///< leaves out numbers that are not above 0
  bool integers = false;                             ///< ticks at whole numbers only: rounds, frames
  std::optional<double> minimum = {}, maximum = {};  ///< of the range; from the marks if absent
};

/// The style of a series.
struct PlotStyle {
  /// Colours repeat after plot_colours series with another shape of points; −1: neutral grey, −2: the colour of text.
  int colour = 0;
  bool dashed = false;
  double width = 1.8;     ///< of lines, px
  bool in_legend = true;  ///< of this plot
  int group = -1;         ///< index in the page's shared legend (Page::set_groups), which shows and hides the series; −1: none
};

inline constexpr int plot_colours = 7;

/// A figure with two axes, linear or logarithmic, as SVG with colours from the style sheet of Page.
///
///     Plot plot("Force error", "Root mean square error of forces after each round of learning.");
///     plot.x = {.label = "round", .integers = true};
///     plot.y = {.label = "RMSE (eV/Å)", .logarithmic = true};
///     plot.line("test", rounds, errors, {.colour = 0}, /*points=*/true);
///     page.figure(plot, "caption");
///
/// Vectors of one series have equal lengths (Error otherwise). Numbers that are NaN, infinite (above 1e150) or not above 0 on a logarithmic
/// axis are left out, and lines have gaps there; svg() never contains them. Points beyond a given range are drawn at its edge.
/// All texts are escaped.
class Plot {
 public:
  /// `description`: text for screen readers.
  explicit Plot(std::string title, std::string description = "");

  PlotAxis x, y;
  bool equal_axes = false;      ///< the same range on both axes, and a square box
  double width = 460;           ///< width of the drawing, px; the page scales it
  double height = 340;          ///< px
  int most_marks = 5000;        ///< points within one cell are drawn once; cells grow until at most this number remains
  std::string label = "frame";  ///< name of the labels of points in the tooltip

  /// Points; the tooltip shows `labels`, if given. Each cell of about two pixels is drawn once per series, more strongly for more points;
  /// single points (the tails) keep their place.
  void scatter(std::string name, std::vector<double> xs, std::vector<double> ys, const PlotStyle& style = {},
               std::vector<std::int64_t> labels = {});
  void line(std::string name, std::vector<double> xs, std::vector<double> ys, const PlotStyle& style = {}, bool points = false);
  /// The area between two curves.
  void band(std::string name, std::vector<double> xs, std::vector<double> low, std::vector<double> high, const PlotStyle& style = {});
  /// Bars between neighbouring `edges` (one more than heights), from `base` (0 if empty) upwards, for histograms and stacked histograms.
  void steps(std::string name, std::vector<double> edges, std::vector<double> heights, std::vector<double> base = {},
             const PlotStyle& style = {});
  /// y = slope · x across the whole box; with `filled` the area below it.
  void diagonal(std::string name, double slope, const PlotStyle& style = {.colour = -1, .dashed = true}, bool filled = false);

  const std::string& title() const { return title_; }
  void set_title(std::string title) { title_ = std::move(title); }
  /// Points of scatter series that cannot be drawn (not finite, or not above 0 on a logarithmic axis).
  std::int64_t left_out() const;

  struct LegendEntry {
    std::string name;
    PlotStyle style;
    bool is_line = false, is_area = false, is_bar = false;
  };
  std::vector<LegendEntry> legend() const;
  /// One "svg" element, well-formed XML without external references.
  std::string svg() const;

 private:
  friend class PlotDrawing;
  enum class Kind { points, line, line_with_points, band, steps, diagonal, area_below };
  struct Series {
    Kind kind;
    std::string name;
    std::vector<double> x, y, base;  // band: y is above base; steps: x are edges; diagonals: y holds the slope
    PlotStyle style;
    std::vector<std::int64_t> labels;
  };
  void add(Series series, std::size_t expected_y);

  std::string title_, description_;
  std::vector<Series> series_;
};

/// Horizontal bars with stacked parts, one line for each category: counts per config type, seconds per phase.
class BarChart {
 public:
  BarChart(std::string title, std::string description, std::string axis_label);

  /// Parts of all bars in the order of `categories`; values that are not finite or negative count as 0.
  void set_categories(std::vector<std::string> categories) { categories_ = std::move(categories); }
  void add(std::string name, std::vector<double> values, const PlotStyle& style = {});

  double width = 460;     ///< px
  int digits = -1;        ///< decimals of the numbers beside the bars; −1: enough to distinguish them
  bool integers = false;  ///< ticks at whole numbers only

  const std::string& title() const { return title_; }
  std::vector<Plot::LegendEntry> legend() const;
  std::string svg() const;

 private:
  struct Part {
    std::string name;
    std::vector<double> values;
    PlotStyle style;
  };
  std::string title_, description_, axis_label_;
  std::vector<std::string> categories_;
  std::vector<Part> parts_;
};

}  // namespace gapkit
