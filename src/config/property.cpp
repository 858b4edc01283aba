#include "config/property.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <gapkit/config/term.hpp>
#include <gapkit/core/errors.hpp>

#include "config/keys.hpp"

namespace gapkit {
namespace {

// Names of columns and keys that gap-predict writes for every model.
constexpr const char* other_predictions[] = {
    "local_energy", "local_variance", "extrapolation", "shortest_distance_ratio", "novelty", "calibration", "not_finite", "species", "pos"};

void check_property_name(const Section& section, const std::string& name, const std::vector<PropertyOptions>& others) {
  if (name.empty())
    section.fail(section.line("name"), "'name' is missing, expected the name of the property in predictions, such as \"charge\"");
  check_predicted_name(section, name);
  for (const PropertyOptions& other : others)
    if (other.keys.name == name)
      section.fail(section.line("name"), fmt::format("a second property has the name '{}', expected a name of its own", name));
}

PropertyOptions read_property_options(const Section& section, const std::vector<PropertyOptions>& others,
                                      const std::filesystem::path& folder) {
  section.check_keys(section_keys("property"));
  PropertyOptions options;
  options.keys.name = section.text("name", "", true);
  check_property_name(section, options.keys.name, others);
  options.keys.column = section.text("key", options.keys.name, true);
  options.keys.unit = section.text("unit", "", true);
  options.keys.total = section.text("total", "", true);
  options.keys.dipole = section.text("dipole", "", true);
  if (options.keys.column.empty() && options.keys.dipole.empty())
    section.fail(section.line("key"),
                 "'key' is empty and there is no 'dipole', expected the name of the column of the property, or of dipoles");
  options.sigma = section.positive("sigma", options.sigma, options.keys.unit);
  options.total_sigma = section.positive("total_sigma", options.total_sigma, options.keys.unit);
  options.dipole_sigma = section.positive("dipole_sigma", options.dipole_sigma, "unit times Å");
  options.optimize = section.boolean("optimize", options.optimize);
  const TomlEntry* terms = section.find("term");
  if (!terms)
    section.fail(section.line(),
                 fmt::format("no [[property.term]] follows, expected at least one for '{}' (keys as in [[term]])", options.keys.name));
  options.terms = read_terms(*terms, "[[property.term]]", section.file(), folder);
  return options;
}

}  // namespace

void check_predicted_name(const Section& section, const std::string& name) {
  const auto fail = [&](const std::string& what) { section.fail(section.line("name"), what); };
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  if (!std::all_of(name.begin(), name.end(), is_plain)) fail(fmt::format("'name' is '{}', expected letters, digits and '_' only", name));
  const auto is = [&](const std::string& taken) { return name == taken || name.starts_with(taken + "_"); };
  const bool is_target = std::any_of(target_sources().begin(), target_sources().end(), [&](const TargetSource& s) { return is(s.name); });
  if (is_target || std::any_of(std::begin(other_predictions), std::end(other_predictions), is))
    fail(fmt::format("'name' is '{}', which predictions have for something else; expected another name", name));
}

std::vector<TermOptions> read_terms(const TomlEntry& entry, const std::string& label, const std::string& file,
                                    const std::filesystem::path& folder) {
  const auto is_table = [](const TomlValue& value) { return value.kind == TomlValue::Kind::table; };
  const auto& tables = entry.value.items;
  if (entry.value.kind != TomlValue::Kind::list || tables.empty() || !std::all_of(tables.begin(), tables.end(), is_table))
    throw InputError(fmt::format("{}:{}: 'term' is {}, expected {} in double brackets, once for each term", file, entry.line,
                                 entry.value.description(), label));
  std::vector<TermOptions> terms;
  std::vector<Section> sections;
  for (const TomlValue& table : tables) {
    sections.emplace_back(&table, label, file, entry.line);
    terms.push_back(read_term(sections.back(), folder));
  }
  name_terms(terms, sections);
  return terms;
}

std::vector<PropertyOptions> read_properties(const TomlValue& document, const std::string& file, const std::filesystem::path& folder) {
  std::vector<PropertyOptions> properties;
  const TomlEntry* entry = document.find("property");
  if (!entry) return properties;
  const auto is_table = [](const TomlValue& value) { return value.kind == TomlValue::Kind::table; };
  if (entry->value.kind != TomlValue::Kind::list || !std::all_of(entry->value.items.begin(), entry->value.items.end(), is_table))
    throw InputError(fmt::format("{}:{}: 'property' is {}, expected [[property]] in double brackets, once for each", file, entry->line,
                                 entry->value.description()));
  for (const TomlValue& table : entry->value.items)
    properties.push_back(read_property_options(Section(&table, "[[property]]", file, entry->line), properties, folder));
  return properties;
}

}  // namespace gapkit
