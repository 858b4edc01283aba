#include "active/loop_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/report/html.hpp>
#include <map>

namespace gapkit {
namespace {

template <class Get>
std::vector<double> series(const std::vector<RoundSummary>& rounds, Get get) {
  std::vector<double> values;
  for (const RoundSummary& r : rounds) values.push_back(static_cast<double>(get(r)));
  return values;
}

void add_errors(Page& page, const std::vector<RoundSummary>& rounds, const std::vector<double>& labels) {
  page.section("Errors", "Errors against the number of labels.");
  const auto forces = series(rounds, [](const RoundSummary& r) { return r.rmse[Property::force]; });
  const bool has_validation = std::any_of(forces.begin(), forces.end(), [](double x) { return std::isfinite(x); });
  Plot force("Force error", "Root mean square error of forces against the number of labels.");
  force.x = {.label = "labels", .integers = true};
  force.y = {.label = "force RMSE (eV/Å)", .logarithmic = true};
  if (has_validation) force.line("validation", labels, forces, {.colour = 0}, true);
  force.line("new structures, before the fit to them", labels, series(rounds, [](const RoundSummary& r) { return r.label_force_rmse; }),
             {.colour = 1, .dashed = true}, true);
  page.figure(force, "Errors on newly labelled structures are large because the loop chooses uncertain structures.");
  Plot energy("Energy error", "Root mean square error of energies per atom against the number of labels.");
  energy.x = force.x;
  energy.y = {.label = "energy RMSE (meV/atom)", .logarithmic = true};
  if (has_validation)
    energy.line("validation", labels, series(rounds, [](const RoundSummary& r) { return r.rmse[Property::energy]; }), {.colour = 0}, true);
  energy.line("new structures, before the fit to them", labels, series(rounds, [](const RoundSummary& r) { return r.label_energy_rmse; }),
              {.colour = 1, .dashed = true}, true);
  page.figure(energy);
}

bool is_grade(const LoopOptions& options) {
  return options.threshold.quantity == ThresholdOptions::Quantity::extrapolation;
}

std::string with_unit(const std::string& name, const LoopOptions& options) {
  const std::string unit = quantity_unit(options.threshold.quantity);
  return unit.empty() ? name : fmt::format("{} ({})", name, unit);
}

void add_error_bars(Page& page, const LoopOptions& options, const std::vector<RoundSummary>& rounds,
                    const std::vector<ChosenProposal>& labelled) {
  page.section("Error bars", "The largest error bar found by the sources, and the threshold for proposals.");
  const auto numbers = series(rounds, [](const RoundSummary& r) { return r.round; });
  Plot plot("Error bars and threshold", "Largest error bar and threshold of each round.");
  plot.x = {.label = "round", .integers = true};
  plot.y = {.label = with_unit(quantity_name(options.threshold.quantity), options), .logarithmic = true};
  plot.line("largest", numbers, series(rounds, [](const RoundSummary& r) { return r.largest_std; }), {.colour = 0}, true);
  plot.line("threshold", numbers, series(rounds, [](const RoundSummary& r) { return r.threshold; }), {.colour = -1, .dashed = true});
  std::vector<double> chosen_round, chosen_std;
  for (const ChosenProposal& c : labelled) {
    chosen_round.push_back(c.round);
    chosen_std.push_back(c.proposal.std);
  }
  plot.scatter("labelled", chosen_round, chosen_std, {.colour = 1});
  page.figure(plot);
  Plot scale("Errors against error bars", "The factors a and b of each round.");
  scale.x = plot.x;
  scale.y = {.label = "factor", .logarithmic = true};
  scale.line("a, of the epistemic part", numbers, series(rounds, [](const RoundSummary& r) { return r.a; }), {.colour = 2}, true);
  scale.line("b, of the noise", numbers, series(rounds, [](const RoundSummary& r) { return r.b; }), {.colour = 3}, true);
  page.figure(scale, "Newly labelled structures: error² = a² · epistemic variance + b² · noise.");
}

void add_growth(Page& page, const std::vector<RoundSummary>& rounds) {
  page.section("Growth", "Labels, sparse points and time.");
  const auto numbers = series(rounds, [](const RoundSummary& r) { return r.round; });
  Plot size("Size of the model", "Labels and sparse points of each round.");
  size.x = {.label = "round", .integers = true};
  size.y = {.label = "number", .minimum = 0};
  size.line("labels", numbers, series(rounds, [](const RoundSummary& r) { return r.labels; }), {.colour = 0}, true);
  size.line("sparse points", numbers, series(rounds, [](const RoundSummary& r) { return r.sparse_points; }), {.colour = 1}, true);
  page.figure(size);
  Plot time("Seconds", "Wall time of each round.");
  time.x = size.x;
  time.y = {.label = "s", .minimum = 0};
  time.line("round", numbers, series(rounds, [](const RoundSummary& r) { return r.seconds; }), {.colour = 0}, true);
  time.line("fit", numbers, series(rounds, [](const RoundSummary& r) { return r.fit_seconds; }), {.colour = 1}, true);
  page.figure(time);
}

/// Temperature and time of the replicas of molecular-dynamics sources.
void add_trajectories(Page& page, const std::vector<RoundSummary>& rounds) {
  struct Course {
    std::vector<double> round, kelvin, ps;
  };
  std::map<std::string, Course> courses;
  for (const RoundSummary& r : rounds) {
    const auto sources = nlohmann::ordered_json::parse(r.sources);
    for (const auto& [source, facts] : sources.items()) {
      if (!facts.contains("replicas")) continue;
      int number = 0;
      for (const auto& replica : facts.at("replicas")) {
        Course& course = courses[fmt::format("{} {}, {:g} K", source, ++number, replica.at("temperature").get<double>())];
        course.round.push_back(r.round);
        course.kelvin.push_back(replica.at("measured_temperature").get<double>());
        course.ps.push_back(replica.at("time_ps").get<double>());
      }
    }
  }
  if (courses.empty()) return;
  page.section("Trajectories", "Temperature and simulated time of each replica at the end of each round.");
  Plot kelvin("Temperature", "Instantaneous temperature of each replica at the end of each round."),
      ps("Time", "Simulated time of each replica.");
  kelvin.x = ps.x = {.label = "round", .integers = true};
  kelvin.y = {.label = "K", .minimum = 0};
  ps.y = {.label = "ps", .minimum = 0};
  int colour = 0;
  for (const auto& [name, course] : courses) {
    kelvin.line(name, course.round, course.kelvin, {.colour = colour}, true);
    ps.line(name, course.round, course.ps, {.colour = colour}, true);
    ++colour;
  }
  page.figure(kelvin);
  page.figure(ps);
}

void add_rounds(Page& page, const std::vector<RoundSummary>& rounds) {
  PageTable table;
  for (const char* heading : {"round", "labels", "frames", "sparse points", "energy RMSE (meV/atom)", "force RMSE (eV/Å)", "threshold",
                              "largest std", "proposed", "chosen", "failed", "force RMSE of new structures (eV/Å)", "fit (s)", "round (s)"})
    table.columns.push_back({heading});
  const auto cell = [](double value, int digits) { return PageTable::Cell{page_number(value, digits), value}; };
  const auto count = [](auto value) { return PageTable::Cell{std::to_string(value), static_cast<double>(value)}; };
  for (const RoundSummary& r : rounds)
    table.rows.push_back({count(r.round), count(r.labels), count(r.frames), count(r.sparse_points), cell(r.rmse[Property::energy], 4),
                          cell(r.rmse[Property::force], 4), cell(r.threshold, 3), cell(r.largest_std, 3), count(r.proposed),
                          count(r.chosen), count(r.failed), cell(r.label_force_rmse, 4), cell(r.fit_seconds, 3), cell(r.seconds, 3)});
  page.section("Rounds");
  page.table(table);
}

void add_structures(Page& page, const LoopOptions& options, const std::vector<ChosenProposal>& labelled) {
  page.section("Structures",
               "Labelled structures in the order of their choice, with the reason. The score is the expected information of a label "
               "(docs/active-learning.md).");
  PageTable table;
  table.columns = {{"round"},  {"source", false},
                   {"number"}, {"config type", false},
                   {"atoms"},  {with_unit(is_grade(options) ? "grade" : "std", options)},
                   {"score"},  {"why", false}};
  const auto integer = [](std::int64_t value) { return PageTable::Cell{std::to_string(value), static_cast<double>(value)}; };
  const auto real = [](double value) { return PageTable::Cell{page_number(value), value}; };
  for (const auto& [proposal, round, score, ratio, grade] : labelled)
    table.rows.push_back({integer(round),
                          {proposal.source},
                          integer(proposal.frame),
                          {proposal.structure.config_type},
                          integer(proposal.structure.size()),
                          real(proposal.std),
                          real(score),
                          {proposal.why}});
  page.table(table);
}

}  // namespace

std::string loop_page(const LoopOptions& options, const std::vector<RoundSummary>& rounds, const std::vector<ChosenProposal>& labelled,
                      const std::string& state) {
  Page page("Learning loop", options.folder + ": " + state);
  const RoundSummary& last = rounds.back();
  page.key_figure("Rounds", std::to_string(last.round));
  page.key_figure("Labels", std::to_string(labelled.size()), "", fmt::format("in addition to {} initial frames", rounds.front().frames));
  page.key_figure("Sparse points", std::to_string(last.sparse_points));
  if (std::isfinite(last.rmse[Property::force]))
    page.key_figure("Force RMSE", page_number(last.rmse[Property::force]), "eV/Å", "validation, newest model");
  const std::vector<double> labels = series(rounds, [](const RoundSummary& r) { return r.labels; });
  add_errors(page, rounds, labels);
  add_error_bars(page, options, rounds, labelled);
  add_growth(page, rounds);
  add_trajectories(page, rounds);
  add_rounds(page, rounds);
  add_structures(page, options, labelled);
  page.section("Configuration");
  page.folded_text("Configuration", options.resolved);
  return page.html();
}

}  // namespace gapkit
