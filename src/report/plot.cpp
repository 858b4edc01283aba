#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/report/plot.hpp>

#include "report/plot_drawing.hpp"

namespace gapkit {

Plot::Plot(std::string title, std::string description) : title_(std::move(title)), description_(std::move(description)) {}

void Plot::add(Series series, std::size_t expected_y) {
  if (series.y.size() != expected_y)
    throw Error("plot '" + title_ + "', series '" + series.name + "': " + std::to_string(series.x.size()) + " x and " +
                std::to_string(series.y.size()) + " y values do not fit together");
  series_.push_back(std::move(series));
}

void Plot::scatter(std::string name, std::vector<double> xs, std::vector<double> ys, const PlotStyle& style,
                   std::vector<std::int64_t> labels) {
  const std::size_t count = xs.size();
  if (!labels.empty() && labels.size() != count) throw Error("plot '" + title_ + "', series '" + name + "': one label per point expected");
  add({Kind::points, std::move(name), std::move(xs), std::move(ys), {}, style, std::move(labels)}, count);
}

void Plot::line(std::string name, std::vector<double> xs, std::vector<double> ys, const PlotStyle& style, bool points) {
  const std::size_t count = xs.size();
  add({points ? Kind::line_with_points : Kind::line, std::move(name), std::move(xs), std::move(ys), {}, style, {}}, count);
}

void Plot::band(std::string name, std::vector<double> xs, std::vector<double> low, std::vector<double> high, const PlotStyle& style) {
  const std::size_t count = xs.size();
  if (low.size() != count) throw Error("plot '" + title_ + "', band '" + name + "': one lower value per x expected");
  add({Kind::band, std::move(name), std::move(xs), std::move(high), std::move(low), style, {}}, count);
}

void Plot::steps(std::string name, std::vector<double> edges, std::vector<double> heights, std::vector<double> base,
                 const PlotStyle& style) {
  if (edges.empty()) throw Error("plot '" + title_ + "', steps '" + name + "': there are no edges");
  const std::size_t count = edges.size() - 1;
  if (base.empty()) base.assign(count, 0.0);
  if (base.size() != count) throw Error("plot '" + title_ + "', steps '" + name + "': one base per step expected");
  add({Kind::steps, std::move(name), std::move(edges), std::move(heights), std::move(base), style, {}}, count);
}

void Plot::diagonal(std::string name, double slope, const PlotStyle& style, bool filled) {
  add({filled ? Kind::area_below : Kind::diagonal, std::move(name), {}, {slope}, {}, style, {}}, 1);
}

std::int64_t Plot::left_out() const {
  std::int64_t count = 0;
  for (const Series& s : series_)
    if (s.kind == Kind::points)
      for (std::size_t i = 0; i < s.x.size(); ++i) count += !(can_place(s.x[i], x) && can_place(s.y[i], y));
  return count;
}

std::vector<Plot::LegendEntry> Plot::legend() const {
  std::vector<LegendEntry> entries;
  for (const Series& s : series_)
    if (s.style.in_legend && !s.name.empty())
      entries.push_back({s.name, s.style, s.kind == Kind::line || s.kind == Kind::diagonal || s.kind == Kind::line_with_points,
                         s.kind == Kind::band || s.kind == Kind::area_below, s.kind == Kind::steps});
  return entries;
}

std::string Plot::svg() const {
  return PlotDrawing(*this).svg();
}

}  // namespace gapkit
