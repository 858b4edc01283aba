#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/model/noise.hpp>
#include <gapkit/report/report_pages.hpp>
#include <nlohmann/json.hpp>

#include "report/report_parts.hpp"

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

std::optional<Json> note_of(const Model& model, const std::string& name) {
  const auto found = model.notes.find(name);
  if (found == model.notes.end()) return {};
  Json json = Json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return {};
  return json;
}

double number_in(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_number() ? json[key].get<double>()
                                                                         : std::numeric_limits<double>::quiet_NaN();
}

std::string pair_name(const DimerCurve& curve) {
  return element_symbol(curve.first) + "–" + element_symbol(curve.second);
}

Plot dimer_plot(const DimerCurve& curve) {
  Plot plot(pair_name(curve), fmt::format("Energy of a {} dimer over its distance.", pair_name(curve)));
  plot.x = {.label = "distance (Å)"};
  plot.y = {.label = "energy (eV)"};
  plot.height = 270;
  double lowest = 0, widest = 0;
  for (std::size_t i = 0; i < curve.energy.size(); ++i)
    if (std::isfinite(curve.energy[i]) && curve.energy[i] < lowest) {
      lowest = curve.energy[i];
      widest = curve.std.empty() ? 0 : two_sided_95 * curve.std[i];
    }
  plot.y.maximum = std::max(1.0, 1.6 * -lowest);
  plot.y.minimum = std::min({lowest - 1.1 * widest, 1.15 * lowest, -0.25 * *plot.y.maximum});
  if (!curve.std.empty()) {
    std::vector<double> low, high;
    for (std::size_t i = 0; i < curve.std.size(); ++i) {
      low.push_back(curve.energy[i] - two_sided_95 * curve.std[i]);
      high.push_back(curve.energy[i] + two_sided_95 * curve.std[i]);
    }
    plot.band("", curve.distance, low, high, {.colour = 0});
  }
  if (!curve.distance.empty())
    plot.line("", {curve.distance.front(), curve.distance.back()}, {0, 0}, {.colour = -1, .dashed = true, .width = 1});
  plot.line("", curve.distance, curve.energy, {.colour = 0, .width = 2.2});
  return plot;
}

std::string dimer_caption(const DimerCurve& curve) {
  std::size_t lowest = 0;
  for (std::size_t i = 0; i < curve.energy.size(); ++i)
    if (curve.energy[i] < curve.energy[lowest]) lowest = i;
  if (curve.energy.empty() || !(curve.energy[lowest] < 0)) return "";
  const std::string bar = curve.std.empty() ? "" : fmt::format(" ± {}", page_number(two_sided_95 * curve.std[lowest], 2));
  return fmt::format("Lowest: {}{} eV at {:.2f} Å.", page_number(curve.energy[lowest]), bar, curve.distance[lowest]);
}

PageTable::Cell given_cell(double root_mean_square) {
  if (root_mean_square == 0) return {"given in the data"};
  return {fmt::format("given in the data, root mean square {:.4g}", root_mean_square)};
}

PageTable sigma_table(const Model& model, const std::optional<Json>& optimization) {
  const Json* groups = nullptr;
  if (optimization && optimization->contains("groups") && optimization->contains("before") && optimization->contains("after")) {
    const Json& list = (*optimization)["groups"];
    const auto fits = [&](const char* state) {
      const Json& s = (*optimization)[state];
      return s.is_object() && s.contains("groups") && s["groups"].is_array() && s["groups"].size() == list.size();
    };
    if (list.is_array() && list.size() == model.posterior.groups.size() && fits("before") && fits("after")) groups = &list;
  }
  PageTable table;
  table.caption = "Noise levels σ";
  table.columns = {{"property", false}, {"class of config types", false}, {"σ"}, {"unit", false}};
  if (groups)
    for (const char* heading : {"rows", "σ before", "residual (RMS)"}) table.columns.push_back({heading});
  for (std::size_t g = 0; g < model.posterior.groups.size(); ++g) {
    const RowGroup& group = model.posterior.groups[g];
    std::vector<PageTable::Cell> row = {
        {property_name(group.property)},
        {group.config_class},
        group.fixed ? given_cell(own_noise(model.posterior.noise, group.property)) : number_cell(group.sigma),
        {target_info(group.property).sigma_unit(model.scale_with_atoms)}};
    if (groups) {
      const double rows = number_in((*groups)[g], "rows");
      row.push_back(std::isfinite(rows) ? count_cell(static_cast<std::int64_t>(rows)) : number_cell(rows));
      row.push_back(number_cell(number_in((*optimization)["before"]["groups"][g], "sigma")));
      row.push_back(number_cell(number_in((*optimization)["after"]["groups"][g], "residual")));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

PageTable term_table(const Model& model) {
  PageTable table;
  table.caption = "Terms";
  table.columns = {{"term", false}, {"name", false}, {"kernel", false}, {"cutoff (Å)"}, {"δ (eV)"}, {"features"}, {"sparse points"}};
  for (std::size_t t = 0; t < model.terms.size(); ++t) {
    const Term& term = model.terms[t];
    const double scale = t < model.posterior.delta_ratio.size() ? model.posterior.delta_ratio[t] : 1;
    table.rows.push_back({{term.label()},
                          {term.name},
                          {term.kernel_name},
                          number_cell(term.descriptor->cutoff()),
                          number_cell(scale * term.delta),
                          count_cell(term.descriptor->size()),
                          count_cell(term.sparse.size())});
  }
  return table;
}

PageTable calibration_table(const Calibration& calibration) {
  PageTable table;
  table.caption = fmt::format("Calibration of the error bars ({})", calibration.source);
  table.columns = {{"property", false},
                   {"class of config types", false},
                   {"a (epistemic)"},
                   {"b (noise)"},
                   {"rows"},
                   {"structures"},
                   {"mean z²"},
                   {"% within 1 std"},
                   {"% within 1.96 std"}};
  for (const CalibrationFactors& f : calibration.factors) {
    if (f.points != 0) continue;
    std::string name = f.config_class;
    if (f.element != 0) name += fmt::format(", {}", element_symbol(f.element));
    std::vector<PageTable::Cell> row = {{property_name(f.property)},
                                        {name},
                                        number_cell(f.a),
                                        number_cell(f.b),
                                        count_cell(f.rows),
                                        count_cell(f.structures),
                                        {"-"},
                                        {"-"},
                                        {"-"}};
    if (f.quality) {
      row[6] = number_cell(f.quality->zms, 2);
      row[7] = number_cell(100 * f.quality->coverage68, 0);
      row[8] = number_cell(100 * f.quality->coverage95, 0);
    }
    table.rows.push_back(std::move(row));
  }
  for (const TargetInfo& target : targets())
    if (!calibration.covers(target.property))
      table.rows.push_back({{target.name}, {"uncalibrated"}, {"-"}, {"-"}, {"-"}, {"-"}, {"-"}, {"-"}, {"-"}});
  return table;
}

void add_trace(Page& page, const Json& optimization) {
  if (!optimization.contains("trace") || !optimization["trace"].is_array()) return;
  std::vector<double> step, value, below;
  double best = -std::numeric_limits<double>::infinity();
  for (const Json& v : optimization["trace"])
    if (v.is_number()) {
      value.push_back(v.get<double>());
      step.push_back(static_cast<double>(value.size()));
      best = std::max(best, value.back());
    }
  if (value.size() < 2) return;
  const std::string objective = optimization.contains("objective") && optimization["objective"].is_string()
                                    ? optimization["objective"].get<std::string>()
                                    : std::string("objective");
  const bool is_evidence = objective != "cross_validation";
  for (const double v : value) below.push_back(best - v);
  Plot plot(is_evidence ? "Evidence trace" : "Cross-validation trace", "Distance of the objective from its best value at each step.");
  plot.x = {.label = "step", .integers = true};
  plot.y = {.label = is_evidence ? "log evidence below the best" : "loss above the best", .logarithmic = true};
  plot.height = 270;
  if (is_evidence) plot.y.minimum = 0.01;  // smaller changes are rounding
  plot.line("", step, below, {.colour = 0}, true);
  page.figure(plot, is_evidence
                        ? fmt::format("{} steps; log evidence {:.1f} at the first, {:.1f} at the best. The best itself has no place on a "
                                      "logarithmic axis.",
                                      value.size(), value.front(), best)
                        : fmt::format("{} steps.", value.size()));
}

}  // namespace

void add_dimers(Page& page, const ReportModel& model) {
  for (const DimerCurve& curve : model.dimers) page.figure(dimer_plot(curve), dimer_caption(curve));
}

void add_sparse_set(Page& page, const Model& model) {
  const auto found = model.notes.find(sparse_counts_note);
  if (found == model.notes.end()) {
    BarChart chart("Sparse points", "Sparse points of each term", "sparse points");
    std::vector<std::string> names;
    std::vector<double> counts;
    for (const Term& term : model.terms) {
      names.push_back(term.label());
      counts.push_back(static_cast<double>(term.sparse.size()));
    }
    chart.set_categories(std::move(names));
    chart.integers = true;
    chart.add("", std::move(counts));
    page.figure(chart, "The model has no record of the config types of its points.");
    return;
  }
  const SparseCounts counts = sparse_counts_from_json(found->second);
  std::vector<std::string> config_types;
  for (const auto& [name, atoms] : counts.atoms) config_types.push_back(name);
  for (const auto& [label, by_type] : counts.terms)
    for (const auto& [name, count] : by_type)
      if (!counts.atoms.count(name) && std::find(config_types.begin(), config_types.end(), name) == config_types.end())
        config_types.push_back(name);
  BarChart points("Sparse points", "Sparse points of each term by config type", "sparse points");
  BarChart atoms("Atoms of the training data", "Atoms by config type", "atoms");
  points.integers = atoms.integers = true;
  points.set_categories(config_types);
  atoms.set_categories(config_types);
  int colour = 0;
  for (const auto& [label, by_type] : counts.terms) {
    std::vector<double> values;
    for (const std::string& name : config_types) values.push_back(by_type.count(name) ? by_type.at(name) : 0);
    points.add(label, std::move(values), {.colour = colour++});
  }
  std::vector<double> values;
  for (const std::string& name : config_types) values.push_back(counts.atoms.count(name) ? static_cast<double>(counts.atoms.at(name)) : 0);
  atoms.add("", std::move(values), {.colour = -1});
  page.figure(points, "Config types of the representative environments.");
  page.figure(atoms, "How much there was to choose from.");
}

void add_hyperparameters(Page& page, const Model& model) {
  const std::optional<Json> optimization = note_of(model, "optimization");
  if (optimization) add_trace(page, *optimization);
  page.table(term_table(model));
  if (!model.posterior.groups.empty()) page.table(sigma_table(model, optimization));
  if (model.calibration) page.table(calibration_table(*model.calibration));
  PageTable energies;
  energies.caption = "Reference energies";
  energies.columns = {{"element", false}, {"energy of the isolated atom (eV)"}};
  for (const auto& [element, energy] : model.reference_energies)
    energies.rows.push_back({{element_symbol(element)}, {fmt::format("{:.6f}", energy), energy}});
  page.table(energies);
  if (!model.configuration.empty()) page.folded_text("Configuration", model.configuration);
}

void add_timing(Page& page, const ReportTiming& timing, std::int64_t atoms) {
  BarChart chart("Time", "Wall time of each phase", "wall time (s)");
  std::vector<std::string> names;
  std::vector<double> seconds;
  double known = 0;
  for (const auto& [name, s] : timing.seconds) {
    names.push_back(name);
    seconds.push_back(s);
    known += s;
  }
  if (timing.total_seconds > known) {
    names.push_back("everything else");
    seconds.push_back(timing.total_seconds - known);
  }
  chart.set_categories(std::move(names));
  chart.add("", std::move(seconds));
  page.figure(chart, fmt::format("{} s in all for {} atoms; peak memory {} GB.", page_number(timing.total_seconds), grouped(atoms),
                                 page_number(timing.peak_memory_gb, 2)));
}

}  // namespace gapkit
