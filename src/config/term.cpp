#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <climits>
#include <cmath>
#include <gapkit/config/files.hpp>
#include <gapkit/config/term.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/fit/compression.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/sparsify/selection.hpp>
#include <set>

#include "config/keys.hpp"

namespace gapkit {
namespace {

using Kind = TomlValue::Kind;

template <class Kinds>
std::vector<std::string> names_of(const Kinds& kinds) {
  std::vector<std::string> names;
  for (const auto& kind : kinds) names.push_back(kind.name);
  return names;
}

std::vector<std::string> parameter_names(std::span<const ParameterInfo> infos) {
  std::vector<std::string> names;
  for (const auto& info : infos) names.push_back(info.name);
  return names;
}

bool contains(std::span<const std::string> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void append(std::vector<std::string>& names, std::span<const std::string> more) {
  for (const auto& name : more)
    if (!contains(names, name)) names.push_back(name);
}

// --- combinations of elements ---

std::string label_of(std::span<const int> elements) {
  std::string label;
  for (const int z : elements) label += (label.empty() ? "" : "-") + element_symbol(z);
  return label;
}

/// "Si-O" → {14, 8}; empty if one of the parts is no element.
std::vector<int> elements_in(const std::string& text) {
  std::vector<int> elements;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('-', begin), text.size());
    const int z = find_atomic_number(std::string_view(text).substr(begin, end - begin));
    if (z == 0) return {};
    elements.push_back(z);
    begin = end + 1;
  }
  return elements;
}

/// The label of a combination, its elements in the order of the descriptor; empty if the descriptor has no such combination.
std::string combination_label(const std::string& text, const DescriptorKind& descriptor) {
  const std::vector<int> found = find_combination(descriptor, elements_in(text));
  return found.empty() ? "" : label_of(found);
}

/// "'Si'" or "'Si-Si'": an example of a combination of this descriptor.
std::string example_of(const DescriptorKind& descriptor) {
  const std::vector<int> silicon = {14};
  const auto combinations = descriptor.combinations(silicon);
  return fmt::format("'{}'", combinations.empty() ? "Si" : label_of(combinations.front()));
}

std::vector<std::string> read_species(const Section& section, const DescriptorKind& descriptor) {
  std::vector<std::string> result;
  const auto texts = section.texts("species");
  if (texts.empty() && section.has("species")) section.fail(section.line("species"), "'species' is empty; \"all\" stands for all");
  if (texts.size() == 1 && texts.front() == "all") return {};
  for (const std::string& text : texts) {
    std::string label = combination_label(text, descriptor);
    if (label.empty() && find_atomic_number(text) > 0) label = element_symbol(find_atomic_number(text));
    if (label.empty())
      section.fail(section.line("species"),
                   fmt::format("'species' contains '{}', expected \"all\", elements such as 'Si', or combinations such as {} for {}", text,
                               example_of(descriptor), descriptor.name));
    if (contains(result, label)) section.fail(section.line("species"), fmt::format("'species' contains '{}' twice", label));
    result.push_back(label);
  }
  return result;
}

/// Calls use(label, entry) for every entry of a table by combination.
template <class Use>
void for_each_combination(const Section& section, const TomlEntry& table, const DescriptorKind& descriptor, Use use) {
  if (table.value.entries.empty()) section.wrong(table, "at least one combination of elements in the table");
  std::set<std::string> seen;
  for (const TomlEntry& entry : table.value.entries) {
    const std::string label = combination_label(entry.key, descriptor);
    if (label.empty())
      section.fail(entry.line, fmt::format("'{}' has an entry '{}', expected a combination of elements such as {} for {}", table.key,
                                           entry.key, example_of(descriptor), descriptor.name));
    if (!seen.insert(label).second) section.fail(entry.line, fmt::format("'{}' has two entries for '{}'", table.key, label));
    use(label, entry);
  }
}

// --- parameters ---

void read_length_scale(const Section& section, const TomlEntry& entry, TermOptions& term) {
  const Section table = section.section("length_scale", section.label() + " length_scale");
  const std::vector<std::string> known = {"fraction_of_range", "root_of_size"};
  table.check_keys(known);
  if (table.has("fraction_of_range") == table.has("root_of_size"))
    section.wrong(entry, "a number, a list of numbers, { fraction_of_range = 0.5 } or { root_of_size = 4 }");
  if (table.has("root_of_size"))
    term.length_scale_root = table.positive("root_of_size", 0, "");
  else
    term.length_scale_fraction = table.positive("fraction_of_range", 0, "");
}

double read_input_scale(const Section& section, const TomlEntry& entry) {
  const Section table = section.section("input_scale", section.label() + " input_scale");
  const std::vector<std::string> known = {"over_size"};
  table.check_keys(known);
  if (!table.has("over_size")) section.wrong(entry, "a number, or { over_size = 0.1 }");
  const double over_size = table.positive("over_size", 0, "");
  if (!(over_size >= 1e-6 && over_size <= 1e6)) table.wrong(*table.find("over_size"), "a number from 1e-6 to 1e6");
  return over_size;
}

/// Replaces length scales that depend on the training data in the parameters by a placeholder.
void read_kernel_parameters(const Section& section, const DescriptorKind& descriptor, const KernelKind& kernel, TermOptions& term) {
  if (const TomlEntry* scale = section.find("input_scale");
      scale && scale->value.kind == Kind::table && contains(parameter_names(kernel.parameters), "input_scale")) {
    auto others = kernel.parameters;
    std::erase_if(others, [](const ParameterInfo& info) { return info.name == "input_scale"; });
    term.kernel_parameters = read_parameters(section, others);
    term.kernel_parameters.set("input_scale", 0.0);
    term.input_scale_over_size = read_input_scale(section, *scale);
    return;
  }
  const TomlEntry* entry = section.find("length_scale");
  if (contains(parameter_names(kernel.parameters), "length_scale")) {
    if (entry && entry->value.kind == Kind::table) read_length_scale(section, *entry, term);
    if (!entry && descriptor.usual_length_scale > 0) term.length_scale_root = descriptor.usual_length_scale;
  }
  if (!term.length_scale_fraction && !term.length_scale_root) {
    term.kernel_parameters = read_parameters(section, kernel.parameters);
    return;
  }
  auto others = kernel.parameters;
  std::erase_if(others, [](const ParameterInfo& info) { return info.name == "length_scale"; });
  term.kernel_parameters = read_parameters(section, others);
  term.kernel_parameters.set("length_scale", std::vector<double>{1.0});
}

/// Adds the place to errors of the factories, which check parameters against each other (cutoff_width against cutoff).
void check_parameters_together(const Section& section, const DescriptorKind& descriptor, const KernelKind& kernel,
                               const TermOptions& term) {
  const std::vector<int> silicon = {14};
  try {
    descriptor.make(term.descriptor_parameters, descriptor.combinations(silicon).front(), silicon);
    kernel.make(term.kernel_parameters);
  } catch (const InputError& error) {
    section.fail(section.line(), error.what());
  }
}

/// Refuses keys that no descriptor or kernel has, then keys of another kind than the chosen one. Called before missing keys are reported.
void check_known_keys(const Section& section) {
  std::vector<std::string> known = section_keys("term");
  for (const auto& kind : descriptor_kinds()) append(known, parameter_names(kind.parameters));
  for (const auto& kind : kernel_kinds()) append(known, parameter_names(kind.parameters));
  section.check_keys(known);
}

void check_own_keys(const Section& section, const DescriptorKind& descriptor, const KernelKind& kernel) {
  std::vector<std::string> known = section_keys("term");
  append(known, parameter_names(descriptor.parameters));
  append(known, parameter_names(kernel.parameters));
  for (const TomlEntry& entry : section.entries()) {
    if (contains(known, entry.key)) continue;
    std::string owners;
    const auto look = [&](const auto& kinds, const char* what) {
      for (const auto& kind : kinds)
        if (contains(parameter_names(kind.parameters), entry.key))
          owners += fmt::format("{}{} '{}'", owners.empty() ? "" : " and ", what, kind.name);
    };
    look(descriptor_kinds(), "descriptor");
    look(kernel_kinds(), "kernel");
    section.fail(entry.line, fmt::format("'{}' belongs to {}, this term has descriptor '{}' and kernel '{}'", entry.key, owners,
                                         descriptor.name, kernel.name));
  }
}

std::string required_choice(const Section& section, const std::string& key, const std::vector<std::string>& names) {
  if (!section.has(key)) section.fail(section.line(), fmt::format("'{}' is missing{}", key, suggestion("", names)));
  return section.choice(key, "", names);
}

// --- sparse points ---

std::map<std::string, std::string> read_sparse_sources(const Section& section, const std::string& key, const DescriptorKind& descriptor,
                                                       const std::filesystem::path& folder) {
  std::map<std::string, std::string> result;
  const TomlEntry* entry = section.find(key);
  if (!entry) return result;
  const auto add = [&](const std::string& label, const TomlEntry& e) {
    if (e.value.kind != Kind::text || e.value.text.empty()) section.wrong(e, "the name of a file");
    const std::string path = resolved_path(e.value.text, folder);
    if (const std::string reason = why_not_a_file(path); !reason.empty())
      section.fail(e.line, fmt::format("the file '{}' cannot be read: {} ({})", e.value.text, reason, path));
    result[label] = path;
  };
  if (entry->value.kind == Kind::table)
    for_each_combination(section, *entry, descriptor, add);
  else if (entry->value.kind == Kind::text)
    add("", *entry);
  else
    section.wrong(*entry, "the name of a file, or a table of them by combination of elements");
  return result;
}

void read_n_sparse(const Section& section, const DescriptorKind& descriptor, int smallest, TermOptions& term) {
  const TomlEntry* entry = section.find("n_sparse");
  if (!entry || entry->value.kind != Kind::table) {
    term.n_sparse = static_cast<int>(section.integer("n_sparse", 0, smallest, INT_MAX));
    return;
  }
  const TomlEntry* value = nullptr;
  TomlEntry combinations = *entry;
  for (const TomlEntry& e : entry->value.entries)
    if (e.key == "default") value = &e;
  if (!value) section.fail(entry->line, "'n_sparse' is a table without 'default', the number for combinations that it does not name");
  std::erase_if(combinations.value.entries, [](const TomlEntry& e) { return e.key == "default"; });
  term.n_sparse = static_cast<int>(section.integer_number(*value, smallest, INT_MAX));
  for_each_combination(section, combinations, descriptor, [&](const std::string& label, const TomlEntry& e) {
    term.species_n_sparse[label] = static_cast<int>(section.integer_number(e, 1, INT_MAX));
  });
}

void read_selection(const Section& section, const DescriptorKind& descriptor, const std::filesystem::path& folder, TermOptions& term) {
  std::vector<std::string> selections = names_of(selection_kinds());
  selections.insert(selections.end(), {"file", "indices", "all"});
  if (section.has("selection")) term.selection = required_choice(section, "selection", selections);
  term.sparse_file = read_sparse_sources(section, "sparse_file", descriptor, folder);
  term.sparse_indices = read_sparse_sources(section, "sparse_indices", descriptor, folder);
  const auto check_source = [&](const std::string& key, const std::string& selection) {
    const bool is_needed = term.selection == selection;
    if (is_needed && !section.has(key)) section.fail(section.line("selection"), fmt::format("selection '{}' needs '{}'", selection, key));
    if (!is_needed && section.has(key))
      section.fail(section.line(key), fmt::format("'{}' goes with selection = \"{}\", found \"{}\"", key, selection, term.selection));
  };
  check_source("sparse_file", "file");
  check_source("sparse_indices", "indices");
  if (section.has("sparse_file_cutoffs") && term.selection != "file")
    section.fail(section.line("sparse_file_cutoffs"),
                 fmt::format("'sparse_file_cutoffs' goes with selection = \"file\", found \"{}\"", term.selection));
  term.sparse_file_cutoffs = section.boolean("sparse_file_cutoffs", false);

  const bool is_given = term.selection == "file" || term.selection == "indices" || term.selection == "all";
  if (!is_given && !section.has("n_sparse"))
    section.fail(section.line(), "'n_sparse' is missing, expected the number of sparse points per combination of elements");
  // 0 is allowed: no points of config types without a number of their own.
  read_n_sparse(section, descriptor, is_given || section.has("config_type_n_sparse") ? 0 : 1, term);
  const Section numbers = section.section("config_type_n_sparse", section.label() + " config_type_n_sparse");
  if (const TomlEntry* entry = section.find("config_type_n_sparse"))
    for (const TomlEntry& number : entry->value.entries)
      term.config_type_n_sparse[number.key] = static_cast<int>(numbers.integer_number(number, 0, INT_MAX));
  if (term.selection == "file" && term.descriptor_parameters.has("channels") && term.descriptor_parameters.integer("channels") > 0)
    section.fail(section.line("channels"),
                 "'channels' does not go with selection = \"file\": the channels come from the training data; \"indices\" names "
                 "environments");
  if (is_given && !term.config_type_n_sparse.empty())
    section.fail(
        section.line("config_type_n_sparse"),
        fmt::format("'config_type_n_sparse' does not go with selection = \"{}\", which names the sparse points itself", term.selection));

  std::int64_t asked = term.n_sparse;
  for (const auto& [combination, n] : term.species_n_sparse) asked = std::max<std::int64_t>(asked, n);
  for (const auto& [config_type, n] : term.config_type_n_sparse) asked += n;
  if (asked == 0 && !is_given) section.fail(section.line("n_sparse"), "'n_sparse' and all of 'config_type_n_sparse' are 0");
  if (asked > INT_MAX)
    section.fail(section.line("config_type_n_sparse"), fmt::format("{} sparse points in all, expected at most {}", asked, INT_MAX));
  term.max_candidates = static_cast<int>(section.integer("max_candidates", term.max_candidates, 1, INT_MAX));
  if (!is_given && term.max_candidates < asked)
    section.fail(section.line(section.has("max_candidates") ? "max_candidates" : "n_sparse"),
                 fmt::format("'max_candidates' is {}, fewer than the {} sparse points to choose from them", term.max_candidates, asked));
}

void read_delta(const Section& section, const DescriptorKind& descriptor, TermOptions& term) {
  const TomlEntry* entry = section.find("delta");
  if (!entry) return;
  if (entry->value.kind != Kind::table) {
    if (entry->value.kind != Kind::integer && entry->value.kind != Kind::real)
      section.wrong(*entry, "a number (eV), or a table of them by combination of elements");
    term.delta = section.positive_number(*entry, "eV");
    return;
  }
  TomlEntry combinations = *entry;
  std::erase_if(combinations.value.entries, [](const TomlEntry& e) { return e.key == "default"; });
  for_each_combination(section, combinations, descriptor,
                       [&](const std::string& label, const TomlEntry& e) { term.species_delta[label] = section.positive_number(e, "eV"); });
  if (const TomlEntry* value = entry->value.find("default")) term.delta = section.positive_number(*value, "eV");
}

void read_compression(const Section& section, const DescriptorKind& descriptor, TermOptions& term) {
  CompressionOptions& compression = term.compression;
  if (section.has("compression")) compression.kind = required_choice(section, "compression", compression_names());
  const auto belongs_to = [&](const char* key, const std::string& kinds) {
    if (section.has(key))
      section.fail(section.line(key), fmt::format("'{}' goes with compression = {}, found \"{}\"", key, kinds, compression.kind));
  };
  if (compression.kind == "none") belongs_to("rank", "\"pca\" and \"learned\"");
  if (compression.kind != "learned") belongs_to("floor", "\"learned\"");
  if (compression.kind == "none") return;
  if (compression.kind == "learned" && term.kernel == "dot_product")
    section.fail(
        section.line("kernel"),
        "compression = \"learned\" gives features with mean 0, whose angles say little: expected kernel = \"polynomial\", which adds a "
        "constant, found \"dot_product\"");
  const std::vector<int> silicon = {14};
  const auto sample = descriptor.make(term.descriptor_parameters, descriptor.combinations(silicon).front(), silicon);
  const int features = sample->size();
  if (!sample->chosen_functions() && features < fewest_compressed_features)  // a list may be of other elements
    section.fail(section.line("compression"), fmt::format("'compression' is for descriptors of at least {} features, {} has {}",
                                                          fewest_compressed_features, term.descriptor, features));
  if (term.selection == "file")
    section.fail(
        section.line("compression"),
        "'compression' does not go with selection = \"file\": the features come from the training data; \"indices\" names environments");
  try {
    kernel_kind(term.kernel).make(term.kernel_parameters)->check_features(features, false);
  } catch (const InputError& error) {
    section.fail(section.line("compression"), fmt::format("{} (features of a compression have products of both signs)", error.what()));
  }
  if (const TomlEntry* entry = section.find("rank")) {
    const double rank = section.positive_number(*entry, "");
    if (rank >= 1 && (rank != std::floor(rank) || rank > INT_MAX))
      section.wrong(*entry, "an integer from 1 on (features), or a number below 1 (share of the variance to keep)");
    compression.rank = rank;
  }
  compression.floor = section.not_negative("floor", compression.floor);
}

}  // namespace

TermOptions read_term(const Section& section, const std::filesystem::path& folder) {
  TermOptions term;
  check_known_keys(section);
  term.descriptor = required_choice(section, "descriptor", names_of(descriptor_kinds()));
  term.kernel = required_choice(section, "kernel", names_of(kernel_kinds()));
  const DescriptorKind& descriptor = descriptor_kind(term.descriptor);
  const KernelKind& kernel = kernel_kind(term.kernel);
  check_own_keys(section, descriptor, kernel);

  term.name = section.text("name", "");
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
  if (!std::all_of(term.name.begin(), term.name.end(), is_plain))
    section.fail(section.line("name"), fmt::format("'name' is '{}', expected letters, digits, '_' and '-' only", term.name));
  term.descriptor_parameters = read_parameters(section, descriptor.parameters);
  read_kernel_parameters(section, descriptor, kernel, term);
  check_parameters_together(section, descriptor, kernel, term);
  term.species = read_species(section, descriptor);
  read_delta(section, descriptor, term);
  read_selection(section, descriptor, folder, term);
  read_compression(section, descriptor, term);
  return term;
}

void name_terms(std::vector<TermOptions>& terms, const std::vector<Section>& sections) {
  std::map<std::string, int> lines;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    if (terms[t].name.empty()) continue;
    const int line = sections[t].line("name");
    const auto [first, is_new] = lines.emplace(terms[t].name, line);
    if (!is_new) sections[t].fail(line, fmt::format("the name '{}' is already used by the term in line {}", terms[t].name, first->second));
  }
  for (std::size_t t = 0; t < terms.size(); ++t) {
    if (!terms[t].name.empty()) continue;
    std::string name = terms[t].descriptor;
    for (int number = 2; lines.count(name); ++number) name = fmt::format("{}_{}", terms[t].descriptor, number);
    lines.emplace(name, sections[t].line());
    terms[t].name = name;
  }
}

}  // namespace gapkit
