#include "tune_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/report/html.hpp>

#include "words.hpp"

namespace gapkit::apps {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_rows = 10;  // of a level, in the table on stdout

std::string short_name(const Knob& knob) {
  return knob.key().starts_with("term.") ? knob.key().substr(5) : knob.key();
}

std::string unit_of(const TargetInfo& target) {
  return std::string(target.unit) + (target.scales_with_atoms ? "/√N" : "");
}

bool has_rows(const Trial& trial, const TargetInfo& target) {
  return std::isfinite(trial.error(target.property));
}

std::vector<double> starting_values(const std::vector<Knob>& knobs) {
  std::vector<double> values;
  for (const Knob& knob : knobs) values.push_back(knob.start());
  return values;
}

/// The trial that others of a level are compared with: the start, or the first one of the level.
const Trial* base_of(const TuneSummary& summary, std::size_t level) {
  if (const Trial* start = summary.file.find(level, starting_values(summary.knobs)); start && start->is_good()) return start;
  for (const Trial& trial : summary.file.trials())
    if (trial.level == level && trial.is_good()) return &trial;
  return nullptr;
}

/// Results of a level, best first.
std::vector<const Trial*> ranking(const TuneSummary& summary, std::size_t level) {
  std::vector<const Trial*> trials;
  for (const Trial& trial : summary.file.trials())
    if (trial.level == level && trial.is_good()) trials.push_back(&trial);
  std::stable_sort(trials.begin(), trials.end(),
                   [&](const Trial* a, const Trial* b) { return summary.judge.score(*a) < summary.judge.score(*b); });
  return trials;
}

std::string level_name(const TuneSummary& summary, std::size_t level) {
  const Trial* base = base_of(summary, level);
  return fmt::format("level {}: {}", level + 1, base ? plural(base->structures, "structure") : "no trial");
}

/// Lengths of texts with characters of several bytes, such as ×.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, width_of(text)), ' ');
}

std::string row_text(const TuneSummary& summary, const Trial& trial, std::size_t width) {
  const Trial& base = *base_of(summary, trial.level);
  std::string text = padded(settings_text(summary.knobs, trial.values), width);
  for (const TargetInfo& target : targets())
    if (has_rows(summary.chosen, target)) text += fmt::format("{:>11.4g}", trial.error(target.property));
  if (&trial == &base)
    text += fmt::format("{:>9}{:>8}", "-", "-");
  else
    text += fmt::format("{:>9.1f}{:>8.1f}", 100 * summary.judge.change(trial, base), 100 * summary.judge.noise_of_change(trial, base));
  return text + fmt::format("{:>15.1f}{:>8}{:>10.3g}{:>9.1f}{}\n", trial.log_evidence, trial.points, trial.flop / 1e9, trial.seconds,
                            &trial == &summary.chosen ? "  chosen" : "");
}

std::string choice_text(const TuneSummary& summary) {
  std::string text;
  for (std::size_t k = 0; k < summary.knobs.size(); ++k) {
    const Knob& knob = summary.knobs[k];
    if (!has_effect(summary.knobs, summary.chosen.values, k)) continue;
    const double value = summary.chosen.values[k];
    text += fmt::format("  {:<24} {}{}\n", knob.key(), knob.text(value),
                        value == knob.start() ? " (as at the start)" : fmt::format(" (start: {})", knob.text(knob.start())));
  }
  for (const FoundSigma& s : summary.chosen.sigma) {
    const TargetInfo& target = targets()[static_cast<std::size_t>(s.property)];
    text += fmt::format("  {:<24} {:.4g} {}\n",
                        fmt::format("sigma of {}{}", target.name, s.config_class == "default" ? "" : ", " + s.config_class), s.sigma,
                        unit_of(target));
  }
  return text;
}

std::vector<double> relative_errors(const TuneSummary& summary, const std::vector<const Trial*>& trials) {
  std::vector<double> errors;
  for (const Trial* trial : trials) errors.push_back(1 + summary.judge.change(*trial, *base_of(summary, trial->level)));
  return errors;
}

std::vector<std::int64_t> numbers_of(const TuneSummary& summary, const std::vector<const Trial*>& trials) {
  std::vector<std::int64_t> numbers;
  for (const Trial* trial : trials) {
    std::int64_t number = 1;
    for (const Trial& other : summary.file.trials()) {
      if (&other == trial) break;
      ++number;
    }
    numbers.push_back(number);
  }
  return numbers;
}

/// Points of all levels; `x` gives the abscissa of a trial.
template <class F>
void add_trials(Plot& plot, const TuneSummary& summary, F&& x) {
  plot.label = "trial";
  plot.y = {.label = "error, relative to the start", .logarithmic = true};
  for (std::size_t level = 0; level < summary.file.plan()->levels.size(); ++level) {
    const std::vector<const Trial*> trials = ranking(summary, level);
    std::vector<double> xs;
    for (const Trial* trial : trials) xs.push_back(x(*trial));
    plot.scatter(level_name(summary, level), xs, relative_errors(summary, trials), {.colour = static_cast<int>(level)},
                 numbers_of(summary, trials));
  }
}

template <class F>
void add_path(Plot& plot, const TuneSummary& summary, F&& x) {
  for (std::size_t level = 0; level < summary.file.plan()->levels.size(); ++level) {
    std::vector<const Trial*> path;
    for (const Trial* trial : summary.path)
      if (trial->level == level) path.push_back(trial);
    std::vector<double> xs;
    for (const Trial* trial : path) xs.push_back(x(*trial));
    plot.line("path of the best", xs, relative_errors(summary, path), {.colour = static_cast<int>(level), .in_legend = level == 0}, true);
  }
}

void add_figures(Page& page, const TuneSummary& summary) {
  const auto cost = [](const Trial& trial) { return trial.flop / 1e9; };
  Plot errors("Errors against cost", "Error on left-out folds and cost of the fit, of all trials.");
  errors.x = {.label = "cost of the trial's fit (Gflop)", .logarithmic = true};
  add_trials(errors, summary, cost);
  add_path(errors, summary, cost);
  page.figure(
      errors,
      "Geometric mean of the errors of energies and forces on left-out folds, relative to the start at the same level. The lines are the "
      "paths of the best trials.");
  const auto number = [&](const Trial& trial) { return static_cast<double>(numbers_of(summary, {&trial}).front()); };
  Plot course("Course", "Error of each trial in the order of the search.");
  course.x = {.label = "trial", .integers = true};
  add_trials(course, summary, number);
  add_path(course, summary, number);
  page.figure(course, "Trials in their order.");
  page.section("Settings", "Each point is a trial. Trials of one level differ in other settings too: those that were found before.");
  for (std::size_t k = 0; k < summary.knobs.size(); ++k) {
    const Knob& knob = summary.knobs[k];
    const auto value = [&](const Trial& trial) { return trial.values[k]; };
    const auto& trials = summary.file.trials();
    if (!knob.kind().texts.empty() ||
        std::all_of(trials.begin(), trials.end(), [&](const Trial& t) { return t.values[k] == knob.start(); }))
      continue;
    Plot plot(short_name(knob), "Error of all trials against " + knob.key());
    plot.x = {.label = knob.is_points() ? "factor of the sparse points" : short_name(knob), .integers = knob.kind().grid == 1};
    add_trials(plot, summary, value);
    page.figure(plot);
  }
}

void add_table(Page& page, const TuneSummary& summary) {
  PageTable table;
  table.columns = {{"trial"}, {"level"}, {"settings", false}};
  for (const TargetInfo& target : targets())
    if (has_rows(summary.chosen, target)) table.columns.push_back({fmt::format("{} ({})", target.name, unit_of(target)), true, true});
  for (const char* heading : {"change (%)", "±", "log evidence", "points", "Gflop", "seconds"}) table.columns.push_back({heading});
  std::int64_t number = 0;
  for (const Trial& trial : summary.file.trials()) {
    ++number;
    const bool is_chosen = &trial == &summary.chosen;
    const auto cell = [&](double value, int digits) { return PageTable::Cell{page_number(value, digits), value, is_chosen}; };
    std::vector<PageTable::Cell> row = {cell(static_cast<double>(number), 6),
                                        cell(static_cast<double>(trial.level + 1), 6),
                                        {settings_text(summary.knobs, trial.values), {}, is_chosen}};
    if (!trial.is_good()) {
      row.back().text += ": " + trial.failure;
      row.resize(table.columns.size());
      table.rows.push_back(row);
      continue;
    }
    const Trial& base = *base_of(summary, trial.level);
    for (const TargetInfo& target : targets())
      if (has_rows(summary.chosen, target)) row.push_back(cell(trial.error(target.property), 4));
    row.push_back(cell(100 * summary.judge.change(trial, base), 3));
    row.push_back(&trial == &base ? PageTable::Cell{} : cell(100 * summary.judge.noise_of_change(trial, base), 2));
    for (const double value : {trial.log_evidence, static_cast<double>(trial.points), trial.flop / 1e9, trial.seconds})
      row.push_back(cell(value, 4));
    table.rows.push_back(row);
  }
  page.table(table);
}

}  // namespace

std::string settings_text(const std::vector<Knob>& knobs, const std::vector<double>& values) {
  std::string text;
  for (std::size_t k = 0; k < knobs.size(); ++k)
    if (values[k] != knobs[k].start() && has_effect(knobs, values, k))
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", short_name(knobs[k]), knobs[k].text(values[k]));
  return text.empty() ? "start" : text;
}

std::string fold_errors_text(const Trial& trial) {
  std::string text;
  for (const TargetInfo& target : targets())
    if (has_rows(trial, target))
      text += fmt::format("{}{} {:.4g} {}", text.empty() ? "" : ", ", target.name, trial.error(target.property), unit_of(target));
  return text;
}

std::string tune_text(const TuneSummary& summary) {
  std::size_t width = 12;
  for (const Trial& trial : summary.file.trials()) width = std::max(width, width_of(settings_text(summary.knobs, trial.values)) + 2);
  width = std::min<std::size_t>(width, 90);
  std::string text = fmt::format("Search: {} in {} of {}, {} for the last fit; {}\n\n",
                                 plural(static_cast<std::int64_t>(summary.file.trials().size()), "trial"), duration(summary.spent),
                                 duration(summary.allowed), duration(summary.last_fit), summary.end);
  text += "Errors on left-out folds; change of energies and forces together from the start, with its standard error over the folds\n";
  std::string units = std::string(width, ' ');
  text += std::string(width, ' ');
  for (const TargetInfo& target : targets()) {
    if (!has_rows(summary.chosen, target)) continue;
    text += fmt::format("{:>11}", target.name);
    units += std::string(11 - std::min<std::size_t>(11, width_of(unit_of(target))), ' ') + unit_of(target);
  }
  text += fmt::format("{:>9}{:>8}{:>15}{:>8}{:>10}{:>9}\n", "change", "error", "log evidence", "points", "Gflop", "seconds");
  text += units + fmt::format("{:>9}{:>8}\n", "%", "%");
  for (std::size_t level = summary.file.plan()->levels.size(); level-- > 0;) {
    const std::vector<const Trial*> trials = ranking(summary, level);
    if (trials.empty()) continue;
    text += level_name(summary, level) + "\n";
    for (std::size_t i = 0; i < trials.size(); ++i)
      if (i < most_rows || trials[i] == &summary.chosen || trials[i] == base_of(summary, level))
        text += row_text(summary, *trials[i], width);
    if (trials.size() > most_rows) text += fmt::format("(the {} best)\n", most_rows);
  }
  std::int64_t failed = 0;
  for (const Trial& trial : summary.file.trials()) failed += !trial.is_good();
  if (failed > 0) text += fmt::format("{} could not be; {} has the reasons\n", plural(failed, "trial"), summary.file.path());
  if (!summary.left_out.empty()) text += "Left out:\n";
  for (const std::string& sentence : summary.left_out) text += "  " + sentence + "\n";
  return text + "\nChosen:\n" + choice_text(summary) + fmt::format("Results: {}\n\n", summary.file.path());
}

Json tune_json(const TuneSummary& summary) {
  Json trials = Json::array();
  for (const Trial& trial : summary.file.trials()) {
    Json json = trial_json(trial, summary.knobs);
    if (trial.is_good()) json["change"] = summary.judge.change(trial, *base_of(summary, trial.level));
    trials.push_back(json);
  }
  Json chosen = Json::object();
  for (std::size_t k = 0; k < summary.knobs.size(); ++k) chosen[summary.knobs[k].key()] = summary.chosen.values[k];
  return {{"allowed_seconds", summary.allowed},
          {"spent_seconds", summary.spent},
          {"end", summary.end},
          {"chosen", chosen},
          {"change", summary.judge.change(summary.chosen, summary.start)},
          {"left_out", summary.left_out},
          {"trials", trials}};
}

std::string tune_page(const TuneSummary& summary) {
  Page page("Search for settings", summary.model);
  page.key_figure("Trials", std::to_string(summary.file.trials().size()));
  page.key_figure("Time", fmt::format("{:.0f}", summary.spent), "s", fmt::format("of {}", duration(summary.allowed)));
  const bool has_base = summary.start.level == summary.chosen.level;
  const double change = summary.judge.change(summary.chosen, summary.start);
  if (has_base)
    page.key_figure("Errors", fmt::format("{:+.1f}", 100 * change), "%", "on left-out folds, against the start",
                    change < 0 ? std::optional<bool>(true) : std::nullopt);
  for (const TargetInfo& target : targets())
    if (has_rows(summary.chosen, target))
      page.key_figure("Fold error, " + std::string(target.name), page_number(summary.chosen.error(target.property)), unit_of(target));
  page.section("Search",
               "Each trial is a fit with its own search for σ; errors are those of structures in left-out folds. " + summary.end + ".");
  add_figures(page, summary);
  page.section("Trials", "Values are those that differ from the start.");
  add_table(page, summary);
  page.folded_text("Chosen", choice_text(summary));
  if (!summary.left_out.empty()) {
    std::string sentences;
    for (const std::string& sentence : summary.left_out) sentences += sentence + "\n";
    page.folded_text("Left out", sentences);
  }
  return page.html();
}

}  // namespace gapkit::apps
