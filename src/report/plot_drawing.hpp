#pragma once

#include <gapkit/report/plot.hpp>

#include "report/ticks.hpp"

namespace gapkit {

/// Whether an axis can show a number: finite, above 0 if logarithmic, and small enough that ranges do not overflow.
bool can_place(double value, const PlotAxis& axis);

/// Draws one Plot: ranges, axes, then the series from back to front.
class PlotDrawing {
 public:
  explicit PlotDrawing(const Plot& plot);
  std::string svg();

 private:
  struct Range {
    double low = 0, high = 1;
    bool is_logarithmic = false;
    /// 0 … 1 within the range
    double place(double value) const;
  };
  struct Point {
    double x, y;
  };
  /// Points of a series that fall into one cell.
  struct Mark {
    Point at;
    std::int64_t count;
    std::size_t first;
  };
  using Marks = std::vector<std::vector<Mark>>;

  void find_range(const PlotAxis& axis, bool is_x, Range& range) const;
  void pad(const PlotAxis& axis, Range& range) const;
  double px_x(double value) const;
  double px_y(double value) const;
  Point clamped(double x_value, double y_value) const;

  void draw_axes();
  void draw_points();
  Marks merged_points(double cell) const;
  void draw_marks(const Plot::Series& series, const std::vector<Mark>& marks);
  void draw_line(const Plot::Series& series);
  void draw_diagonal(const Plot::Series& series);
  void draw_band(const Plot::Series& series);
  void draw_steps(const Plot::Series& series);
  std::vector<std::vector<Point>> clipped(const std::vector<double>& xs, const std::vector<double>& ys) const;
  std::string path(const std::string& kind, const Plot::Series& series, const std::string& d, const std::string& more = "") const;

  const Plot& plot_;
  Range x_, y_;
  Ticks x_ticks_, y_ticks_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0, height_ = 0;  // of the box, px; height of the drawing
  bool few_points_ = false;                                          // few points are drawn larger
  std::string out_;
};

}  // namespace gapkit
