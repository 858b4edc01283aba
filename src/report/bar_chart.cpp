#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/report/html.hpp>

#include "report/svg_text.hpp"
#include "report/ticks.hpp"

namespace gapkit {
namespace {

constexpr double line_height = 23, bar_height = 14;

double shown(double value) {
  return std::isfinite(value) && value > 0 ? value : 0;
}

}  // namespace

BarChart::BarChart(std::string title, std::string description, std::string axis_label)
    : title_(std::move(title)), description_(std::move(description)), axis_label_(std::move(axis_label)) {}

void BarChart::add(std::string name, std::vector<double> values, const PlotStyle& style) {
  if (values.size() != categories_.size())
    throw Error("chart '" + title_ + "', part '" + name + "': " + std::to_string(values.size()) + " values for " +
                std::to_string(categories_.size()) + " categories");
  parts_.push_back({std::move(name), std::move(values), style});
}

std::vector<Plot::LegendEntry> BarChart::legend() const {
  std::vector<Plot::LegendEntry> entries;
  for (const Part& part : parts_)
    if (part.style.in_legend && !part.name.empty()) entries.push_back({part.name, part.style, false, false, true});
  return entries;
}

std::string BarChart::svg() const {
  double largest = 0, widest = 0;
  std::vector<double> sums(categories_.size(), 0.0);
  for (std::size_t c = 0; c < categories_.size(); ++c) {
    for (const Part& part : parts_) sums[c] += shown(part.values[c]);
    largest = std::max(largest, sums[c]);
    widest = std::max(widest, text_width(categories_[c], font_size));
  }
  if (!(largest > 0)) largest = 1;
  std::vector<std::string> numbers;
  double number_width = 0;
  for (const double sum : sums) {
    numbers.push_back(integers ? fixed_number(sum, 0) : digits >= 0 ? fixed_number(sum, digits) : page_number(sum, 3));
    number_width = std::max(number_width, text_width(numbers.back(), font_size));
  }
  const double left = std::min(0.45 * width, widest + 10), right = width - number_width - 12;
  const double bottom = 6 + line_height * static_cast<double>(categories_.size()), height = bottom + 40;
  const auto at = [&](double value) { return left + value / largest * (right - left); };
  std::string out = svg_head(width, height, title_, description_);
  const Ticks ticks = linear_ticks(0, largest, 4, integers);
  std::string grid, labels;
  for (const Tick& tick : ticks.ticks) {
    grid += fmt::format("M{} {}V6", px(at(tick.value)), px(bottom));
    labels += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>", px(at(tick.value)), px(bottom + 15), tick.label);
  }
  out += fmt::format("<path class=\"grid\" d=\"{}\"/><g class=\"ticks x\">{}</g>", grid, labels);
  std::vector<double> from(categories_.size(), 0.0);
  for (const Part& part : parts_) {
    std::string d;
    for (std::size_t c = 0; c < categories_.size(); ++c) {
      const double value = shown(part.values[c]), y = 6 + line_height * static_cast<double>(c) + 0.5 * (line_height - bar_height);
      if (value > 0) d += fmt::format("M{} {}H{}v{}H{}z", px(at(from[c])), px(y), px(at(from[c] + value)), px(bar_height), px(at(from[c])));
      from[c] += value;
    }
    if (!d.empty())
      out += fmt::format("<path class=\"{} {}\"{} d=\"{}\"/>", bar_class(part.style.colour), colour_class(part.style.colour),
                         group_attribute(part.style), d);
  }
  out += "<g class=\"ticks y\">";
  for (std::size_t c = 0; c < categories_.size(); ++c)
    out += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>", px(left - 6), px(6 + line_height * (static_cast<double>(c) + 0.5) + 4),
                       page_text(categories_[c]));
  out += "</g><g class=\"ticks value\">";
  for (std::size_t c = 0; c < categories_.size(); ++c)
    out += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>", px(at(sums[c]) + 5), px(6 + line_height * (static_cast<double>(c) + 0.5) + 4),
                       numbers[c]);
  out += fmt::format("</g><path class=\"axis\" d=\"M{} 6V{}\"/>", px(left), px(bottom));
  const std::string label = ticks.factor.empty() ? axis_label_ : axis_label_ + "  " + ticks.factor;
  out += fmt::format("<text class=\"axis-label\" x=\"{}\" y=\"{}\">{}</text></svg>", px(0.5 * (left + right)), px(height - 6),
                     page_text(label));
  return out;
}

}  // namespace gapkit
