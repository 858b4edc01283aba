#include "report/plot_drawing.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "report/svg_text.hpp"

namespace gapkit {
namespace {

constexpr double tick_gap = 6;  // between the box and its labels

}  // namespace

double PlotDrawing::Range::place(double value) const {
  return is_logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
}

bool can_place(double value, const PlotAxis& axis) {
  constexpr double largest = 1e150;
  return std::abs(value) <= largest && (!axis.logarithmic || value >= 1 / largest);
}

// From the marks and the limits of the axis; low > high without values.
void PlotDrawing::find_range(const PlotAxis& axis, bool is_x, Range& range) const {
  range = {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), axis.logarithmic};
  const auto include = [&](const std::vector<double>& values) {
    for (const double v : values)
      if (can_place(v, axis)) {
        range.low = std::min(range.low, v);
        range.high = std::max(range.high, v);
      }
  };
  for (const Plot::Series& s : plot_.series_) {
    if (s.kind == Plot::Kind::diagonal || s.kind == Plot::Kind::area_below) continue;
    if (is_x) {
      include(s.x);
      continue;
    }
    if (s.kind == Plot::Kind::steps) {
      std::vector<double> tops(s.y.size());
      for (std::size_t i = 0; i < tops.size(); ++i) tops[i] = s.base[i] + s.y[i];
      include(tops);
    } else {
      include(s.y);
    }
    include(s.base);
  }
}

// Adds a margin; sets a range if there is one value or none.
void PlotDrawing::pad(const PlotAxis& axis, Range& range) const {
  if (!(range.low <= range.high)) range = {axis.logarithmic ? 0.1 : 0.0, 1.0, axis.logarithmic};
  const double air = 0.035;
  if (axis.logarithmic) {
    const double factor = range.high > range.low ? std::max(std::pow(range.high / range.low, air), 1.02) : 2.0;
    range.low /= factor;
    range.high *= factor;
  } else {
    double more = air * (range.high - range.low);
    if (!(more > 1e-12 * std::max(std::abs(range.low), std::abs(range.high)))) more = std::max(0.5 * std::abs(range.low), 0.5);
    const bool touches_zero = range.low == 0 && range.high > 0;
    range.low -= touches_zero ? 0 : more;
    range.high += more;
  }
  if (axis.minimum && can_place(*axis.minimum, axis)) range.low = *axis.minimum;
  if (axis.maximum && can_place(*axis.maximum, axis)) range.high = *axis.maximum;
  if (!(range.low < range.high)) range.high = axis.logarithmic ? 10 * range.low : range.low + 1;
}

PlotDrawing::PlotDrawing(const Plot& plot) : plot_(plot) {
  find_range(plot.x, true, x_);
  find_range(plot.y, false, y_);
  if (plot.equal_axes) {
    x_.low = y_.low = std::min(x_.low, y_.low);
    x_.high = y_.high = std::max(x_.high, y_.high);
  }
  pad(plot.x, x_);
  pad(plot.y, y_);
  const auto ticks = [](const PlotAxis& axis, const Range& range, int wanted) {
    return axis.logarithmic ? logarithmic_ticks(range.low, range.high, wanted) : linear_ticks(range.low, range.high, wanted, axis.integers);
  };
  x_ticks_ = ticks(plot.x, x_, 5);
  y_ticks_ = ticks(plot.y, y_, 5);
  double widest = 0;
  for (const Tick& tick : y_ticks_.ticks) widest = std::max(widest, text_width(tick.label, font_size));
  left_ = 24 + widest + tick_gap;
  right_ = plot.width - 14;
  top_ = 10;
  const double below = 44;
  bottom_ = plot.equal_axes ? top_ + (right_ - left_) : plot.height - below;
  height_ = bottom_ + below;
}

double PlotDrawing::px_x(double value) const {
  return left_ + std::clamp(x_.place(value), 0.0, 1.0) * (right_ - left_);
}

double PlotDrawing::px_y(double value) const {
  return bottom_ - std::clamp(y_.place(value), 0.0, 1.0) * (bottom_ - top_);
}

PlotDrawing::Point PlotDrawing::clamped(double x_value, double y_value) const {
  return {px_x(x_value), px_y(y_value)};
}

void PlotDrawing::draw_axes() {
  std::string grid, small;
  for (const Tick& tick : x_ticks_.ticks) {
    const double at = px_x(tick.value);
    if (tick.label.empty())
      small += fmt::format("M{} {}v-4", px(at), px(bottom_));
    else
      grid += fmt::format("M{} {}V{}", px(at), px(bottom_), px(top_));
  }
  for (const Tick& tick : y_ticks_.ticks) {
    const double at = px_y(tick.value);
    if (tick.label.empty())
      small += fmt::format("M{} {}h4", px(left_), px(at));
    else
      grid += fmt::format("M{} {}H{}", px(left_), px(at), px(right_));
  }
  out_ += fmt::format("<path class=\"grid\" d=\"{}\"/>", grid.empty() ? "M0 0" : grid);
  if (!small.empty()) out_ += fmt::format("<path class=\"small-ticks\" d=\"{}\"/>", small);
  out_ += fmt::format("<path class=\"axis\" d=\"M{} {}V{}H{}\"/>", px(left_), px(top_), px(bottom_), px(right_));
  out_ += "<g class=\"ticks x\">";
  double free_from = -1e9;  // labels that touch their left neighbour are left out
  for (const Tick& tick : x_ticks_.ticks) {
    const double at = px_x(tick.value), half = 0.5 * text_width(tick.label, font_size);
    if (tick.label.empty() || at - half < free_from) continue;
    free_from = at + half + 4;
    out_ += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>", px(at), px(bottom_ + tick_gap + font_size - 1), tick.label);
  }
  out_ += "</g><g class=\"ticks y\">";
  double free_below = 1e9;
  for (const Tick& tick : y_ticks_.ticks) {
    const double at = px_y(tick.value);
    if (tick.label.empty() || at > free_below) continue;
    free_below = at - font_size;
    out_ += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>", px(left_ - tick_gap), px(at + 0.35 * font_size), tick.label);
  }
  out_ += "</g>";
  const auto label = [](const PlotAxis& axis, const Ticks& ticks) {
    return page_text(ticks.factor.empty() ? axis.label : axis.label + "  " + ticks.factor);
  };
  out_ += fmt::format("<text class=\"axis-label\" x=\"{}\" y=\"{}\">{}</text>", px(0.5 * (left_ + right_)), px(height_ - 8),
                      label(plot_.x, x_ticks_));
  out_ += fmt::format("<text class=\"axis-label\" transform=\"translate(13 {}) rotate(-90)\">{}</text>", px(0.5 * (top_ + bottom_)),
                      label(plot_.y, y_ticks_));
}

std::string PlotDrawing::path(const std::string& kind, const Plot::Series& series, const std::string& d, const std::string& more) const {
  return fmt::format("<path class=\"{} {}{}\"{}{} d=\"{}\"/>", kind, colour_class(series.style.colour),
                     series.style.dashed ? " dashed" : "", group_attribute(series.style), more, d);
}

PlotDrawing::Marks PlotDrawing::merged_points(double cell) const {
  Marks result;
  for (const Plot::Series& s : plot_.series_) {
    std::vector<Mark> marks;
    std::unordered_map<std::int64_t, std::size_t> place;
    if (s.kind == Plot::Kind::points)
      for (std::size_t i = 0; i < s.x.size(); ++i) {
        if (!can_place(s.x[i], plot_.x) || !can_place(s.y[i], plot_.y)) continue;
        const Point at = clamped(s.x[i], s.y[i]);
        const auto key = static_cast<std::int64_t>(at.x / cell) * 100'000 + static_cast<std::int64_t>(at.y / cell);
        const auto [found, is_new] = place.emplace(key, marks.size());
        if (is_new)
          marks.push_back({at, 1, i});
        else
          ++marks[found->second].count;
      }
    result.push_back(std::move(marks));
  }
  return result;
}

// Draws points within one cell once; the cell grows until the drawing is small enough.
void PlotDrawing::draw_points() {
  Marks marks;
  for (double cell = 1.6; cell < 60; cell *= 1.25) {
    marks = merged_points(cell);
    std::size_t count = 0;
    for (const auto& series : marks) count += series.size();
    if (count <= static_cast<std::size_t>(std::max(1, plot_.most_marks))) break;
  }
  std::size_t all = 0;
  for (const auto& series : marks) all += series.size();
  few_points_ = all <= 400;
  // Series with few points are drawn over series with many.
  std::vector<std::size_t> order;
  for (std::size_t s = 0; s < marks.size(); ++s)
    if (!marks[s].empty()) order.push_back(s);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return marks[a].size() > marks[b].size(); });
  for (const std::size_t s : order) draw_marks(plot_.series_[s], marks[s]);
}

void PlotDrawing::draw_marks(const Plot::Series& series, const std::vector<Mark>& marks) {
  const int shape = point_shape(series.style.colour);
  std::string d[3], labels[3];
  for (const Mark& mark : marks) {
    const int level = mark.count == 1 ? 0 : mark.count < 8 ? 1 : 2;
    d[level] += point_path(shape, mark.at.x, mark.at.y);
    if (!series.labels.empty()) labels[level] += fmt::format("{}{}", labels[level].empty() ? "" : " ", series.labels[mark.first]);
  }
  for (int level = 0; level < 3; ++level) {
    if (d[level].empty()) continue;
    std::string more = fmt::format(" data-name=\"{}\"", page_text(series.name));
    if (!labels[level].empty()) more += fmt::format(" data-labels=\"{}\"", labels[level]);
    out_ += path(fmt::format("points{} p{} d{}", few_points_ ? " medium" : "", shape, level), series, d[level], more);
  }
}

// Pieces of a polyline inside the box, px. Straight in the drawing, also on logarithmic axes.
std::vector<std::vector<PlotDrawing::Point>> PlotDrawing::clipped(const std::vector<double>& xs, const std::vector<double>& ys) const {
  std::vector<std::vector<Point>> pieces;
  bool is_open = false;
  for (std::size_t i = 0; i + 1 < xs.size(); ++i) {
    const bool fits =
        can_place(xs[i], plot_.x) && can_place(ys[i], plot_.y) && can_place(xs[i + 1], plot_.x) && can_place(ys[i + 1], plot_.y);
    const double x0 = fits ? x_.place(xs[i]) : 0, y0 = fits ? y_.place(ys[i]) : 0;
    const double dx = fits ? x_.place(xs[i + 1]) - x0 : 0, dy = fits ? y_.place(ys[i + 1]) - y0 : 0;
    double from = 0, to = 1;  // Liang-Barsky: the part of the segment inside 0 ≤ x, y ≤ 1
    bool is_inside = fits;
    for (const auto& [step, distance] : {std::pair{-dx, x0}, {dx, 1 - x0}, {-dy, y0}, {dy, 1 - y0}}) {
      if (step == 0) {
        is_inside = is_inside && distance >= 0;
      } else if (step < 0) {
        from = std::max(from, distance / step);
      } else {
        to = std::min(to, distance / step);
      }
    }
    if (!is_inside || !(from <= to)) {
      is_open = false;
      continue;
    }
    const auto point = [&](double t) {
      return Point{left_ + std::clamp(x0 + t * dx, 0.0, 1.0) * (right_ - left_),
                   bottom_ - std::clamp(y0 + t * dy, 0.0, 1.0) * (bottom_ - top_)};
    };
    if (!is_open || from > 0) pieces.push_back({point(from)});
    pieces.back().push_back(point(to));
    is_open = to == 1;
  }
  return pieces;
}

void PlotDrawing::draw_line(const Plot::Series& series) {
  std::string d;
  for (const auto& piece : clipped(series.x, series.y))
    for (std::size_t i = 0; i < piece.size(); ++i)
      d += fmt::format("{}{} {}", i == 0 ? "M" : i == 1 ? "L" : " ", px(piece[i].x), px(piece[i].y));
  if (!d.empty()) out_ += path("line", series, d, fmt::format(" stroke-width=\"{}\"", px(series.style.width)));
  if (series.kind != Plot::Kind::line_with_points) return;
  std::string points;
  const int shape = point_shape(series.style.colour);
  for (std::size_t i = 0; i < series.x.size(); ++i)
    if (can_place(series.x[i], plot_.x) && can_place(series.y[i], plot_.y)) {
      const Point at = clamped(series.x[i], series.y[i]);
      points += point_path(shape, at.x, at.y);
    }
  if (!points.empty())
    out_ += path(fmt::format("points large p{} d2", shape), series, points, fmt::format(" data-name=\"{}\"", page_text(series.name)));
}

void PlotDrawing::draw_diagonal(const Plot::Series& series) {
  const double slope = series.y.front();
  std::vector<double> xs, ys;
  constexpr int pieces = 64;
  for (int i = 0; i <= pieces; ++i) {
    const double t = static_cast<double>(i) / pieces;
    xs.push_back(x_.is_logarithmic ? x_.low * std::pow(x_.high / x_.low, t) : x_.low + t * (x_.high - x_.low));
    ys.push_back(slope * xs.back());
  }
  if (series.kind == Plot::Kind::area_below) {
    std::string d = fmt::format("M{} {}", px(left_), px(bottom_));
    for (std::size_t i = 0; i < xs.size(); ++i)
      d += fmt::format("L{} {}", px(px_x(xs[i])), px(can_place(ys[i], plot_.y) ? px_y(ys[i]) : bottom_));
    out_ += path("area", series, d + fmt::format("V{}z", px(bottom_)));
    return;
  }
  // With two axes of the same kind the line is straight, and its ends suffice.
  std::string d;
  for (const auto& piece : clipped(xs, ys)) {
    const bool is_straight = x_.is_logarithmic == y_.is_logarithmic;
    for (std::size_t i = 0; i < piece.size(); ++i)
      if (!is_straight || i == 0 || i + 1 == piece.size()) d += fmt::format("{}{} {}", i == 0 ? "M" : "L", px(piece[i].x), px(piece[i].y));
  }
  if (!d.empty()) out_ += path("line", series, d, fmt::format(" stroke-width=\"{}\"", px(series.style.width)));
}

void PlotDrawing::draw_band(const Plot::Series& series) {
  std::string d;
  std::vector<std::size_t> run;
  const auto close = [&] {
    if (run.size() > 1) {
      for (std::size_t i = 0; i < run.size(); ++i)
        d += fmt::format("{}{} {}", i == 0 ? "M" : "L", px(px_x(series.x[run[i]])), px(px_y(series.y[run[i]])));
      for (std::size_t i = run.size(); i-- > 0;) d += fmt::format("L{} {}", px(px_x(series.x[run[i]])), px(px_y(series.base[run[i]])));
      d += "z";
    }
    run.clear();
  };
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    const bool fits = can_place(series.x[i], plot_.x) && can_place(series.y[i], plot_.y) && can_place(series.base[i], plot_.y);
    // Skips parts that are outside the box over their whole height.
    const bool is_seen = fits && y_.place(std::max(series.y[i], series.base[i])) >= 0 &&
                         y_.place(std::min(series.y[i], series.base[i])) <= 1 && x_.place(series.x[i]) >= 0 && x_.place(series.x[i]) <= 1;
    if (is_seen)
      run.push_back(i);
    else
      close();
  }
  close();
  if (!d.empty()) out_ += path("area", series, d);
}

void PlotDrawing::draw_steps(const Plot::Series& series) {
  std::string d;
  for (std::size_t i = 0; i < series.y.size(); ++i) {
    const double low = series.base[i], high = series.base[i] + series.y[i];
    if (!can_place(series.x[i], plot_.x) || !can_place(series.x[i + 1], plot_.x) || !std::isfinite(low) || !can_place(high, plot_.y))
      continue;
    const double from = px_x(series.x[i]), to = px_x(series.x[i + 1]), top = px_y(high);
    const double bottom = can_place(low, plot_.y) ? px_y(low) : bottom_;
    if (!(series.y[i] > 0) || to - from < 0.05 || bottom - top < 0.05) continue;
    const double gap = std::min(0.6, 0.1 * (to - from));
    d += fmt::format("M{} {}H{}V{}H{}z", px(from), px(bottom), px(to - gap), px(top), px(from));
  }
  if (!d.empty()) out_ += path(bar_class(series.style.colour), series, d);
}

std::string PlotDrawing::svg() {
  using Kind = Plot::Kind;
  const auto axis = [](const Range& range, const PlotAxis& a) {
    return fmt::format("{:.7g} {:.7g} {}", range.low, range.high, a.logarithmic ? 1 : 0);
  };
  out_ = svg_head(plot_.width, height_, plot_.title_, plot_.description_,
                  fmt::format(" data-box=\"{} {} {} {}\" data-x=\"{}\" data-y=\"{}\" data-label=\"{}\"", px(left_), px(top_), px(right_),
                              px(bottom_), axis(x_, plot_.x), axis(y_, plot_.y), page_text(plot_.label)));
  const auto draw_kind = [&](Kind kind, void (PlotDrawing::*draw)(const Plot::Series&)) {
    for (const Plot::Series& s : plot_.series_)
      if (s.kind == kind) (this->*draw)(s);
  };
  draw_kind(Kind::area_below, &PlotDrawing::draw_diagonal);
  draw_axes();
  draw_kind(Kind::band, &PlotDrawing::draw_band);
  draw_kind(Kind::steps, &PlotDrawing::draw_steps);
  draw_points();
  draw_kind(Kind::diagonal, &PlotDrawing::draw_diagonal);
  draw_kind(Kind::line, &PlotDrawing::draw_line);
  draw_kind(Kind::line_with_points, &PlotDrawing::draw_line);
  return out_ + "</svg>";
}

}  // namespace gapkit
