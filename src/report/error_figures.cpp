#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/report_parts.hpp"

namespace gapkit {
namespace {

const double absent = std::numeric_limits<double>::quiet_NaN();

constexpr int most_groups = 4 * plot_colours;  // distinguishable styles

// Indices of the entries of each group.
std::vector<std::vector<std::size_t>> entries_by_group(const PredictionRecord& record, const PredictionRecord::Values& values,
                                                       const ConfigGroups& groups) {
  const std::vector<int> group_of_type = groups.of(record);
  std::vector<std::vector<std::size_t>> result(groups.names().size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto type = static_cast<std::size_t>(record.frames()[static_cast<std::size_t>(values.frame[i])].config_type);
    result[static_cast<std::size_t>(group_of_type[type])].push_back(i);
  }
  return result;
}

ErrorNumbers numbers_of(const Quantity& q, const std::vector<std::size_t>* entries = nullptr) {
  std::vector<double> errors;
  if (entries)
    for (const std::size_t i : *entries) errors.push_back(q.error(i));
  else
    for (std::size_t i = 0; i < q.values.size(); ++i) errors.push_back(q.error(i));
  return error_numbers(std::move(errors));
}

Plot histogram(const PredictionRecord& record, const Quantity& q, const ConfigGroups& groups, const ErrorNumbers& all, double& limit) {
  constexpr int bins = 41;
  std::vector<double> absolute;
  for (std::size_t i = 0; i < q.values.size(); ++i) absolute.push_back(std::abs(q.error(i)));
  std::sort(absolute.begin(), absolute.end());
  limit = std::min(all.largest, 1.2 * quantile(absolute, 0.98));
  if (!(limit > 0)) limit = 1;
  std::vector<double> edges, base(bins, 0.0);
  for (int b = 0; b <= bins; ++b) edges.push_back(limit * (2.0 * b / bins - 1));
  Plot plot(fmt::format("{} errors", q.name()),
            fmt::format("Histogram of {} errors in {}, stacked by config type.", q.name(), q.error_unit()));
  plot.x = {.label = fmt::format("predicted − reference ({})", q.error_unit()), .minimum = -limit, .maximum = limit};
  plot.y = {.label = fmt::format("{}s", q.entry()), .integers = true, .minimum = 0.0};
  plot.height = 270;
  const auto entries = entries_by_group(record, q.values, groups);
  for (std::size_t g = 0; g < entries.size(); ++g) {
    if (entries[g].empty()) continue;
    std::vector<double> heights(bins, 0.0);
    for (const std::size_t i : entries[g]) {
      const double error = q.error(i);
      ++heights[static_cast<std::size_t>(std::clamp(std::floor((error / limit + 1) / 2 * bins), 0.0, bins - 1.0))];
    }
    const auto colour = static_cast<int>(g);
    plot.steps(groups.names()[g], edges, heights, base, {.colour = colour, .in_legend = false, .group = colour});
    for (int b = 0; b < bins; ++b) base[static_cast<std::size_t>(b)] += heights[static_cast<std::size_t>(b)];
  }
  return plot;
}

}  // namespace

ConfigGroups::ConfigGroups(std::span<const ReportData> data) {
  std::map<std::string, std::int64_t> frames;
  for (const ReportData& d : data)
    for (const auto& frame : d.record.frames()) ++frames[d.record.config_types()[static_cast<std::size_t>(frame.config_type)]];
  std::vector<std::pair<std::int64_t, std::string>> by_size;
  for (const auto& [name, count] : frames) by_size.emplace_back(-count, name);
  std::sort(by_size.begin(), by_size.end());
  const std::size_t own = by_size.size() <= most_groups ? by_size.size() : most_groups - 1;
  for (std::size_t i = 0; i < own; ++i) names_.push_back(by_size[i].second);
  std::sort(names_.begin(), names_.end());
  for (std::size_t i = 0; i < own; ++i) index_[names_[i]] = static_cast<int>(i);
  if (own == by_size.size()) return;
  for (std::size_t i = own; i < by_size.size(); ++i) index_[by_size[i].second] = static_cast<int>(own);
  names_.push_back(fmt::format("{} others", by_size.size() - own));
}

int ConfigGroups::of(const std::string& config_type) const {
  return index_.at(config_type);
}

std::vector<int> ConfigGroups::of(const PredictionRecord& record) const {
  std::vector<int> result;
  for (const std::string& name : record.config_types()) result.push_back(index_.at(name));
  return result;
}

std::vector<Quantity> quantities_of(const PredictionRecord& record) {
  std::vector<Quantity> result;
  for (const TargetInfo& target : targets())
    if (record.values(target.property).size() > 0) result.push_back({target, record.values(target.property)});
  return result;
}

double quantile(const std::vector<double>& sorted, double fraction) {
  if (sorted.empty()) return absent;
  const double at = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double next = below + 1 < sorted.size() ? sorted[below + 1] : sorted[below];
  return sorted[below] + (at - static_cast<double>(below)) * (next - sorted[below]);
}

ErrorNumbers error_numbers(std::vector<double> errors) {
  ErrorNumbers n;
  for (double& e : errors) {
    n.summary.add(e);
    e = std::abs(e);
  }
  std::sort(errors.begin(), errors.end());
  n.median = quantile(errors, 0.5);
  n.q95 = quantile(errors, 0.95);
  n.largest = quantile(errors, 1);
  return n;
}

std::string grouped(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), "\u2009");
  return digits;
}

PageTable::Cell number_cell(double value, int digits) {
  return {page_number(value, digits), value};
}

PageTable::Cell count_cell(std::int64_t count) {
  return {grouped(count), static_cast<double>(count)};
}

void add_error_table(Page& page, const ReportData& data) {
  const PredictionRecord& record = data.record;
  const std::vector<Quantity> quantities = quantities_of(record);
  if (quantities.empty()) return;
  PageTable table;
  table.columns = {{"config type", false}, {"frames"}, {"atoms"}};
  for (const Quantity& q : quantities) {
    table.columns.push_back({fmt::format("{} RMSE ({})", q.name(), q.error_unit()), true, true});
    table.columns.push_back({fmt::format("{} MAE ({})", q.name(), q.error_unit())});
  }
  struct Row {
    std::int64_t frames = 0, atoms = 0;
    std::vector<std::vector<double>> errors;
  };
  std::map<std::string, Row> rows;
  const auto name_of = [&](const PredictionRecord::Frame& frame) {
    return record.config_types()[static_cast<std::size_t>(frame.config_type)];
  };
  for (const auto& frame : record.frames()) {
    Row& row = rows[name_of(frame)];
    row.errors.resize(quantities.size());
    ++row.frames;
    row.atoms += frame.atoms;
  }
  for (std::size_t k = 0; k < quantities.size(); ++k) {
    const Quantity& q = quantities[k];
    for (std::size_t i = 0; i < q.values.size(); ++i)
      rows[name_of(record.frames()[static_cast<std::size_t>(q.values.frame[i])])].errors[k].push_back(q.error(i));
  }
  const auto add_errors = [&](std::vector<PageTable::Cell>& cells, const ErrorNumbers& n) {
    cells.push_back(number_cell(n.summary.rmse()));
    cells.push_back(number_cell(n.summary.mae()));
  };
  for (const auto& [name, row] : rows) {
    std::vector<PageTable::Cell> cells = {{name}, count_cell(row.frames), count_cell(row.atoms)};
    for (const auto& errors : row.errors) add_errors(cells, error_numbers(errors));
    table.rows.push_back(std::move(cells));
  }
  std::vector<PageTable::Cell> total = {{"all"}, count_cell(static_cast<std::int64_t>(record.frames().size())), count_cell(record.atoms())};
  for (const Quantity& q : quantities) add_errors(total, numbers_of(q));
  table.rows.push_back(std::move(total));
  table.has_total = true;
  table.caption = data.name.empty() ? "" : "Errors, " + data.name;
  page.table(table);
  if (const std::string base = base_alone_text(record.base_alone()); !base.empty()) page.paragraph(base);
}

void add_parity_plots(Page& page, const ReportData& data, const ConfigGroups& groups, const std::string& suffix) {
  for (const Quantity& q : quantities_of(data.record)) {
    Plot plot(std::string(q.name()) + suffix,
              fmt::format("Predicted against reference {} in {}; points on the diagonal are exact.", q.name(), q.unit()));
    plot.x = {.label = fmt::format("reference ({})", q.unit())};
    plot.y = {.label = fmt::format("predicted ({})", q.unit())};
    plot.equal_axes = true;
    plot.width = 420;
    plot.diagonal("", 1);
    const auto entries = entries_by_group(data.record, q.values, groups);
    for (std::size_t g = 0; g < entries.size(); ++g) {
      if (entries[g].empty()) continue;
      std::vector<double> x, y;
      std::vector<std::int64_t> labels;
      for (const std::size_t i : entries[g]) {
        x.push_back(q.values.reference[i]);
        y.push_back(q.values.predicted[i]);
        labels.push_back(data.record.frames()[static_cast<std::size_t>(q.values.frame[i])].number);
      }
      const auto colour = static_cast<int>(g);
      plot.scatter(groups.names()[g], std::move(x), std::move(y), {.colour = colour, .in_legend = false, .group = colour},
                   std::move(labels));
    }
    const ErrorNumbers n = numbers_of(q);
    page.figure(plot, fmt::format("{} {}{}. RMSE {}, MAE {}, largest error {} {}.", grouped(n.summary.count), q.entry(),
                                  n.summary.count == 1 ? "" : "s", page_number(n.summary.rmse()), page_number(n.summary.mae()),
                                  page_number(n.largest), q.error_unit()));
  }
}

void add_error_histograms(Page& page, const ReportData& data, const ConfigGroups& groups, const std::string& suffix) {
  for (const Quantity& q : quantities_of(data.record)) {
    const ErrorNumbers n = numbers_of(q);
    double limit = 0;
    Plot plot = histogram(data.record, q, groups, n, limit);
    std::string caption = fmt::format("Half of the errors are below {}, 95 % below {}, the largest is {} {}.", page_number(n.median),
                                      page_number(n.q95), page_number(n.largest), q.error_unit());
    if (n.largest > limit) caption += " Errors beyond the axis count in its outermost bars.";
    plot.set_title(plot.title() + suffix);
    page.figure(plot, caption);
  }
}

void add_worst_structures(Page& page, const ReportData& data) {
  const PredictionRecord& record = data.record;
  const std::vector<Quantity> quantities = quantities_of(record);
  if (quantities.empty()) return;
  PerTarget<double> rmse;  // of all
  for (const Quantity& q : quantities) rmse[q.target.property] = numbers_of(q).summary.rmse() / q.target.shown.error_factor;
  struct Entry {
    std::size_t frame;
    double score;
    Property worst;
  };
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < record.frames().size(); ++i) {
    Entry entry{i, -1, Property::energy};
    for (const Quantity& q : quantities) {
      const auto& error = record.frames()[i].error[q.target.property];
      if (!error || !(rmse[q.target.property] > 0)) continue;
      const double score = std::abs(*error) / rmse[q.target.property];
      if (score > entry.score) entry = {i, score, q.target.property};
    }
    if (entry.score >= 0) entries.push_back(entry);
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.score > b.score; });
  entries.resize(std::min<std::size_t>(entries.size(), 10));
  PageTable table;
  table.caption = fmt::format("The worst {} structures{}", entries.size(), data.name.empty() ? "" : ", " + data.name);
  table.columns = {{"frame"}, {"config type", false}, {"atoms"}, {"times the overall RMSE"}};
  for (const TargetInfo& target : targets()) {
    const char *name = target.std_names.front(), *unit = target.shown.error_unit;
    table.columns.push_back({fmt::format("{} {} ({})", name, target.is_single() ? "error" : "RMSE", unit)});
    if (!target.is_vector_of_atoms()) continue;
    table.columns.push_back({fmt::format("worst {} ({})", name, unit)});
    table.columns.push_back({"of atom"});
  }
  table.columns.push_back({"where", false});
  for (const Entry& e : entries) {
    const auto& frame = record.frames()[e.frame];
    std::vector<PageTable::Cell> row = {count_cell(frame.number),
                                        {record.config_types()[static_cast<std::size_t>(frame.config_type)]},
                                        count_cell(frame.atoms),
                                        number_cell(e.score, 2)};
    for (const TargetInfo& target : targets()) {
      const Property p = target.property;
      row.push_back(number_cell(frame.error[p] ? target.shown.error_factor * *frame.error[p] : absent));
      row.back().is_strong = e.worst == p;
      if (!target.is_vector_of_atoms()) continue;
      row.push_back(number_cell(frame.error[p] ? target.shown.error_factor * frame.largest_error[p] : absent));
      row.push_back(frame.worst_atom[p] > 0 ? count_cell(frame.worst_atom[p]) : number_cell(absent));
    }
    row.push_back({frame.source});
    table.rows.push_back(std::move(row));
  }
  page.table(table);
}

void add_unlabelled(Page& page, const ReportData& data, const ConfigGroups& groups) {
  const std::vector<int> group_of_type = groups.of(data.record);
  Plot plot("Predicted energy", "Predicted energy of each frame");
  plot.x = {.label = "frame", .integers = true};
  plot.y = {.label = "energy relative to isolated atoms (eV/atom)"};
  std::vector<std::vector<double>> x(groups.names().size()), y(groups.names().size());
  for (const auto& frame : data.record.frames()) {
    const auto g = static_cast<std::size_t>(group_of_type[static_cast<std::size_t>(frame.config_type)]);
    x[g].push_back(static_cast<double>(frame.number));
    y[g].push_back(frame.energy);
  }
  for (std::size_t g = 0; g < x.size(); ++g) {
    const auto colour = static_cast<int>(g);
    if (!x[g].empty()) plot.scatter(groups.names()[g], x[g], y[g], {.colour = colour, .in_legend = false, .group = colour});
  }
  page.figure(plot, fmt::format("{} frames.", grouped(static_cast<std::int64_t>(data.record.frames().size()))));

  const auto key = [](const PredictionRecord::Frame* frame) {  // std of the last target with one
    std::optional<double> last;
    for (const std::optional<double>& bar : frame->largest_std)
      if (bar) last = bar;
    return last;
  };
  std::vector<const PredictionRecord::Frame*> frames;
  for (const auto& frame : data.record.frames())
    if (key(&frame)) frames.push_back(&frame);
  if (frames.empty()) return;
  std::stable_sort(frames.begin(), frames.end(), [&](const auto* a, const auto* b) { return *key(a) > *key(b); });
  frames.resize(std::min<std::size_t>(frames.size(), 10));
  PageTable table;
  table.caption = fmt::format("The {} least certain structures", frames.size());
  table.columns = {{"frame"}, {"config type", false}, {"atoms"}};
  const auto is_shown = [](const TargetInfo& target) { return target.is_single() || target.is_vector_of_atoms(); };
  for (const TargetInfo& target : targets())
    if (is_shown(target))
      table.columns.push_back(
          {fmt::format("{}{} std ({})", target.is_single() ? "" : "largest ", target.std_names.front(), target.shown.error_unit)});
  table.columns.push_back({"where", false});
  for (const auto* frame : frames) {
    std::vector<PageTable::Cell> row = {
        count_cell(frame->number), {data.record.config_types()[static_cast<std::size_t>(frame->config_type)]}, count_cell(frame->atoms)};
    for (const TargetInfo& target : targets())
      if (is_shown(target)) row.push_back(number_cell(target.shown.error_factor * frame->largest_std[target.property].value_or(absent)));
    row.push_back({frame->source});
    table.rows.push_back(std::move(row));
  }
  page.table(table);
}

}  // namespace gapkit
