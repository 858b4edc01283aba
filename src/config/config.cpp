#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <gapkit/config/config.hpp>
#include <gapkit/config/document.hpp>
#include <gapkit/config/files.hpp>
#include <gapkit/config/potential.hpp>
#include <gapkit/config/term.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/needed_properties.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <sstream>

#include "config/base_columns.hpp"
#include "config/keys.hpp"
#include "config/long_range.hpp"
#include "config/overrides.hpp"
#include "config/property.hpp"
#include "config/tensor.hpp"

namespace gapkit {
namespace {

using Kind = TomlValue::Kind;

constexpr std::uintmax_t largest_file = 16 << 20;  // bytes; longer files are no configurations

void check_sections(const TomlValue& document, const std::string& name, std::span<const std::string> other_sections) {
  std::vector<std::string> known;
  for (const SectionKeys& section : configuration_keys())
    if (section.name.find('.') == std::string::npos) known.push_back(section.name);
  for (const TomlEntry& entry : document.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    if (std::find(other_sections.begin(), other_sections.end(), entry.key) != other_sections.end()) continue;
    const std::string place = fmt::format("{}:{}: ", name, entry.line);
    const bool is_table = entry.value.kind == Kind::table || entry.value.kind == Kind::list;
    for (const SectionKeys& section : configuration_keys())
      if (!is_table && std::find(section.keys.begin(), section.keys.end(), entry.key) != section.keys.end())
        throw InputError(fmt::format("{}'{}' stands outside of the sections; it belongs in {}", place, entry.key,
                                     is_list_of_tables(section.name) ? "[[" + section.name + "]]" : "[" + section.name + "]"));
    known.insert(known.end(), other_sections.begin(), other_sections.end());
    throw InputError(fmt::format("{}unknown {} '{}'{}", place, is_table ? "section" : "key", entry.key, suggestion(entry.key, known)));
  }
}

std::vector<std::string> read_files(const Section& section, const std::string& key, const std::filesystem::path& folder) {
  const auto fail = [&](const std::string& what) { section.fail(section.line(key), fmt::format("'{}': {}", key, what)); };
  return expanded_files(section.texts(key), folder, fail);
}

std::vector<std::string> files_instead(const std::vector<std::string>& patterns) {
  return expanded_files(patterns, std::filesystem::current_path(), [](const std::string& what) { throw InputError(what); });
}

void read_data(const Section& section, const std::filesystem::path& folder, const DataFiles& instead, FitConfiguration& options) {
  section.check_keys(section_keys("data"));
  if (instead.train_in_memory) {
    options.train.clear();
  } else if (!instead.train.empty()) {
    options.train = files_instead(instead.train);
  } else {
    options.train = read_files(section, "train", folder);
    if (options.train.empty())
      section.fail(section.line("train"), "'train' is missing or empty, expected the names of files with training structures");
  }
  if (!instead.validation_in_memory)
    options.validation = instead.validation.empty() ? read_files(section, "validation", folder) : files_instead(instead.validation);

  if (section.has("use")) {
    options.use = PerTarget<bool>(false);
    std::vector<std::string> known;
    for (const TargetInfo& target : targets()) known.emplace_back(target.sources.front().name);
    const auto names = section.texts("use");
    if (names.empty()) section.fail(section.line("use"), fmt::format("'use' is empty, expected some of {}", fmt::join(known, ", ")));
    for (const std::string& name : names) {
      const auto found = std::find(known.begin(), known.end(), name);
      if (found == known.end()) section.fail(section.line("use"), fmt::format("'use' contains '{}'{}", name, suggestion(name, known)));
      options.use[static_cast<Property>(found - known.begin())] = true;
    }
  }
  options.keys.use = options.use;
  for (const TargetSource& source : target_sources())
    options.keys.name(source.name, section.text(std::string(source.name) + "_key", options.keys.named(source.name), true));
  options.keys.config_type = section.text("config_type_key", options.keys.config_type, true);
  options.keys.force_mask = section.text("force_mask_key", options.keys.force_mask, true);
}

void read_reference_energies(const Section& section, ReferenceEnergyOptions& options) {
  using Mode = ReferenceEnergyOptions::Mode;
  section.check_keys(section_keys("reference_energies"));
  const std::vector<std::string> modes = {"isolated", "least_squares", "explicit"};
  const std::string mode = section.choice("mode", "isolated", modes);
  options.mode = mode == "isolated" ? Mode::isolated : mode == "least_squares" ? Mode::least_squares : Mode::explicit_values;
  if (options.mode != Mode::explicit_values) {
    if (section.has("explicit"))
      section.fail(section.line("explicit"), fmt::format("'explicit' goes with mode = \"explicit\", found \"{}\"", mode));
    return;
  }
  if (!section.has("explicit"))
    section.fail(section.line("mode"), "mode \"explicit\" needs a table 'explicit' of energies per atom (eV), such as { Si = -0.79 }");
  const Section table = section.section("explicit", "[reference_energies] explicit");
  if (table.entries().empty()) section.fail(section.line("explicit"), "'explicit' is empty, expected an energy (eV) for each element");
  for (const TomlEntry& entry : table.entries()) {
    const int z = find_atomic_number(entry.key);
    if (z == 0) table.fail(entry.line, fmt::format("'{}' is not a chemical element", entry.key));
    if (!options.values.emplace(element_symbol(z), table.number(entry, "a number (eV)")).second)
      table.fail(entry.line, fmt::format("two energies for '{}'", element_symbol(z)));
  }
}

SigmaOptions read_sigmas(const Section& section, const SigmaOptions& defaults) {
  SigmaOptions result;
  for (const TargetInfo& target : targets())
    result[target.property] = section.positive(target.name, defaults[target.property], target.unit);
  return result;
}

void read_regularization(const Section& section, RegularizationOptions& options) {
  section.check_keys(section_keys("regularization"));
  options.standard = read_sigmas(section, options.standard);
  options.scale_with_atoms = section.boolean("scale_with_atoms", options.scale_with_atoms);
  const Section types = section.section("config_type", "[regularization.config_type]");
  for (const TomlEntry& entry : types.entries()) {
    const Section type = types.section(entry.key, fmt::format("[regularization.config_type.{}]", toml_key(entry.key)));
    type.check_keys(section_keys("regularization.config_type.*"));
    options.config_type[entry.key] = read_sigmas(type, options.standard);
  }
}

void read_optimize(const Section& section, bool is_present, OptimizeOptions& options) {
  using Objective = OptimizeOptions::Objective;
  section.check_keys(section_keys("optimize"));
  options.objective = objective_of(section.choice("objective", is_present ? "evidence" : "none", objective_names()));
  options.sigma = section.boolean("sigma", options.sigma);
  options.delta = section.boolean("delta", options.delta);
  if (options.objective != Objective::none && !options.sigma && !options.delta)
    section.fail(section.line("delta"), "with sigma = false and delta = false there is nothing to optimise");
  options.classes = section.texts("classes");
  if (const TomlEntry* entry = section.find("max_factor")) {
    options.max_factor = section.positive_number(*entry, "");
    if (!(options.max_factor > 1)) section.wrong(*entry, "a number larger than 1");
  }
  options.min_rows = section.integer("min_rows", options.min_rows, 1, std::numeric_limits<std::int64_t>::max());
  options.max_evaluations = static_cast<int>(section.integer("max_evaluations", options.max_evaluations, 1, 1000000));
  options.folds = static_cast<int>(section.integer("folds", options.objective == Objective::cross_validation ? 5 : 0, 0, 1000));
  if (options.folds == 1) section.fail(section.line("folds"), "'folds' is 1, expected 0 (none) or at least 2");
  if (options.objective == Objective::cross_validation && options.folds == 0)
    section.fail(section.line("folds"), "objective = \"cross_validation\" needs at least 2 folds");
  options.fold = section.text("fold", options.fold);
  const bool is_key = options.fold.starts_with("key:") && options.fold.size() > 4;
  if (options.fold != "contiguous" && options.fold != "random" && !is_key)
    section.fail(section.line("fold"),
                 fmt::format("'fold' is '{}', expected contiguous, random, or key: and the name of a field", options.fold));
  const Section weights = section.section("weights", "[optimize] weights");
  weights.check_keys(section_keys("optimize.weights"));
  for (const TargetInfo& target : targets())
    options.weights[target.property] = weights.not_negative(target.name, options.weights[target.property]);
}

// Without `source`: the fit's own structures, left out one by one; a holdout if its keys are given.
void read_calibration(const Section& section, bool has_validation, FitConfiguration& options) {
  using Source = CalibrationOptions::Source;
  section.check_keys(section_keys("calibration"));
  const std::string usual = section.has("holdout") || section.has("rounds") ? "holdout" : "leave_one_out";
  const std::string source = section.choice("source", usual, std::vector<std::string>{"leave_one_out", "holdout", "validation", "none"});
  CalibrationOptions& calibration = options.calibration;
  calibration.source = source == "holdout"      ? Source::holdout
                       : source == "validation" ? Source::validation
                       : source == "none"       ? Source::none
                                                : Source::leave_one_out;
  calibration.all_structures = section.choice("energies", "all", std::vector<std::string>{"all", "sample"}) == "all";
  if (source != "leave_one_out" && section.has("energies"))
    section.fail(section.line("energies"), fmt::format("'energies' goes with source = \"leave_one_out\", found \"{}\"", source));
  calibration.cautious = section.boolean("cautious", false);
  if (calibration.cautious && (source != "leave_one_out" || !calibration.all_structures))
    section.fail(
        section.line("cautious"),
        fmt::format("cautious = true leaves config types out in closed form, so it goes with source = \"leave_one_out\" and energies = "
                    "\"all\", found source = \"{}\"{}",
                    source, calibration.all_structures ? "" : " and energies = \"sample\""));
  if (source == "validation" && !has_validation)
    section.fail(section.line("source"),
                 "source = \"validation\" needs files in [data] validation; \"holdout\" sets training structures aside");
  if (source != "holdout" && section.has("holdout"))
    section.fail(section.line("holdout"), fmt::format("'holdout' goes with source = \"holdout\", found \"{}\"", source));
  if (const TomlEntry* entry = section.find("holdout")) {
    calibration.holdout = section.positive_number(*entry, "");
    if (!(calibration.holdout <= 0.5)) section.wrong(*entry, "a fraction above 0 and up to 0.5");
  }
  const auto most_rounds = static_cast<std::int64_t>(1 / calibration.holdout + 1e-9);
  calibration.rounds = static_cast<int>(section.integer("rounds", 1, 1, most_rounds));
  if (source != "holdout" && section.has("rounds"))
    section.fail(section.line("rounds"), fmt::format("'rounds' goes with source = \"holdout\", found \"{}\"", source));
  calibration.most_atoms = section.integer("most_atoms", calibration.most_atoms, 1, std::numeric_limits<std::int64_t>::max());
}

void read_energy_terms(const TomlValue& document, const std::string& name, const std::filesystem::path& folder, FitConfiguration& options) {
  const TomlEntry* entry = document.find("term");
  if (!entry)
    throw InputError(name + ":1: no [[term]], expected at least one (descriptor, kernel, delta, n_sparse: docs/configuration.md)");
  options.terms = read_terms(*entry, "[[term]]", name, folder);
}

void read_baselines(const TomlValue& document, const std::string& name, const std::filesystem::path& folder, FitConfiguration& options) {
  const TomlEntry* entry = document.find("baseline");
  if (!entry) return;
  if (entry->value.kind != Kind::list)
    throw InputError(fmt::format("{}:{}: 'baseline' is {}, expected [[baseline]] in double brackets, once for each", name, entry->line,
                                 entry->value.description()));
  for (const TomlValue& table : entry->value.items) {
    if (table.kind != Kind::table)
      throw InputError(fmt::format("{}:{}: 'baseline' holds {}, expected [[baseline]] in double brackets, once for each", name, entry->line,
                                   table.description()));
    const Section section(&table, "[[baseline]]", name, entry->line);
    std::vector<std::string> kinds;
    for (const PotentialKind& kind : potential_kinds())
      if (!is_long_range(kind.name)) kinds.push_back(kind.name);
    kinds.emplace_back(base_columns_kind);
    if (!section.has("kind")) section.fail(section.line(), fmt::format("'kind' is missing, expected one of {}", fmt::join(kinds, ", ")));
    if (const std::string kind = section.text("kind", "", true); is_long_range(kind))
      section.fail(section.line("kind"), fmt::format("'{}' belongs to [[long_range]], not to [[baseline]]", kind));
    const std::string kind = section.choice("kind", "", kinds);
    if (kind != base_columns_kind) {
      options.baselines.push_back(read_potential(section, potential_kind(kind), folder));
      continue;
    }
    if (options.keys.base.is_used())
      section.fail(section.line(), "a second kind = \"columns\", expected one: add the values up in the data");
    options.keys.base = read_base_columns(section);
  }
}

void read_solver(const Section& section, FitConfiguration& options) {
  section.check_keys(section_keys("solver"));
  if (section.has("jitter") && section.has("jitter_absolute"))
    section.fail(std::max(section.line("jitter"), section.line("jitter_absolute")),
                 "'jitter' and 'jitter_absolute' exclude each other, expected one of them");
  options.jitter = section.not_negative("jitter", options.jitter);
  if (section.has("jitter_absolute")) options.jitter_absolute = section.not_negative("jitter_absolute", 0);
}

}  // namespace

Section top_section(const TomlValue& document, const std::string& key, const std::string& name) {
  const std::string label = "[" + key + "]";
  const TomlEntry* entry = document.find(key);
  if (entry && entry->value.kind != Kind::table)
    throw InputError(fmt::format("{}:{}: '{}' is {}, expected a section {}", name, entry->line, key, entry->value.description(), label));
  return Section(entry ? &entry->value : nullptr, label, name, entry ? entry->line : 1);
}

FitConfiguration fit_options_of(const TomlValue& document, const std::string& name, const std::filesystem::path& folder,
                                const DataFiles& instead, std::span<const std::string> other_sections) {
  check_sections(document, name, other_sections);
  const auto section = [&](const std::string& key) { return top_section(document, key, name); };

  FitConfiguration options;
  read_data(section("data"), folder, instead, options);
  read_reference_energies(section("reference_energies"), options.reference_energies);
  read_energy_terms(document, name, folder, options);
  options.properties = read_properties(document, name, folder);
  options.tensors = read_tensors(document, name, folder, options.properties);
  read_baselines(document, name, folder, options);
  read_long_range(document, name, folder, options.baselines);
  check_needed_properties(options, name + ": ");
  read_regularization(section("regularization"), options.regularization);
  read_optimize(section("optimize"), document.find("optimize") != nullptr, options.optimize);
  const bool has_validation = instead.validation_in_memory || !options.validation.empty();
  read_calibration(section("calibration"), has_validation, options);
  read_solver(section("solver"), options);

  const Section output = section("output");
  output.check_keys(section_keys("output"));
  options.model_path = output.text("model", options.model_path);
  options.sparse_output = output.text("sparse", options.sparse_output, true);
  options.keep_statistics = output.boolean("statistics", options.keep_statistics);
  const Section run = section("run");
  run.check_keys(section_keys("run"));
  options.seed = static_cast<std::uint64_t>(run.integer("seed", 0, 0, std::numeric_limits<std::int64_t>::max()));
  options.memory = run.positive("memory", options.memory, "GB");
  return options;
}

FitConfiguration parse_fit_options(const std::string& toml, const std::string& name, const std::filesystem::path& folder,
                                   const DataFiles& instead, const std::vector<ConfigurationOverride>& overrides) {
  TomlValue document = parse_toml(toml, name);
  for (const ConfigurationOverride& change : overrides) apply_override(document, change);
  return fit_options_of(document, name, folder, instead, {});
}

std::string configuration_text(const std::filesystem::path& path) {
  const std::string name = path.string();
  const bool is_stdin = path == "-";
  if (const std::string reason = is_stdin ? "" : why_not_a_file(name); !reason.empty())
    throw InputError(fmt::format("{}: the configuration cannot be read: {}", name, reason));
  std::error_code error;
  if (const auto size = std::filesystem::file_size(path, error); !is_stdin && !error && size > largest_file)
    throw InputError(fmt::format("{}: is {} bytes long and no configuration (at most {})", name, size, largest_file));
  errno = 0;
  std::ifstream file(is_stdin ? "/dev/stdin" : path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || file.bad())
    throw InputError(fmt::format("{}: the configuration cannot be read: {}", name, errno ? std::strerror(errno) : "read error"));
  return text.str();
}

FitConfiguration read_fit_options(const std::filesystem::path& path, const DataFiles& instead,
                                  const std::vector<ConfigurationOverride>& overrides) {
  return parse_fit_options(configuration_text(path), path == "-" ? "standard input" : path.string(),
                           path.has_parent_path() ? path.parent_path() : std::filesystem::path("."), instead, overrides);
}

}  // namespace gapkit
