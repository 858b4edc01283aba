#include "config/tensor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/expanded_density.hpp>

#include "config/keys.hpp"
#include "config/property.hpp"

namespace gapkit {
namespace {

const std::vector<std::string> tensor_kinds = {"vector", "symmetric", "scalar"};
const std::vector<std::string> tensor_targets = {"sum", "mean", "atom"};
const std::vector<std::string> tensor_origins = {"mass", "nuclear_charge", "geometric"};
const std::vector<std::string> tensor_selections = {"fps", "cur", "cur_deterministic", "random"};

void add_default(TomlValue& table, const std::string& key, const std::string& text) {
  if (table.find(key) != nullptr) return;
  TomlEntry& entry = table.entries.emplace_back();
  entry.key = key;
  entry.line = table.line;
  entry.value.kind = TomlValue::Kind::text;
  entry.value.line = table.line;
  entry.value.text = text;
}

/// The terms with the usual descriptor, kernel and selection where they name none; n_sparse = 0 where it is left to the data.
std::vector<TermOptions> read_tensor_terms(const Section& section, const TomlEntry& given, const std::filesystem::path& folder) {
  TomlEntry entry = given;
  std::vector<bool> has_number;
  for (TomlValue& table : entry.value.items) {
    if (table.kind != TomlValue::Kind::table) break;  // read_terms() says so
    add_default(table, "descriptor", "soap");
    add_default(table, "kernel", "dot_product");
    add_default(table, "selection", "fps");
    has_number.push_back(table.find("n_sparse") != nullptr);
    if (has_number.back()) continue;
    TomlEntry& number = table.entries.emplace_back();
    number.key = "n_sparse";
    number.line = table.line;
    number.value.kind = TomlValue::Kind::integer;
    number.value.line = table.line;
    number.value.integer = 1;
  }
  std::vector<TermOptions> terms = read_terms(entry, "[[tensor.term]]", section.file(), folder);
  for (std::size_t t = 0; t < terms.size(); ++t) {
    TermOptions& term = terms[t];
    if (!has_number[t]) term.n_sparse = 0;
    const auto fail = [&](const std::string& what) { section.fail(entry.line, fmt::format("the term '{}': {}", term.name, what)); };
    if (term.descriptor != "soap" || term.kernel != "dot_product")
      fail(fmt::format("tensors take descriptor = \"soap\" and kernel = \"dot_product\", found \"{}\" and \"{}\"", term.descriptor,
                       term.kernel));
    if (term.compression.kind != "none" ||
        (term.descriptor_parameters.has("channels") && term.descriptor_parameters.integer("channels") > 0))
      fail("tensors do not take 'compression' or 'channels'; 'mixed_channels' has fewer features too");
    if (std::find(tensor_selections.begin(), tensor_selections.end(), term.selection) == tensor_selections.end())
      fail(fmt::format("'selection' is \"{}\", expected one of {} for a tensor", term.selection, fmt::join(tensor_selections, ", ")));
    if (!term.config_type_n_sparse.empty() || !term.species_delta.empty())
      fail("tensors do not take 'config_type_n_sparse' or a table of 'delta'");
  }
  return terms;
}

TensorOptions read_tensor_options(const Section& section, const std::vector<std::string>& taken, const std::filesystem::path& folder) {
  section.check_keys(section_keys("tensor"));
  TensorOptions options;
  TensorKeys& keys = options.keys;
  keys.name = section.text("name", "", true);
  if (keys.name.empty())
    section.fail(section.line("name"), "'name' is missing, expected the name of the tensor in predictions, such as \"dipole\"");
  check_predicted_name(section, keys.name);
  if (std::find(taken.begin(), taken.end(), keys.name) != taken.end())
    section.fail(section.line("name"), fmt::format("a second tensor or property has the name '{}', expected a name of its own", keys.name));
  keys.key = section.text("key", keys.name);
  if (!section.has("kind"))
    section.fail(section.line(), fmt::format("'kind' is missing, expected one of {}", fmt::join(tensor_kinds, ", ")));
  keys.kind = section.choice("kind", "", tensor_kinds);
  keys.target = section.choice("target", "sum", tensor_targets);
  keys.units = section.text("units", "", true);
  if (section.has("origin") && !section.text("origin", "", true).empty()) keys.origin = section.choice("origin", "", tensor_origins);
  if (!keys.origin.empty() && (keys.kind != "vector" || keys.is_per_atom()))
    section.fail(section.line("origin"), "'origin' goes with kind = \"vector\" and target = \"sum\" or \"mean\"");
  if (section.has("sigma")) options.sigma = section.positive("sigma", 1, keys.units);
  keys.derivatives = section.text("derivatives", "", true);
  if (!keys.derivatives.empty() && keys.is_per_atom())
    section.fail(section.line("derivatives"), "'derivatives' goes with target = \"sum\" or \"mean\"");
  if (section.has("derivatives_sigma")) {
    if (keys.derivatives.empty())
      section.fail(section.line("derivatives_sigma"), "'derivatives_sigma' goes with 'derivatives', the column of the labels");
    options.derivatives_sigma = section.positive("derivatives_sigma", 1, keys.units + "/Å");
  }
  keys.charges = section.text("charges", "", true);
  if (!keys.charges.empty() && (keys.kind != "vector" || keys.target != "sum"))
    section.fail(section.line("charges"), "'charges' goes with kind = \"vector\" and target = \"sum\"");
  options.optimize = section.boolean("optimize", true);
  const TomlEntry* terms = section.find("term");
  if (!terms)
    section.fail(section.line(),
                 fmt::format("no [[tensor.term]] follows, expected at least one for '{}' (keys as in [[term]])", keys.name));
  options.terms = read_tensor_terms(section, *terms, folder);
  return options;
}

void check_charges(const Section& section, const std::string& charges, const std::vector<PropertyOptions>& properties) {
  std::vector<std::string> names;
  for (const PropertyOptions& property : properties) names.push_back(property.keys.name);
  if (charges.empty() || std::find(names.begin(), names.end(), charges) != names.end()) return;
  section.fail(section.line("charges"),
               names.empty()
                   ? fmt::format("'charges' names the property '{}', but there is no [[property]]", charges)
                   : fmt::format("'charges' is \"{}\", expected the name of a [[property]]: {}", charges, fmt::join(names, ", ")));
}

}  // namespace

std::vector<TensorOptions> read_tensors(const TomlValue& document, const std::string& file, const std::filesystem::path& folder,
                                        const std::vector<PropertyOptions>& properties) {
  std::vector<TensorOptions> tensors;
  const TomlEntry* entry = document.find("tensor");
  if (!entry) return tensors;
  const auto is_table = [](const TomlValue& value) { return value.kind == TomlValue::Kind::table; };
  if (entry->value.kind != TomlValue::Kind::list || !std::all_of(entry->value.items.begin(), entry->value.items.end(), is_table))
    throw InputError(fmt::format("{}:{}: 'tensor' is {}, expected [[tensor]] in double brackets, once for each", file, entry->line,
                                 entry->value.description()));
  std::vector<std::string> taken;
  for (const PropertyOptions& property : properties) taken.push_back(property.keys.name);
  for (const TomlValue& table : entry->value.items) {
    const Section section(&table, "[[tensor]]", file, entry->line);
    tensors.push_back(read_tensor_options(section, taken, folder));
    check_charges(section, tensors.back().keys.charges, properties);
    taken.push_back(tensors.back().keys.name);
  }
  return tensors;
}

}  // namespace gapkit
