#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <gapkit/core/elements.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>

#include "convert/gap_fit_lines.hpp"

namespace gapkit {
namespace {

std::string parameter_text(const ParameterValue& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  return toml_real(std::get<double>(value));
}

bool is_soap(const QuipDescriptor& descriptor) {
  return descriptor.name == "soap";
}

/// gapkit's name of a sparse_method; empty if gapkit has none.
std::string selection_name(const std::string& method) {
  static const std::map<std::string, std::string> names = {{"random", "random"},  {"uniform", "uniform"}, {"covariance", "variance"},
                                                           {"cur_points", "cur"}, {"file", "file"},       {"index_file", "indices"},
                                                           {"none", "all"}};
  const auto found = names.find(lower_case(method));
  return found == names.end() ? "" : found->second;
}

void write_kernel(const QuipDescriptor& descriptor, GapFitLines& out) {
  const QuipOption* type = descriptor.find_fit_option("covariance_type");
  const std::string name = type ? lower_case(type->value.value_or("")) : is_soap(descriptor) ? "dot_product" : "ard_se";
  if (!type) out.notes.push_back(fmt::format("{} has no covariance_type: {} is taken", descriptor.quip_name, name));
  const auto& kinds = kernel_kinds();
  const bool has_polynomial = std::any_of(kinds.begin(), kinds.end(), [](const KernelKind& k) { return k.name == "piecewise_polynomial"; });
  std::string kernel = name == "dot_product" ? "dot_product" : "squared_exponential";
  if (name == "pp" && has_polynomial && !is_soap(descriptor)) {
    kernel = "piecewise_polynomial";
  } else if (name != "ard_se" && name != "gaussian" && name != "dot_product") {
    kernel = is_soap(descriptor) ? "dot_product" : "squared_exponential";
    out.refuse(*type, fmt::format("gapkit has no such kernel; {} is written instead", kernel));
  }
  out.line("kernel", toml_text(kernel));
  if (kernel == "piecewise_polynomial") out.line("smoothness", "1");

  const QuipOption* zeta = descriptor.find_fit_option("zeta");
  const QuipOption* uniform = descriptor.find_fit_option("theta_uniform");
  const QuipOption* factor = descriptor.find_fit_option("theta_fac");
  const QuipOption* file = descriptor.find_fit_option("theta_file");
  if (const QuipOption* theta = descriptor.find_fit_option("theta")) out.note(*theta, "only bond_real_space uses it");
  if (kernel == "dot_product") {
    const auto value = zeta ? quip_number(zeta->value.value_or("")) : 1.0;
    if (!value || *value < 1) out.refuse(*zeta, "expected a number of at least 1; 4 is written instead");
    out.line("zeta", toml_real(value && *value >= 1 ? *value : 4.0));
    for (const QuipOption* option : {uniform, factor, file})
      if (option) out.note(*option, "without effect with dot_product");
    return;
  }
  if (zeta) out.note(*zeta, fmt::format("without effect with {}", name));
  const auto uniform_value = uniform ? quip_number(uniform->value.value_or("")) : std::nullopt;
  if (uniform && (!uniform_value || *uniform_value < 0)) out.refuse(*uniform, "expected a number above 0");
  if (uniform_value && *uniform_value > 0) {
    out.line("length_scale", toml_real(*uniform_value));
    for (const QuipOption* option : {factor, file})
      if (option) out.note(*option, "theta_uniform goes before it");
    return;
  }
  if (file) out.refuse(*file, "give its numbers as a list: length_scale = [...]; theta_fac or its default 1 is written instead");
  const auto words = factor ? quip_list(factor->value.value_or("")) : std::vector<std::string>{"1"};
  std::vector<double> factors;
  for (const std::string& word : words)
    if (const auto number = quip_number(word); number && *number > 0) factors.push_back(*number);
  const bool is_uniform = !factors.empty() && factors.size() == words.size() &&
                          std::all_of(factors.begin(), factors.end(), [&](double f) { return f == factors.front(); });
  if (!is_uniform) out.refuse(*factor, "gapkit takes one factor above 0 for all dimensions; the first, or 1, is written instead");
  out.line("length_scale", fmt::format("{{ fraction_of_range = {} }}", toml_real(factors.empty() ? 1.0 : factors.front())));
}

/// n_sparse, or config_type_n_sparse, which excludes it: other config types then get the number of its `default`, or none.
void write_counts(const QuipDescriptor& descriptor, GapFitLines& out) {
  const QuipOption* count = descriptor.find_fit_option("n_sparse");
  const QuipOption* types = descriptor.find_fit_option("config_type_n_sparse");
  if (!types) {
    const int number = count ? quip_integer(count->value.value_or("")).value_or(0) : 0;
    if (number < 1 && count)
      out.refuse(*count, "expected an integer of at least 1; 1 is written instead");
    else if (number < 1)
      out.unsupported.push_back(fmt::format("{}: n_sparse is missing; 1 is written instead", descriptor.quip_name));
    out.line("n_sparse", std::to_string(std::max(number, 1)));
    return;
  }
  const std::vector<std::string> words = gap_fit_list(types->value.value_or(""));
  std::string table;
  int others = 0;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    const auto number = quip_integer(words[i + 1]);
    if (!number || *number < 0)
      out.refuse(*types, fmt::format("'{}:{}' is not type:number", words[i], words[i + 1]));
    else if (words[i] == "default")
      others = *number;
    else
      table += fmt::format("{}{} = {}", table.empty() ? "" : ", ", toml_name(words[i]), *number);
  }
  if (words.size() % 2 != 0) out.refuse(*types, "expected {type:number:type:number…}");
  if (count && quip_integer(count->value.value_or("")) != 0)
    out.note(*count, fmt::format("config_type_n_sparse goes before it, as in gap_fit: {} sparse points of all other config types", others));
  out.line("n_sparse", std::to_string(others));
  if (!table.empty()) out.line("config_type_n_sparse", "{ " + table + " }");
}

void write_selection(const QuipDescriptor& descriptor, GapFitLines& out) {
  const QuipOption* method = descriptor.find_fit_option("sparse_method");
  const QuipOption* file = descriptor.find_fit_option("sparse_file");
  const QuipOption* count = descriptor.find_fit_option("n_sparse");
  const std::string given = method ? method->value.value_or("") : "random";  // gap_fit's default
  std::string selection = selection_name(given);
  if (selection.empty()) {
    selection = is_soap(descriptor) ? "cur" : "uniform";
    out.refuse(*method, fmt::format("gapkit has no such selection; {} is written instead", selection));
  }
  if (lower_case(given) == "uniform" && !is_soap(descriptor)) out.note(*method, "gapkit's grid need not choose the same points");
  const bool from_file = selection == "file" || selection == "indices";
  if (from_file && (!file || file->value.value_or("").empty())) {
    out.refuse(*method, "sparse_file is missing; cur is written instead");
    selection = "cur";
  }
  const bool names_points = selection == "file" || selection == "indices";
  if (names_points || selection == "all") {
    if (count) out.note(*count, names_points ? "the file has the number of sparse points" : "all environments are taken");
  } else {
    write_counts(descriptor, out);
  }
  out.line("selection", toml_text(selection));
  if (!names_points) {
    if (file) out.note(*file, fmt::format("not read with sparse_method={}", given));
    return;
  }
  out.line(selection == "file" ? "sparse_file" : "sparse_indices", toml_text(*file->value));
  if (selection == "file" && !std::is_sorted(descriptor.neighbor_species.begin(), descriptor.neighbor_species.end()))
    out.refuse(*file, "its numbers have the order of species_Z; gapkit's have ascending atomic numbers");
  if (selection == "file") out.line("sparse_file_cutoffs", "true");
}

void note_other_options(const QuipDescriptor& descriptor, GapFitLines& out) {
  for (const QuipOption& option : descriptor.fit_options) {
    const auto number = quip_number(option.value.value_or(""));
    if (option.key == "f0") {
      if (number != 0) out.refuse(option, "gapkit's covariances have no constant");
    } else if (option.key == "add_species") {
      // gapkit always makes one term per combination of elements; without add_species the string names it.
      if (quip_logical(option.value) == false && descriptor.species.empty())
        out.refuse(option, "gapkit always makes one term per element, pair or triplet");
    } else if (option.key == "mark_sparse_atoms") {
      out.note(option, "without effect on the fit; the model stores where each sparse point came from");
    } else if (option.key == "print_sparse_index") {
      out.note(option, "without effect on the fit; output.sparse writes the sparse points, and the model stores where each came from");
    } else if (option.value.value_or("").find('$') != std::string::npos) {
      out.refuse(option, "a variable of the shell; write its value");
    } else if (option.key == "unique_hash_tolerance" || option.key == "unique_descriptor_tolerance") {
      if (number != 1e-10) out.refuse(option, "gapkit drops duplicates at 1e-10");
    }
  }
}

}  // namespace

std::string toml_text(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      result += fmt::format("\\u{:04x}", static_cast<int>(c));
    else
      result += c;
  }
  return result + "\"";
}

std::string toml_name(const std::string& key) {
  const bool is_bare = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
  return is_bare ? key : toml_text(key);
}

std::string toml_real(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(std::begin(buffer), std::end(buffer), value);
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::vector<std::string> gap_fit_list(const std::string& value) {
  std::string text = value;
  for (char& c : text) c = c == ',' || c == ';' ? ':' : c;
  std::vector<std::string> words = split_outside_braces(text, ':');
  for (std::string& word : words) word = without_quip_delimiters(word);
  return words;
}

bool write_gap_fit_term(const std::string& given, GapFitLines& out, std::vector<int>& elements) {
  QuipDescriptor descriptor = read_quip_descriptor(without_quip_delimiters(given), "gap");
  if (descriptor.gap_version && descriptor.problems.empty()) apply_gap_version(descriptor, *descriptor.gap_version);
  for (const std::string& problem : descriptor.problems) out.unsupported.push_back(fmt::format("{}: {}", descriptor.quip_name, problem));
  const auto& kinds = descriptor_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const DescriptorKind& k) { return k.name == descriptor.name; });
  const bool is_whole = kind != kinds.end() && descriptor.is_complete;
  if (!is_whole) {
    out.unsupported.push_back(fmt::format("{}: {}", descriptor.quip_name, gap_fit_term_left_out));
    return false;
  }
  if (descriptor.parameters.has("cutoff")) out.largest_cutoff = std::max(out.largest_cutoff, descriptor.parameters.real("cutoff"));
  out.header("[[term]]");
  out.line("descriptor", toml_text(descriptor.name));
  for (const ParameterInfo& info : kind->parameters)
    if (descriptor.parameters.has(info.name)) out.line(info.name, parameter_text(descriptor.parameters.values().at(info.name)));
  elements.insert(elements.end(), descriptor.species.begin(), descriptor.species.end());
  elements.insert(elements.end(), descriptor.neighbor_species.begin(), descriptor.neighbor_species.end());
  if (!descriptor.species.empty()) {
    std::string combination;
    for (const int z : descriptor.species) combination += (combination.empty() ? "" : "-") + element_symbol(z);
    out.line("species", "[" + toml_text(combination) + "]");
  }
  if (!descriptor.neighbor_species.empty())
    out.notes.push_back(fmt::format("{}: species_Z is not written; all elements of the data are neighbours", descriptor.quip_name));
  write_kernel(descriptor, out);
  const QuipOption* delta = descriptor.find_fit_option("delta");
  const auto value = delta ? quip_number(delta->value.value_or("")) : std::nullopt;
  if (!value || *value <= 0)
    out.unsupported.push_back(fmt::format("{}: delta is missing or not above 0; 1.0 is written instead", descriptor.quip_name));
  const double pairs = descriptor.counts_pairs_once ? 0.5 : 1;
  out.line("delta", toml_real(pairs * (value && *value > 0 ? *value : 1.0)));
  if (descriptor.counts_pairs_once)
    out.notes.push_back(
        fmt::format("{} with compact_clusters=F counts each pair once, two_body twice: delta is halved", descriptor.quip_name));
  write_selection(descriptor, out);
  note_other_options(descriptor, out);
  return true;
}

}  // namespace gapkit
