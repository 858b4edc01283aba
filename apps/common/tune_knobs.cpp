#include "tune_knobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/config/toml.hpp>
#include <gapkit/core/errors.hpp>
#include <set>

namespace gapkit::apps {
namespace {

constexpr int fewest_points = 20;  // of a combination

double rounded(double value, double grid) {
  return std::stod(fmt::format("{:.6g}", std::round(value / grid) * grid));  // 5.4, not 5.400000000000001
}

/// The number that stands for a value of the configuration; absent if the search cannot have it.
std::optional<double> number_of(const KnobKind& kind, const TomlValue& value) {
  if (!kind.texts.empty()) {
    const auto found = std::find(kind.texts.begin(), kind.texts.end(), value.text);
    if (value.kind != TomlValue::Kind::text || found == kind.texts.end()) return {};
    if (!kind.also.empty() && found + 1 == kind.texts.end()) return {};
    return static_cast<double>(found - kind.texts.begin());
  }
  if (!kind.word.empty()) {
    if (const TomlEntry* entry = value.find(kind.word))
      return entry->value.kind == TomlValue::Kind::integer ? static_cast<double>(entry->value.integer) : entry->value.real;
    const bool is_left_to_data =
        value.kind == TomlValue::Kind::integer ? value.integer == 0 : value.kind == TomlValue::Kind::real && value.real == 0;
    if (is_left_to_data) return kind.initial;
    return {};
  }
  if (value.kind == TomlValue::Kind::integer) {
    if (value.integer == 0 && kind.smallest > 0) return {};  // switched off
    return static_cast<double>(value.integer);
  }
  if (value.kind == TomlValue::Kind::real && kind.grid < 1) return value.real;
  return {};
}

/// Whether the key that `kind` needs has a value that goes with it, or that the search can change to one.
bool has_needed(const KnobKind& kind, const TomlValue& term) {
  const TomlEntry* needed = term.find(kind.needs);
  if (!needed || kind.word.empty()) return needed;
  return std::any_of(knob_kinds().begin(), knob_kinds().end(), [&](const KnobKind& other) {
    return other.descriptor == kind.descriptor && other.key == kind.needs && number_of(other, needed->value);
  });
}

std::optional<double> start_of(const KnobKind& kind, const TomlValue& term) {
  if (const TomlEntry* entry = term.find(kind.key)) return number_of(kind, entry->value);
  if (!kind.needs.empty() && has_needed(kind, term)) return kind.initial;
  return {};
}

bool chooses_points(const TermOptions& term) {
  const std::set<std::string> given = {"uniform", "file", "indices", "all"};
  return !given.contains(term.selection);
}

/// "term.soap.compression" for "term.soap.rank"
std::string needed_key(const Knob& knob) {
  return knob.key().substr(0, knob.key().rfind('.') + 1) + knob.kind().needs;
}

int scaled(int number, double factor) {
  return std::max(std::min(number, fewest_points), static_cast<int>(std::lround(number * factor)));
}

}  // namespace

const std::vector<KnobKind>& knob_kinds() {
  static const std::vector<KnobKind> kinds = {
      // Those with the largest effect first: later ones are searched beside the best values of earlier ones.
      {"soap", "cutoff", {.factor = 1.2}, {.factor = 1.07}, 2, 12, 0.1},
      {"soap", "radial_weight", {.add = 1}, {.add = 1}, 0, 4, 1},
      {"soap", "compression", {.add = 1}, {}, 0, 1, 1, {"none", "learned"}, "", 0, {{"kernel", "polynomial"}, {"zeta", "4"}}},
      {"soap", "kernel", {.add = 1}, {}, 0, 1, 1, {"dot_product", "ntk"}, "", 0, {{"activation", "gelu"}}},
      {"soap", "kernel", {.add = 1}, {}, 0, 1, 1, {"polynomial", "ntk"}, "", 0, {{"activation", "gelu"}}},
      {"soap", "input_scale", {.factor = 3.2}, {.factor = 1.8}, 0.001, 10, 0.0001, {}, "kernel", 1, {}, "over_size"},
      {"soap", "rank", {.factor = 1.5}, {.factor = 1.25}, 8, 512, 1, {}, "compression", 64},
      {"soap", "l_max", {.add = 2}, {.add = 1}, 2, 12, 1},
      {"soap", "atom_sigma", {.factor = 1.25}, {.factor = 1.12}, 0.2, 1, 0.01},
      {"soap", "channels", {.factor = 1.5}, {.factor = 1.25}, 4, 64, 1},
      {"soap", "n_max", {.add = 2}, {.add = 1}, 3, 14, 1},
      {"symmetry_functions", "cutoff", {.factor = 1.2}, {.factor = 1.07}, 2, 12, 0.1},
      {"symmetry_functions", "kernel", {.add = 1}, {}, 0, 1, 1, {"squared_exponential", "ntk"}, "", 0, {{"activation", "gelu"}}},
      {"symmetry_functions", "kernel", {.add = 1}, {}, 0, 1, 1, {"dot_product", "ntk"}, "", 0, {{"activation", "gelu"}}},
      {"symmetry_functions", "input_scale", {.factor = 3.2}, {.factor = 1.8}, 0.001, 10, 0.0001, {}, "kernel", 0.1, {}, "over_size"},
      {"symmetry_functions", "n_select", {.factor = 1.5}, {.factor = 1.25}, 8, 256, 1},
      {"two_body", "cutoff", {.factor = 1.25}, {.factor = 1.1}, 2, 12, 0.1},
      {"three_body", "cutoff", {.factor = 1.2}, {.factor = 1.08}, 2, 8, 0.1},
      {"", "n_sparse", {}, {.factor = 1.5}, 0.5, 4, 0.01},
  };
  return kinds;
}

std::optional<double> Knob::moved(double value, bool up, bool fine) const {
  const KnobKind::Step step = fine ? kind_->fine : kind_->coarse;
  const double to = rounded(up ? value * step.factor + step.add : (value - step.add) / step.factor, kind_->grid);
  const double inside = std::clamp(to, kind_->smallest, kind_->largest);
  // A value outside of the range, which a user may give, can be left but not be moved further out.
  if (up ? inside > value : inside < value) return inside;
  return {};
}

std::string Knob::text(double value) const {
  if (is_points()) return fmt::format("× {:.4g}", value);
  if (!kind_->texts.empty()) return kind_->texts[static_cast<std::size_t>(value)];
  return fmt::format("{:.6g}", value);
}

std::string Knob::toml(double value) const {
  if (!kind_->texts.empty()) return toml_quoted(kind_->texts[static_cast<std::size_t>(value)]);
  if (!kind_->word.empty()) return fmt::format("{{ {} = {} }}", kind_->word, toml_number(value));
  return kind_->grid < 1 ? toml_number(value) : fmt::format("{}", std::llround(value));
}

std::vector<Knob> knobs_of(const FitConfiguration& options, const std::vector<std::string>& kept) {
  const TomlValue document = parse_toml(fit_options_to_toml(options), "the configuration");
  const TomlEntry* terms = document.find("term");
  std::vector<Knob> knobs;
  for (const KnobKind& kind : knob_kinds()) {
    if (kind.descriptor.empty()) {
      if (std::any_of(options.terms.begin(), options.terms.end(), chooses_points)) knobs.emplace_back(kind, kind.key, 1.0);
      continue;
    }
    if (!terms) continue;
    for (std::size_t t = 0; t < options.terms.size(); ++t) {
      const TermOptions& term = options.terms[t];
      if (term.descriptor != kind.descriptor || term.selection == "file") continue;  // points in files belong to their descriptor
      if (const std::optional<double> start = start_of(kind, terms->value.items[t]))
        knobs.emplace_back(kind, fmt::format("term.{}.{}", term.name, kind.key), *start);
    }
  }
  std::vector<std::string> names = {"sigma"};
  for (const Knob& knob : knobs) {
    names.push_back(knob.key());
    if (std::find(names.begin(), names.end(), knob.kind().key) == names.end()) names.push_back(knob.kind().key);
  }
  for (std::string name : kept) {
    if (std::find(names.begin(), names.end(), "term." + name) != names.end()) name = "term." + name;  // as the tables of the search have it
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw InputError(fmt::format("--keep '{}': the search does not change this{}", name, suggestion(name, names)));
    std::erase_if(knobs, [&](const Knob& knob) {
      return knob.key() == name || knob.kind().key == name ||
             (!knob.kind().needs.empty() && needed_key(knob) == (name == knob.kind().needs ? needed_key(knob) : name));
    });
  }
  return knobs;
}

bool has_effect(const std::vector<Knob>& knobs, const std::vector<double>& values, std::size_t knob) {
  if (knobs[knob].kind().needs.empty()) return true;
  const std::string needed = needed_key(knobs[knob]);
  for (std::size_t k = 0; k < knobs.size(); ++k)
    if (knobs[k].key() == needed) return values[k] != 0;
  return true;  // kept as it is
}

std::vector<ConfigurationOverride> overrides_of(const std::vector<Knob>& knobs, const std::vector<double>& values) {
  std::vector<ConfigurationOverride> changes;
  for (std::size_t k = 0; k < knobs.size(); ++k) {
    const Knob& knob = knobs[k];
    // The configuration may lack a key that needs another one.
    const bool is_changed = values[k] != knob.start() || !knob.kind().needs.empty();
    if (knob.is_points() || !is_changed || !has_effect(knobs, values, k)) continue;
    changes.push_back({knob.key(), knob.toml(values[k])});
    if (!knob.kind().texts.empty() && values[k] + 1 == static_cast<double>(knob.kind().texts.size()))
      for (const auto& [key, value] : knob.kind().also) changes.push_back({knob.key().substr(0, knob.key().rfind('.') + 1) + key, value});
  }
  return changes;
}

double points_factor(const std::vector<Knob>& knobs, const std::vector<double>& values) {
  for (std::size_t k = 0; k < knobs.size(); ++k)
    if (knobs[k].is_points()) return values[k];
  return 1;
}

bool scale_points(FitConfiguration& options, double factor) {
  bool is_any = false;
  for (TermOptions& term : options.terms) {
    if (!chooses_points(term)) continue;
    is_any = true;
    if (factor == 1) continue;
    int of_types = 0, most = term.n_sparse = scaled(term.n_sparse, factor);
    for (auto& [combination, number] : term.species_n_sparse) most = std::max(most, number = scaled(number, factor));
    for (auto& [config_type, number] : term.config_type_n_sparse) of_types += number = scaled(number, factor);
    term.max_candidates = std::max(term.max_candidates, most + of_types);
  }
  return is_any;
}

}  // namespace gapkit::apps
