#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/report/uncertainty_table.hpp>
#include <numbers>
#include <numeric>

#include "report/report_parts.hpp"

namespace gapkit {
namespace {

constexpr double two_sided_68 = 0.6827;  // P(|z| ≤ 1)

// A smaller error bar is rounding: the component is zero by symmetry and has no noise.
double smallest_bar(const PredictionRecord::Values& values) {
  return values.std.empty() ? 0 : 1e-6 * *std::max_element(values.std.begin(), values.std.end());
}

ErrorsWithBars errors_with_bars(const PredictionRecord::Values& values) {
  ErrorsWithBars data;
  const double smallest = smallest_bar(values);
  for (std::size_t i = 0; i < values.size(); ++i)
    data.add(values.error(i), values.std[i] > smallest ? values.std[i] : 0.0, values.frame[i]);
  return data;
}

std::string percent(double fraction) {
  return std::isfinite(fraction) ? fmt::format("{:.1f}", 100 * fraction) : "–";
}

PageTable::Cell percent_cell(double fraction) {
  return {percent(fraction), 100 * fraction};
}

std::string with_interval(const Estimate& e, int digits) {
  if (!std::isfinite(e.low) || !std::isfinite(e.high)) return page_number(e.value, digits);
  return fmt::format("{} ({} … {})", page_number(e.value, digits), page_number(e.low, digits), page_number(e.high, digits));
}

// Quantiles of |error| in bins of equal count by std.
struct BinnedQuantiles {
  std::vector<double> std, q68, q95;
};
BinnedQuantiles binned_quantiles(const Quantity& q) {
  const auto& v = q.values;
  std::vector<std::size_t> order;
  const double smallest = smallest_bar(v);
  for (std::size_t i = 0; i < v.size(); ++i)
    if (v.std[i] > smallest) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return v.std[a] < v.std[b]; });
  const std::size_t bins = std::clamp<std::size_t>(order.size() / 30, 1, 12);
  BinnedQuantiles result;
  for (std::size_t b = 0; b < bins && order.size() >= 20; ++b) {
    const std::size_t from = b * order.size() / bins, to = (b + 1) * order.size() / bins;
    std::vector<double> errors;
    double log_std = 0;
    for (std::size_t k = from; k < to; ++k) {
      errors.push_back(std::abs(q.error(order[k])));
      log_std += std::log(q.std(order[k]));
    }
    std::sort(errors.begin(), errors.end());
    result.std.push_back(std::exp(log_std / static_cast<double>(to - from)));
    result.q68.push_back(quantile(errors, two_sided_68));
    result.q95.push_back(quantile(errors, 0.95));
  }
  return result;
}

void add_error_against_std(Page& page, const PredictionRecord& record, const Quantity& q, const ConfigGroups& groups) {
  Plot plot(
      fmt::format("{}: |error| against error bar", q.name()),
      fmt::format("Absolute {} error against predicted standard deviation, logarithmic axes, with the areas that should contain 68 and 95 "
                  "per cent of the points.",
                  q.name()));
  plot.x = {.label = fmt::format("predicted std ({})", q.error_unit()), .logarithmic = true};
  plot.y = {.label = fmt::format("|error| ({})", q.error_unit()), .logarithmic = true};
  plot.diagonal("expected: 68 % in the dark area, 95 % in both", two_sided_95, {.colour = -1}, true);
  plot.diagonal("", 1, {.colour = -1}, true);
  const std::vector<int> group_of_type = groups.of(record);
  std::vector<std::vector<double>> x(groups.names().size()), y(groups.names().size());
  std::vector<std::vector<std::int64_t>> labels(groups.names().size());
  std::vector<double> absolute;
  const double smallest = smallest_bar(q.values);
  for (std::size_t i = 0; i < q.values.size(); ++i) {
    if (!(q.values.std[i] > smallest)) continue;
    const auto& frame = record.frames()[static_cast<std::size_t>(q.values.frame[i])];
    const auto g = static_cast<std::size_t>(group_of_type[static_cast<std::size_t>(frame.config_type)]);
    const double error = std::abs(q.error(i));
    x[g].push_back(q.std(i));
    y[g].push_back(error);
    labels[g].push_back(frame.number);
    absolute.push_back(error);
  }
  std::sort(absolute.begin(), absolute.end());
  const double floor = 0.02 * quantile(absolute, 0.5);  // smaller errors are drawn at the edge
  if (floor > 0) plot.y.minimum = floor;
  for (std::size_t g = 0; g < x.size(); ++g) {
    const auto colour = static_cast<int>(g);
    if (x[g].empty()) continue;
    for (double& error : y[g]) error = std::max(error, floor);
    plot.scatter(groups.names()[g], std::move(x[g]), std::move(y[g]), {.colour = colour, .in_legend = false, .group = colour},
                 std::move(labels[g]));
  }
  const BinnedQuantiles bins = binned_quantiles(q);
  if (bins.std.size() > 1) {
    plot.line("found: 95 % below", bins.std, bins.q95, {.colour = -2, .dashed = true, .width = 2.2});
    plot.line("68 % below", bins.std, bins.q68, {.colour = -2, .width = 2.2});
  }
  page.figure(plot, fmt::format("The lines should follow the upper edges of the two areas. Errors below {} {} lie at the lower edge.",
                                page_number(floor, 2), q.error_unit()));
}

void add_calibration_curve(Page& page, const std::vector<Quantity>& quantities) {
  Plot plot("Calibration", "Fraction of errors found within the central interval of each probability; the diagonal is right.");
  plot.x = {.label = "expected within the interval", .minimum = 0.0, .maximum = 1.0};
  plot.y = {.label = "found within it", .minimum = 0.0, .maximum = 1.0};
  plot.equal_axes = true;
  plot.width = 420;
  plot.diagonal("", 1);
  std::vector<double> levels;
  for (int i = 0; i <= 100; ++i) levels.push_back(0.01 * i);
  int colour = 0;
  for (const Quantity& q : quantities)
    plot.line(q.name(), levels, observed_fractions(errors_with_bars(q.values), levels), {.colour = colour++});
  page.figure(plot, "Below the diagonal the error bars are too small, above it too large.");
}

void add_z_histogram(Page& page, const std::vector<Quantity>& quantities) {
  Plot plot("Errors in units of their error bars", "Density of z = error / std for each property, with the normal distribution.");
  constexpr double limit = 5;
  constexpr int bins = 40;
  plot.x = {.label = "z = error / std", .minimum = -limit, .maximum = limit};
  plot.y = {.label = "density", .logarithmic = true, .minimum = 1e-4};
  std::vector<double> xs, normal;
  for (int i = -100; i <= 100; ++i) {
    xs.push_back(limit * i / 100);
    normal.push_back(std::exp(-0.5 * xs.back() * xs.back()) / std::sqrt(2 * std::numbers::pi));
  }
  plot.band("expected, N(0, 1)", xs, std::vector<double>(xs.size(), 1e-4), normal, {.colour = -1});
  int colour = 0;
  double highest = 0;
  for (const Quantity& q : quantities) {
    std::vector<double> counts(bins, 0.0), centre, density;
    double all = 0;
    const double smallest = smallest_bar(q.values);
    for (std::size_t i = 0; i < q.values.size(); ++i) {
      if (!(q.values.std[i] > smallest)) continue;
      const double z = q.values.error(i) / q.values.std[i];
      ++counts[static_cast<std::size_t>(std::clamp(std::floor((z / limit + 1) / 2 * bins), 0.0, bins - 1.0))];
      ++all;
    }
    for (int b = 0; b < bins; ++b) {
      centre.push_back(limit * ((2.0 * b + 1) / bins - 1));
      density.push_back(counts[static_cast<std::size_t>(b)] / all / (2 * limit / bins));
    }
    highest = std::max(highest, *std::max_element(density.begin(), density.end()));
    plot.line(q.name(), centre, density, {.colour = colour++}, true);
  }
  plot.y.maximum = 2 * std::max(1.0, highest);
  page.figure(plot, fmt::format("The logarithmic axis shows the tails. Values beyond ±{} count in the outermost points.", limit));
}

void add_metrics_table(Page& page, const std::vector<Quantity>& quantities) {
  PageTable table;
  table.caption = "Metrics of the error bars, with 95 % intervals by bootstrap over structures";
  table.columns = {{"", false},
                   {"values"},
                   {"ZMS (1 is right)"},
                   {"within 68 % (%)"},
                   {"within 95 % (%)"},
                   {"NLL − constant bar's (below 0 is good)"},
                   {"miscalibration area"},
                   {"sharpness"},
                   {"rank correlation"},
                   {"of a perfect model"}};
  long without_bar = 0;
  for (const Quantity& q : quantities) {
    const UncertaintyMetrics m = uncertainty_metrics(errors_with_bars(q.values));
    Estimate c68 = m.coverage68, c95 = m.coverage95;
    for (Estimate* c : {&c68, &c95}) *c = {100 * c->value, 100 * c->low, 100 * c->high};
    without_bar += m.without_bar;
    table.rows.push_back(
        {{q.name()},
         count_cell(m.count),
         {with_interval(m.zms, 2), m.zms.value},
         {with_interval(c68, 3), c68.value},
         {with_interval(c95, 3), c95.value},
         {with_interval(m.nll_difference, 3), m.nll_difference.value},
         number_cell(m.miscalibration_area.value, 2),
         {fmt::format("{} {}", page_number(q.target.shown.error_factor * m.sharpness.value), q.error_unit()), m.sharpness.value},
         number_cell(m.spearman.value, 2),
         number_cell(m.perfect_spearman.value, 2)});
  }
  page.table(table);
  if (without_bar > 0)
    page.paragraph(fmt::format("{} values have no error bar (zero by symmetry, or a property that was not fitted) and are left out.",
                               grouped(without_bar)));
}

struct Coverage {
  long count = 0, within_68 = 0, within_95 = 0;
  double z_square = 0, std_square = 0;

  void add(double error, double std, double smallest) {
    if (!(std > smallest)) return;
    const double z = std::abs(error) / std;
    ++count;
    within_68 += z <= 1;
    within_95 += z <= two_sided_95;
    z_square += z * z;
    std_square += std * std;
  }
  double of(double sum) const { return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count); }
};

void add_table_by_config_type(Page& page, const PredictionRecord& record, const Quantity& q) {
  std::map<std::string, Coverage> rows;
  const double smallest = smallest_bar(q.values);
  for (std::size_t i = 0; i < q.values.size(); ++i)
    rows[record.config_types()[static_cast<std::size_t>(record.frames()[static_cast<std::size_t>(q.values.frame[i])].config_type)]].add(
        q.values.error(i), q.values.std[i], smallest);
  if (rows.size() < 2) return;
  PageTable table;
  table.caption = fmt::format("{} error bars by config type", q.name());
  table.columns = {{"config type", false}, {fmt::format("{}s", q.entry())},
                   {"ZMS", true, true},    {"within 68 % (%)"},
                   {"within 95 % (%)"},    {fmt::format("typical std ({})", q.error_unit()), true, true}};
  for (const auto& [name, c] : rows)
    table.rows.push_back({{name},
                          count_cell(c.count),
                          number_cell(c.of(c.z_square)),
                          percent_cell(c.of(static_cast<double>(c.within_68))),
                          percent_cell(c.of(static_cast<double>(c.within_95))),
                          number_cell(q.target.shown.error_factor * std::sqrt(c.of(c.std_square)))});
  page.table(table);
}

std::vector<Quantity> quantities_with_bars(const PredictionRecord& record) {
  std::vector<Quantity> result;
  for (const Quantity& q : quantities_of(record))
    if (q.values.has_std() && std::any_of(q.values.std.begin(), q.values.std.end(), [](double s) { return s > 0; })) result.push_back(q);
  return result;
}

}  // namespace

void add_error_bar_numbers(Page& page, const PredictionRecord& record) {
  const std::vector<Quantity> quantities = quantities_with_bars(record);
  if (quantities.empty()) return;
  const auto of_atoms = std::find_if(quantities.begin(), quantities.end(), [](const Quantity& q) { return q.target.is_per_atom; });
  const Quantity& q = of_atoms == quantities.end() ? quantities.front() : *of_atoms;
  Coverage c;
  const double smallest = smallest_bar(q.values);
  for (std::size_t i = 0; i < q.values.size(); ++i) c.add(q.values.error(i), q.values.std[i], smallest);
  const double zms = c.of(c.z_square), within_68 = c.of(static_cast<double>(c.within_68)),
               within_95 = c.of(static_cast<double>(c.within_95));
  page.key_figure(fmt::format("{} ZMS", q.name()), page_number(zms), "", "mean of (error/std)²; 1 is right", zms >= 0.8 && zms <= 1.25);
  page.key_figure(fmt::format("{}s within 68 %", q.name()), percent(within_68), "%", "of the values within their std",
                  std::abs(within_68 - two_sided_68) <= 0.05);
  page.key_figure(fmt::format("{}s within 95 %", q.name()), percent(within_95), "%", "of the values within 1.96 std",
                  std::abs(within_95 - 0.95) <= 0.05);
}

void add_error_bars(Page& page, const ReportData& data, const ConfigGroups& groups) {
  const std::vector<Quantity> quantities = quantities_with_bars(data.record);
  if (quantities.empty()) return;
  if (!data.note.empty()) page.paragraph(data.note);
  page.group_legend();
  for (const Quantity& q : quantities) add_error_against_std(page, data.record, q, groups);
  add_calibration_curve(page, quantities);
  add_z_histogram(page, quantities);
  add_metrics_table(page, quantities);
  for (const Quantity& q : quantities)
    if (q.target.shown.by_config_type) add_table_by_config_type(page, data.record, q);
}

}  // namespace gapkit
