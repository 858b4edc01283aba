#include <fmt/format.h>

#include <algorithm>
#include <gapkit/active/options.hpp>
#include <gapkit/config/document.hpp>
#include <gapkit/config/files.hpp>
#include <gapkit/config/potential.hpp>
#include <gapkit/config/term.hpp>
#include <gapkit/core/errors.hpp>
#include <nlohmann/json.hpp>

#include "active/describe_document.hpp"

namespace gapkit {
namespace {

const std::vector<std::string> loop_sections = {"loop", "source", "label", "threshold", "choose", "sparse"};

/// The enumerator whose index is the index of the given name in a list.
template <class Enum>
Enum choice_of(const Section& section, const std::string& key, Enum standard, const std::vector<std::string>& names) {
  const std::string name = section.choice(key, names[static_cast<std::size_t>(standard)], names);
  return static_cast<Enum>(std::find(names.begin(), names.end(), name) - names.begin());
}

int count_of(const Section& section, const std::string& key, int standard, int smallest) {
  return static_cast<int>(section.integer(key, standard, smallest, std::numeric_limits<int>::max()));
}

std::vector<double> positive_numbers(const Section& section, const std::string& key, const std::vector<double>& standard,
                                     const std::string& unit) {
  const TomlEntry* entry = section.find(key);
  if (!entry) return standard;
  std::vector<double> numbers;
  if (entry->value.kind != TomlValue::Kind::list) return {section.positive_number(*entry, unit)};
  for (const TomlValue& value : entry->value.items) {
    const TomlEntry item{entry->key, value.line ? value.line : entry->line, value};
    numbers.push_back(section.positive_number(item, unit));
  }
  if (numbers.empty()) section.wrong(*entry, "at least one number");
  return numbers;
}

GoalOptions read_goal(const Section& section, const std::filesystem::path& folder, LoopOptions& options) {
  section.check_keys(std::vector<std::string>{"folder", "start", "rounds", "labels", "wall_time"});
  options.start = expanded_files(section.texts("start"), folder, [&](const std::string& problem) {
    section.fail(section.line("start"), fmt::format("'start': {}", problem));
  });
  GoalOptions goal;
  options.folder = section.text("folder", options.folder);
  goal.rounds = count_of(section, "rounds", goal.rounds, 1);
  goal.labels = count_of(section, "labels", goal.labels, 0);
  goal.wall_time = section.not_negative("wall_time", goal.wall_time);
  return goal;
}

ThresholdOptions read_threshold(const Section& section) {
  section.check_keys(std::vector<std::string>{"quantity", "mode", "value", "upper", "hysteresis", "points"});
  ThresholdOptions t;
  t.quantity = choice_of(section, "quantity", t.quantity, {"force", "local_energy", "energy", "extrapolation"});
  const bool is_grade = t.quantity == ThresholdOptions::Quantity::extrapolation;
  if (is_grade) t.mode = ThresholdOptions::Mode::absolute;
  t.mode = choice_of(section, "mode", t.mode, {"none", "absolute", "relative", "auto"});
  if (is_grade && (t.mode == ThresholdOptions::Mode::relative || t.mode == ThresholdOptions::Mode::automatic))
    section.fail(section.line("mode"),
                 "quantity \"extrapolation\" has its border at 1 by itself: mode is \"absolute\" (with 'value', a grade) or \"none\"");
  if (t.mode == ThresholdOptions::Mode::absolute && !is_grade && !section.has("value"))
    section.fail(section.line("mode"), fmt::format("mode \"absolute\" needs 'value', in {}", quantity_unit(t.quantity)));
  t.value = section.positive("value", t.value,
                             is_grade                                     ? "a grade"
                             : t.mode == ThresholdOptions::Mode::absolute ? quantity_unit(t.quantity)
                                                                          : "a factor");
  t.upper = section.positive("upper", t.upper, "a factor");
  if (!(t.upper > 1)) section.fail(section.line("upper"), fmt::format("'upper' is {}, expected a factor above 1", t.upper));
  t.hysteresis = section.not_negative("hysteresis", t.hysteresis);
  if (section.has("points") && t.quantity != ThresholdOptions::Quantity::force)
    section.fail(section.line("points"),
                 "'points' belongs to quantity \"force\": all other quantities have all sparse points; leave it out");
  t.all_points = section.choice("points", "quarter", std::vector<std::string>{"quarter", "all"}) == "all";
  return t;
}

ChooseOptions read_choose(const Section& section) {
  section.check_keys(std::vector<std::string>{"method", "covariance", "criterion", "per_round", "candidates"});
  ChooseOptions c;
  c.method = choice_of(section, "method", c.method, {"variance", "top", "random"});
  c.covariance = choice_of(section, "covariance", c.covariance, {"energy", "local_energy", "forces"});
  c.criterion = choice_of(section, "criterion", c.criterion, {"largest", "total"});
  c.per_round = count_of(section, "per_round", c.per_round, 1);
  c.candidates = count_of(section, "candidates", c.candidates, 1);
  return c;
}

GrowthOptions read_growth(const Section& section) {
  section.check_keys(std::vector<std::string>{"every", "per_label", "max"});
  GrowthOptions g;
  g.every = count_of(section, "every", g.every, 0);
  g.per_label = count_of(section, "per_label", g.per_label, 0);
  g.max = count_of(section, "max", g.max, 1);
  return g;
}

nlohmann::ordered_json json_of(const TomlValue& value) {
  using ValueKind = TomlValue::Kind;
  switch (value.kind) {
    case ValueKind::boolean:
      return value.boolean;
    case ValueKind::integer:
      return value.integer;
    case ValueKind::real:
      return value.real;
    case ValueKind::text:
    case ValueKind::date:
      return value.text;
    case ValueKind::list: {
      auto list = nlohmann::ordered_json::array();
      for (const TomlValue& item : value.items) list.push_back(json_of(item));
      return list;
    }
    case ValueKind::table:
      break;
  }
  auto table = nlohmann::ordered_json::object();
  for (const TomlEntry& entry : value.entries) table[entry.key] = json_of(entry.value);
  return table;
}

// Of jobs, the time in the queue included.
constexpr double timeout_of_batch = 7 * 86400;
constexpr int jobs_of_batch = 50;

const PotentialKind* find_potential(const std::string& name) {
  for (const PotentialKind& kind : potential_kinds())
    if (kind.name == name) return &kind;
  return nullptr;
}

LabellerOptions read_labeller(const Section& section, const std::filesystem::path& folder, const LoopOptions& loop) {
  std::vector<std::string> kinds;
  for (const LabellerKind& kind : labeller_kinds()) kinds.push_back(kind.name);
  LabellerOptions l;
  if (!section.has("kind")) section.fail(section.line(), fmt::format("'kind' is missing, expected one of {}", fmt::join(kinds, ", ")));
  l.kind = section.choice("kind", "", kinds);
  l.here = folder.empty() ? std::filesystem::path(".") : folder;
  l.working_directory = std::filesystem::path(loop.folder) / "labels";
  if (const PotentialKind* potential = find_potential(l.kind)) {
    l.parameters = read_potential(section, *potential, folder)->parameters();
    return l;
  }
  if (l.kind == "given") {
    section.check_keys(std::vector<std::string>{"kind"});
    return l;
  }
  std::vector<std::string> keys = {"kind", "timeout", "retries", "parallel_jobs", "keep_files"};
  const bool is_batch = l.kind == "batch";
  if (l.kind == "ase")
    keys.insert(keys.end(), {"calculator", "arguments", "python"});
  else if (is_batch)
    keys.insert(keys.end(), {"submit", "status", "cancel", "poll_interval"});
  else
    keys.emplace_back("command");
  section.check_keys(keys);
  l.command = section.texts("command");
  if (is_batch) {
    l.submit = section.texts("submit");
    if (section.has("status")) l.status = section.texts("status");
    if (section.has("cancel")) l.cancel = section.texts("cancel");
    l.poll_interval = section.positive("poll_interval", l.poll_interval, "s");
    l.timeout = timeout_of_batch;
    l.parallel_jobs = jobs_of_batch;
  }
  l.calculator = section.text("calculator", l.calculator, true);
  l.python = section.text("python", l.python);
  if (const TomlEntry* entry = section.find("arguments")) {
    if (entry->value.kind != TomlValue::Kind::table) section.wrong(*entry, "a table of the calculator's arguments");
    l.calculator_arguments = json_of(entry->value).dump();
  }
  l.timeout = section.positive("timeout", l.timeout, "s");
  l.retries = count_of(section, "retries", l.retries, 0);
  l.parallel_jobs = count_of(section, "parallel_jobs", l.parallel_jobs, 1);
  l.keep_files = section.boolean("keep_files", l.keep_files);
  return l;
}

void read_rattle(const Section& section, SourceOptions& s) {
  s.count = count_of(section, "count", s.count, 1);
  s.perturb.rattle = section.not_negative("rattle", 0.1);
  s.perturb.strain = section.not_negative("strain", s.perturb.strain);
  s.perturb.volume_strain = section.not_negative("volume_strain", s.perturb.volume_strain);
  s.perturb.smallest_distance = section.not_negative("smallest_distance", s.perturb.smallest_distance);
}

void read_md(const Section& section, SourceOptions& s) {
  s.md.ensemble = choice_of(section, "ensemble", Ensemble::nvt, {"nve", "nvt", "npt"});
  s.temperatures = positive_numbers(section, "temperatures", s.temperatures, "K");
  s.volume_factors = positive_numbers(section, "volume_factors", s.volume_factors, "a factor");
  s.md.time_step = section.positive("time_step", s.md.time_step, "fs");
  s.md.friction_time = section.positive("friction_time", s.md.friction_time, "fs");
  if (const TomlEntry* entry = section.find("pressure")) s.md.pressure = section.number(*entry, "a number (GPa)");
  s.md.pressure_time = section.positive("pressure_time", s.md.pressure_time, "fs");
  s.md.compressibility = section.positive("compressibility", s.md.compressibility, "1/GPa");
  s.check_every = count_of(section, "check_every", s.check_every, 1);
  s.time = section.positive("time", s.time, "ps");
  s.round_time = section.positive("round_time", s.round_time, "ps");
  s.forks = section.boolean("forks", s.forks);
  s.max_proposals = count_of(section, "max_proposals", s.max_proposals, 1);
  s.single_precision = choice_of(section, "precision", s.single_precision, {"double", "single"});
}

SourceOptions read_source(const Section& section, const std::filesystem::path& folder) {
  SourceOptions s;
  if (!section.has("kind"))
    section.fail(section.line(), fmt::format("'kind' is missing, expected one of {}", fmt::join(source_kinds(), ", ")));
  s.kind = section.choice("kind", "", source_kinds());
  std::vector<std::string> keys = {"kind", "name", "files", "config_type"};
  if (s.kind == "rattle") keys.insert(keys.end(), {"count", "rattle", "strain", "volume_strain", "smallest_distance"});
  if (s.kind == "md")
    keys.insert(keys.end(), {"ensemble", "temperatures", "volume_factors", "time_step", "friction_time", "pressure", "pressure_time",
                             "compressibility", "check_every", "time", "round_time", "forks", "max_proposals", "precision"});
  section.check_keys(keys);
  s.name = section.text("name", "", true);
  s.config_type = section.text("config_type", "", true);
  s.files = expanded_files(section.texts("files"), folder,
                           [&](const std::string& problem) { section.fail(section.line("files"), fmt::format("'files': {}", problem)); });
  if (s.files.empty()) section.fail(section.line("files"), "'files' is missing or empty, expected the names of files with structures");
  if (s.kind == "rattle") read_rattle(section, s);
  if (s.kind == "md") read_md(section, s);
  return s;
}

void read_sources(const TomlValue& document, const std::string& name, const std::filesystem::path& folder, LoopOptions& options) {
  const TomlEntry* entry = document.find("source");
  if (!entry) throw InputError(name + ":1: no [[source]], expected at least one");
  if (entry->value.kind != TomlValue::Kind::list)
    throw InputError(fmt::format("{}:{}: 'source' is {}, expected [[source]] in double brackets, once for each", name, entry->line,
                                 entry->value.description()));
  for (const TomlValue& table : entry->value.items) {
    if (table.kind != TomlValue::Kind::table)
      throw InputError(fmt::format("{}:{}: 'source' holds {}, expected [[source]] in double brackets, once for each", name, entry->line,
                                   table.description()));
    const Section section(&table, "[[source]]", name, entry->line);
    SourceOptions source = read_source(section, folder);
    const auto is_taken = [&](const std::string& text) {
      return std::any_of(options.sources.begin(), options.sources.end(), [&](const SourceOptions& s) { return s.name == text; });
    };
    if (is_taken(source.name)) section.fail(section.line("name"), fmt::format("two sources are named '{}'", source.name));
    if (source.name.empty()) {
      source.name = source.kind;
      for (int number = 2; is_taken(source.name); ++number) source.name = fmt::format("{}_{}", source.kind, number);
    }
    const auto is_plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
    if (!std::all_of(source.name.begin(), source.name.end(), is_plain))
      section.fail(section.line("name"), fmt::format("'name' is '{}', expected letters, digits, '_' and '-' only", source.name));
    if (options.fit.keys.base.is_used() && source.kind != "pool")
      section.fail(
          section.line("kind"),
          fmt::format("kind = \"{}\" makes structures that have no values of the base {}, expected \"pool\": frames that bring them",
                      source.kind, options.fit.keys.base.text()));
    options.sources.push_back(std::move(source));
  }
}

}  // namespace

std::string quantity_name(ThresholdOptions::Quantity quantity) {
  const char* names[] = {"force std", "local energy std", "energy per atom std", "extrapolation grade"};
  return names[static_cast<std::size_t>(quantity)];
}

std::string quantity_unit(ThresholdOptions::Quantity quantity) {
  return quantity == ThresholdOptions::Quantity::force ? "eV/Å" : quantity == ThresholdOptions::Quantity::extrapolation ? "" : "eV";
}

LoopOptions parse_loop_options(const std::string& toml, const std::string& name, const std::filesystem::path& folder) {
  const TomlValue document = parse_toml(toml, name);
  LoopOptions options;
  options.fit = fit_options_of(document, name, folder, {}, loop_sections);
  options.goal = read_goal(top_section(document, "loop", name), folder, options);
  options.threshold = read_threshold(top_section(document, "threshold", name));
  options.choose = read_choose(top_section(document, "choose", name));
  options.growth = read_growth(top_section(document, "sparse", name));
  options.labeller = read_labeller(top_section(document, "label", name), folder, options);
  read_sources(document, name, folder, options);
  options.resolved = described_document(document);
  return options;
}

LoopOptions read_loop_options(const std::filesystem::path& path) {
  return parse_loop_options(configuration_text(path), path.string(),
                            path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

}  // namespace gapkit
