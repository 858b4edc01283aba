#include <fmt/format.h>

#include <algorithm>
#include <gapkit/config/config.hpp>
#include <gapkit/config/toml.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <sstream>

#include "config/base_columns.hpp"

namespace gapkit {
namespace {

class TomlText {
 public:
  void header(const std::string& name) { text_ += (text_.empty() ? "" : "\n") + name + "\n"; }
  void line(const std::string& key, const std::string& value, const std::string& comment = "") {
    const std::string assignment = toml_key(key) + " = " + value;
    text_ += comment.empty() ? assignment + "\n" : fmt::format("{:<28}  # {}\n", assignment, comment);
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

std::string list(const std::vector<std::string>& texts) {
  std::string result = "[";
  for (const auto& text : texts) result += (result.size() > 1 ? ", " : "") + toml_quoted(text);
  return result + "]";
}

std::string list(const std::vector<double>& numbers) {
  std::string result = "[";
  for (const double number : numbers) result += (result.size() > 1 ? ", " : "") + toml_number(number);
  return result + "]";
}

template <class Value, class Write>
std::string table(const std::map<std::string, Value>& values, Write write) {
  std::string result = "{";
  for (const auto& [key, value] : values) result += (result.size() > 1 ? ", " : " ") + toml_key(key) + " = " + write(value);
  return result + " }";
}

/// A parameter with numbers by element, "Cl = -1, Na = 1", which is TOML between braces.
bool is_element_table(const std::string& text) {
  try {
    return text.find('\n') == std::string::npos && !element_values_of(text, "").empty();
  } catch (const InputError&) {
    return false;
  }
}

// A list of the lines of a text.
std::string lines(const std::string& text) {
  std::string result = "[\n", line;
  for (std::istringstream all(text); std::getline(all, line);) result += "  " + toml_quoted(line) + ",\n";
  return result + "]";
}

std::string parameter(const ParameterValue& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return toml_number(*real);
  if (const auto* text = std::get_if<std::string>(&value))
    return is_element_table(*text) ? "{ " + *text + " }" : text->find('\n') != std::string::npos ? lines(*text) : toml_quoted(*text);
  return list(std::get<std::vector<double>>(value));
}

void write_parameters(TomlText& out, const Parameters& parameters, const std::vector<ParameterInfo>& infos,
                      const std::map<std::string, std::string>& by_data = {}) {
  for (const auto& info : infos) {
    const auto found = parameters.values().find(info.name);
    if (found == parameters.values().end()) continue;
    const auto of_data = by_data.find(info.name);
    const std::string value = of_data != by_data.end() ? of_data->second : parameter(found->second);
    out.line(info.name, value, info.unit.empty() ? info.description : info.unit + "; " + info.description);
  }
}

void write_source(TomlText& out, const std::string& key, const std::map<std::string, std::string>& sources) {
  if (sources.empty()) return;
  const auto all = sources.find("");
  out.line(key, all != sources.end() ? toml_quoted(all->second) : table(sources, toml_quoted));
}

void write_term(TomlText& out, const TermOptions& term, const std::string& header = "[[term]]", const std::string& unit = "eV") {
  out.header(header);
  out.line("name", toml_quoted(term.name));
  out.line("descriptor", toml_quoted(term.descriptor));
  write_parameters(out, term.descriptor_parameters, descriptor_kind(term.descriptor).parameters);
  out.line("species", term.species.empty() ? "\"all\"" : list(term.species), "all, or a list of elements or combinations");
  out.line("kernel", toml_quoted(term.kernel));
  std::map<std::string, std::string> by_data;
  const auto add = [&](const char* key, const char* word, const std::optional<double>& number) {
    if (number) by_data[key] = fmt::format("{{ {} = {} }}", word, toml_number(*number));
  };
  add("length_scale", "fraction_of_range", term.length_scale_fraction);
  add("length_scale", "root_of_size", term.length_scale_root);
  add("input_scale", "over_size", term.input_scale_over_size);
  write_parameters(out, term.kernel_parameters, kernel_kind(term.kernel).parameters, by_data);
  auto delta = term.species_delta;
  if (!delta.empty()) delta["default"] = term.delta;
  out.line("delta", delta.empty() ? toml_number(term.delta) : table(delta, toml_number), unit);
  const auto number = [](int n) { return std::to_string(n); };
  auto n_sparse = term.species_n_sparse;
  if (!n_sparse.empty()) n_sparse["default"] = term.n_sparse;
  // 0 without other numbers: the default of a tensor.
  if (term.n_sparse > 0 || !n_sparse.empty() || header != "[[tensor.term]]")
    out.line("n_sparse", n_sparse.empty() ? number(term.n_sparse) : table(n_sparse, number), "per combination of elements");
  if (!term.config_type_n_sparse.empty()) out.line("config_type_n_sparse", table(term.config_type_n_sparse, number));
  out.line("selection", toml_quoted(term.selection));
  out.line("max_candidates", std::to_string(term.max_candidates), "per combination of elements");
  write_source(out, "sparse_file", term.sparse_file);
  if (term.sparse_file_cutoffs) out.line("sparse_file_cutoffs", "true", "each point begins with its covariance cutoff");
  write_source(out, "sparse_indices", term.sparse_indices);
  const CompressionOptions& compression = term.compression;
  out.line("compression", toml_quoted(compression.kind), "fewer features");
  if (compression.rank >= 1) out.line("rank", std::to_string(static_cast<int>(compression.rank)), "features per combination of elements");
  if (compression.rank > 0 && compression.rank < 1) out.line("rank", toml_number(compression.rank), "share of the variance to keep");
  if (compression.kind == "learned") out.line("floor", toml_number(compression.floor), "of the eigenvalues of the metric");
}

void write_tensor(TomlText& out, const TensorOptions& tensor) {
  const TensorKeys& keys = tensor.keys;
  out.header("[[tensor]]");
  out.line("name", toml_quoted(keys.name));
  out.line("key", toml_quoted(keys.key), keys.is_per_atom() ? "column" : "key of frames");
  out.line("kind", toml_quoted(keys.kind));
  out.line("target", toml_quoted(keys.target));
  out.line("units", toml_quoted(keys.units), "of the file");
  out.line("origin", toml_quoted(keys.origin), "of dipoles of charged frames; empty: none");
  if (tensor.sigma > 0) out.line("sigma", toml_number(tensor.sigma), keys.units);
  if (!keys.derivatives.empty()) out.line("derivatives", toml_quoted(keys.derivatives), "column of the derivatives by the positions");
  if (tensor.derivatives_sigma > 0) out.line("derivatives_sigma", toml_number(tensor.derivatives_sigma), keys.units + "/Å");
  if (!keys.charges.empty()) out.line("charges", toml_quoted(keys.charges), "property whose values are part of the dipole");
  out.line("optimize", tensor.optimize ? "true" : "false", "sigma and delta, by the evidence");
  for (const TermOptions& term : tensor.terms) write_term(out, term, "[[tensor.term]]", keys.units);
}

void write_property(TomlText& out, const PropertyOptions& property) {
  const PropertyKeys& keys = property.keys;
  out.header("[[property]]");
  out.line("name", toml_quoted(keys.name));
  out.line("key", toml_quoted(keys.column), "column of the values");
  out.line("unit", toml_quoted(keys.unit));
  out.line("total", toml_quoted(keys.total), "key of the sum over the atoms; empty: none");
  out.line("dipole", toml_quoted(keys.dipole), "key of the dipole; empty: none");
  out.line("sigma", toml_number(property.sigma), keys.unit);
  out.line("total_sigma", toml_number(property.total_sigma), "times the square root of the number of atoms");
  out.line("dipole_sigma", toml_number(property.dipole_sigma), "unit times Å");
  out.line("optimize", property.optimize ? "true" : "false", "sigma, dipole_sigma and delta, by the evidence");
  for (const TermOptions& term : property.terms) write_term(out, term, "[[property.term]]", keys.unit);
}

void write_sigmas(TomlText& out, const SigmaOptions& sigma) {
  for (const TargetInfo& target : targets()) out.line(target.name, toml_number(sigma[target.property]), target.unit);
}

void write_optimize(TomlText& out, const OptimizeOptions& options) {
  out.header("[optimize]");
  out.line("objective", toml_quoted(objective_name(options.objective)));
  out.line("sigma", options.sigma ? "true" : "false");
  out.line("delta", options.delta ? "true" : "false");
  out.line("classes", list(options.classes), "config types with a sigma of their own");
  out.line("max_factor", toml_number(options.max_factor), "sigma and delta stay within this factor of their start");
  out.line("min_rows", std::to_string(options.min_rows), "a class with fewer follows the default class");
  out.line("max_evaluations", std::to_string(options.max_evaluations));
  out.line("folds", std::to_string(options.folds), "0: none");
  out.line("fold", toml_quoted(options.fold));
  std::map<std::string, double> weights;
  for (const TargetInfo& target : targets()) weights[target.name] = options.weights[target.property];
  out.line("weights", table(weights, toml_number), "of the properties in cross-validation");
}

void write_data(TomlText& out, const FitConfiguration& options) {
  out.header("[data]");
  out.line("train", list(options.train));
  out.line("validation", list(options.validation), "never fitted");
  std::vector<std::string> use;
  for (const TargetInfo& target : targets())
    if (options.use[target.property]) use.emplace_back(target.sources.front().name);
  out.line("use", list(use), "targets that are fitted");
  for (const TargetSource& source : target_sources())
    out.line(std::string(source.name) + "_key", toml_quoted(options.keys.named(source.name)),
             &source == &target_sources().front() ? "empty: found among the usual names" : "");
  out.line("config_type_key", toml_quoted(options.keys.config_type));
  out.line("force_mask_key", toml_quoted(options.keys.force_mask), "true excludes the atom");
}

void write_reference_energies(TomlText& out, const ReferenceEnergyOptions& reference) {
  using Mode = ReferenceEnergyOptions::Mode;
  out.header("[reference_energies]");
  out.line("mode", reference.mode == Mode::isolated        ? "\"isolated\""
                   : reference.mode == Mode::least_squares ? "\"least_squares\""
                                                           : "\"explicit\"");
  if (reference.mode == Mode::explicit_values) out.line("explicit", table(reference.values, toml_number), "eV per atom");
}

void write_base(TomlText& out, const BaseKeys& base) {
  if (!base.is_used()) return;
  out.header("[[baseline]]");
  out.line("kind", toml_quoted(base_columns_kind), "another model; the frames have its values");
  out.line("name", toml_quoted(base.name));
  for (const auto& [source, column] : base.columns) out.line(source, toml_quoted(column));
}

void write_regularization(TomlText& out, const RegularizationOptions& regularization) {
  out.header("[regularization]");
  write_sigmas(out, regularization.standard);
  std::string scaled;
  for (const TargetInfo& target : targets())
    if (target.scales_with_atoms) scaled += (scaled.empty() ? "" : " and ") + std::string(target.name);
  out.line("scale_with_atoms", regularization.scale_with_atoms ? "true" : "false",
           scaled + " are multiplied by the square root of the number of atoms");
  for (const auto& [name, sigma] : regularization.config_type) {
    out.header(fmt::format("[regularization.config_type.{}]", toml_key(name)));
    write_sigmas(out, sigma);
  }
}

void write_calibration(TomlText& out, const CalibrationOptions& calibration) {
  using Source = CalibrationOptions::Source;
  out.header("[calibration]");
  out.line("source",
           calibration.source == Source::holdout         ? "\"holdout\""
           : calibration.source == Source::validation    ? "\"validation\""
           : calibration.source == Source::leave_one_out ? "\"leave_one_out\""
                                                         : "\"none\"",
           "where the factors of the error bars come from");
  if (calibration.source == Source::leave_one_out)
    out.line("energies", calibration.all_structures ? "\"all\"" : "\"sample\"", "structures that are left out for error bars of energies");
  if (calibration.cautious)
    out.line("cautious", "true", "whole config types are left out too: wider error bars that hold for other kinds of structures");
  if (calibration.source == Source::holdout)
    out.line("holdout", toml_number(calibration.holdout), "fraction of the structures, set aside before the fit, added afterwards");
  if (calibration.source == Source::holdout) out.line("rounds", std::to_string(calibration.rounds), "fits with other structures set aside");
  out.line("most_atoms", std::to_string(calibration.most_atoms), "of the validation data");
}

}  // namespace

std::string fit_options_to_toml(const FitConfiguration& options) {
  if (options.seed > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    throw InputError(fmt::format("the seed {} is too large, expected at most {}", options.seed, std::numeric_limits<std::int64_t>::max()));
  TomlText out;
  write_data(out, options);
  write_reference_energies(out, options.reference_energies);
  for (const PotentialPointer& b : options.baselines) {
    out.header(is_long_range(b->name()) ? "[[long_range]]" : "[[baseline]]");
    out.line("kind", toml_quoted(b->name()));
    write_parameters(out, b->parameters(), potential_kind(b->name()).parameters);
  }
  write_base(out, options.keys.base);
  for (const TermOptions& term : options.terms) write_term(out, term);
  for (const PropertyOptions& property : options.properties) write_property(out, property);
  for (const TensorOptions& tensor : options.tensors) write_tensor(out, tensor);

  write_regularization(out, options.regularization);
  write_optimize(out, options.optimize);
  write_calibration(out, options.calibration);
  out.header("[solver]");
  if (options.jitter_absolute)
    out.line("jitter_absolute", toml_number(*options.jitter_absolute), "eV²");
  else
    out.line("jitter", toml_number(options.jitter), "relative to delta² of each term");
  out.header("[output]");
  out.line("model", toml_quoted(options.model_path), "relative to the folder in which the program runs");
  out.line("sparse", toml_quoted(options.sparse_output), "prefix of files with the sparse points; empty: none");
  out.line("statistics", options.keep_statistics ? "true" : "false", "kept in the model file for --refit, --append and --merge");
  out.header("[run]");
  out.line("seed", std::to_string(options.seed));
  out.line("memory", toml_number(options.memory), "GB");
  return std::move(out).text();
}

}  // namespace gapkit
