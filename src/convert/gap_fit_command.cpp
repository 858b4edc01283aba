#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <gapkit/core/elements.hpp>
#include <gapkit/io/extxyz.hpp>
#include <set>
#include <sstream>

#include "convert/gap_fit_lines.hpp"

namespace gapkit {
namespace {

/// Other names of arguments → the one that the rest of the code knows.
const std::map<std::string, std::string> aliases = {
    {"atoms_filename", "at_file"},
    {"default_kernel_regularisation", "default_sigma"},
    {"config_type_kernel_regularisation", "config_type_sigma"},
    {"kernel_regularisation_is_per_atom", "sigma_per_atom"},
    {"kernel_regularisation_parameter_name", "sigma_parameter_name"},
    {"default_kernel_regularisation_local_property", "default_local_property_sigma"},
    {"hessian_displacement", "hessian_delta"},
    {"baseline_param_filename", "core_param_file"},
    {"baseline_ip_args", "core_ip_args"},
    {"gap_file", "gp_file"},
    {"do_copy_atoms_file", "do_copy_at_file"},
};

/// Arguments without effect on the fitted potential.
const std::map<std::string, std::string> without_effect = {
    {"do_copy_at_file", "the model never holds the data"},
    {"sparse_separate_file", "the model is one file"},
    {"verbosity", "without effect on the fit"},
    {"openmp_chunk_size", "without effect on the fit"},
    {"mpi_blocksize_rows", "without effect on the fit"},
    {"mpi_blocksize_cols", "without effect on the fit"},
    {"mpi_print_all", "without effect on the fit"},
    {"do_ip_timing", "without effect on the fit"},
    {"linear_system_dump_file", "without effect on the fit"},
    {"condition_number_norm", "without effect on the fit; gap-fit reports the effective rank"},
    {"core_param_file", "without effect unless core_ip_args is given"},
    {"hessian_delta", "gapkit fits no Hessians"},
    {"hessian_parameter_name", "gapkit fits no Hessians"},
    {"local_property_parameter_name", "gapkit fits no local properties"},
    {"local_property0", "gapkit fits no local properties"},
    {"default_local_property_sigma", "gapkit fits no local properties"},
    {"template_file", "only descriptors of molecules use it"},
};

/// Arguments that change the fit if they are not at this value.
struct OnlyAt {
  const char* value;
  const char* reason;
};
const std::map<std::string, OnlyAt> only_at = {
    {"sparsify_only_no_fit", {"F", "gap-fit always fits; --dry-run estimates what that takes"}},
    {"dryrun", {"F", "gap-fit has a --dry-run of its own"}},
    {"sparse_use_actual_gpcov", {"F", "gapkit's selections use the kernel as it is"}},
    {"sigma_parameter_name", {"sigma", "gapkit reads energy_sigma, force_sigma and virial_sigma only; rename the keys in the data"}},
};

class Translator {
 public:
  Translator(const std::string& command, const std::filesystem::path& folder) : folder_(folder) {
    std::vector<QuipOption> given = parse_quip_options(command, "gap_fit command line");
    // The program's own name, and what starts it.
    while (!given.empty() && !given.front().value) given.erase(given.begin());
    std::string list;
    for (QuipOption& option : given) {
      if (const auto alias = aliases.find(option.key); alias != aliases.end()) option.key = alias->second;
      const bool is_new = options_.emplace(option.key, option).second;
      if (!is_new) throw InputError(fmt::format("gap_fit command line: '{}' is given under two names", option.key));
    }
    for (const char* key : {"at_file", "gap", "default_sigma"})
      if (!options_.count(key))
        throw InputError(
            fmt::format("gap_fit command line: '{}' is missing; it holds {} arguments of the form key=value", key, options_.size()));
  }

  GapFitTranslation translate() && {
    write_terms();
    write_data();
    write_reference_energies();
    write_sigmas();
    write_rest();
    for (const auto& [key, option] : options_) main_.refuse(option, "an argument that gapkit does not know");
    return assembled();
  }

 private:
  /// Takes an argument out: what remains at the end is unknown.
  std::optional<QuipOption> take(const std::string& key) {
    const auto found = options_.find(key);
    if (found == options_.end()) return {};
    QuipOption option = found->second;
    options_.erase(found);
    return option;
  }

  std::string take_text(const std::string& key, const std::string& otherwise) {
    const auto option = take(key);
    return option && option->value ? *option->value : otherwise;
  }

  std::vector<double> take_numbers(const QuipOption& option, std::size_t count) {
    std::vector<double> numbers;
    for (const std::string& word : quip_list(option.value.value_or("")))
      if (const auto number = quip_number(word)) numbers.push_back(*number);
    if (numbers.size() != quip_list(option.value.value_or("")).size() || numbers.size() < 3 || numbers.size() > count)
      throw InputError(
          fmt::format("gap_fit command line: {}: expected {} numbers (energy, force, virial, Hessian)", option_text(option), count));
    numbers.resize(count, 0.0);
    return numbers;
  }

  void write_terms() {
    const std::string gap = take("gap")->value.value_or("");
    int written = 0;
    for (const std::string& part : split_outside_braces(gap, ':'))
      if (!part.empty() && write_gap_fit_term(part, terms_, elements_)) ++written;
    if (written == 0) {
      std::string reasons;
      for (const std::string& line : terms_.unsupported) reasons += "\n  " + line;
      throw InputError("gap_fit command line: none of the descriptors in gap={…} can be translated" + reasons);
    }
  }

  /// A property's key in the data: written if the data have it, or if they cannot be looked into and it is not a mere default.
  /// Returns whether gap_fit would fit the property.
  bool write_key(const char* key, const char* argument, const std::string& otherwise, const std::string& prefix) {
    const auto option = take(argument);
    const std::string name = prefix + (option && option->value ? *option->value : otherwise);
    const bool is_there = !data_ || data_->keys.count(name) > 0;
    if (is_there && (data_ || option || std::string(key) == "forces_key")) main_.line(key, toml_text(name));
    if (!is_there) main_.note({argument, name}, fmt::format("no frame of '{}' has it; gap_fit would not fit it either", train_));
    return is_there;
  }

  void write_data() {
    main_.header("[data]");
    train_ = take_text("at_file", "");
    look_into_data();
    main_.line("train", "[" + toml_text(train_) + "]");
    const std::string prefix = take_text("parameter_name_prefix", "");
    main_.line("energy_key", toml_text(prefix + take_text("energy_parameter_name", "energy")));
    // gap_fit's default names: without them gapkit would look for others too.
    const bool has_forces = write_key("forces_key", "force_parameter_name", "force", prefix);
    const bool has_virial = write_key("virial_key", "virial_parameter_name", "virial", prefix);
    const bool has_stress = write_key("stress_key", "stress_parameter_name", "stress", prefix);
    const bool has[] = {true, has_forces, has_virial || has_stress};
    main_.line("config_type_key", toml_text(take_text("config_type_parameter_name", "config_type")));
    main_.line("force_mask_key", toml_text(take_text("force_mask_parameter_name", "force_mask")));
    const auto sigma = take("default_sigma");
    default_sigma_ = take_numbers(*sigma, 4);
    std::string use;
    const char* names[] = {"energy", "forces", "virial"};
    for (std::size_t i = 0; i < 3; ++i) {
      if (!has[i]) continue;
      if (default_sigma_[i] > 0)
        use += fmt::format("{}\"{}\"", use.empty() ? "" : ", ", names[i]);
      else
        main_.refuse(*sigma, fmt::format("a sigma of {} for {}: gapkit's are above 0; {} are left out of data.use", default_sigma_[i],
                                         names[i], names[i]));
    }
    if (use.empty()) throw InputError(fmt::format("gap_fit command line: {}: all sigma are 0", option_text(*sigma)));
    main_.line("use", "[" + use + "]");
  }

  void write_reference_energies() {
    const auto method = take("e0_method");
    const auto e0 = take("e0");
    if (const auto offset = take("e0_offset"); offset && quip_number(offset->value.value_or("")) != 0)
      main_.refuse(*offset, "give the sum with e0 in reference_energies.explicit");
    main_.header("[reference_energies]");
    if (e0) {
      if (method) main_.note(*method, "e0 goes before it");
      return write_explicit(*e0);
    }
    const std::string name = method ? lower_case(method->value.value_or("")) : "isolated";
    if (name == "average")
      main_.note(*method, "least_squares takes its place: the same for one element and one composition, else a fit by composition");
    else if (name != "isolated")
      main_.refuse(*method, "expected isolated or average; isolated is written");
    main_.line("mode", name == "average" ? "\"least_squares\"" : "\"isolated\"");
  }

  void write_explicit(const QuipOption& e0) {
    const std::vector<std::string> words = split_outside_braces(e0.value.value_or(""), ':');
    std::string table;
    const auto add = [&](int z, double value) {
      table += fmt::format("{}{} = {}", table.empty() ? "" : ", ", element_symbol(z), toml_real(value));
    };
    if (words.size() == 1) {
      const auto value = quip_number(words[0]);
      if (!value) throw InputError(fmt::format("gap_fit command line: {}: expected a number, or {{Si:-1.0:C:-2.0}}", option_text(e0)));
      const std::set<int> elements = elements_of_data();
      if (elements.empty()) {
        main_.refuse(
            e0, fmt::format("it counts for every element, and '{}' cannot be read to learn which there are; add a line such as explicit "
                            "= {{ Si = {} }}",
                            train_, toml_real(*value)));
        main_.text += "# mode = \"explicit\"\n";
        return;
      }
      for (const int z : elements) add(z, *value);
    } else {
      for (std::size_t i = 0; i < words.size(); i += 2) {
        const int z = find_atomic_number(words[i]);
        const auto value = i + 1 < words.size() ? quip_number(words[i + 1]) : std::nullopt;
        if (z == 0 || !value)
          throw InputError(fmt::format("gap_fit command line: {}: '{}' is not element:energy", option_text(e0), words[i]));
        add(z, *value);
      }
    }
    main_.line("mode", "\"explicit\"");
    main_.line("explicit", "{ " + table + " }");
  }

  /// Of the training data, or of the descriptor strings if it cannot be read.
  std::set<int> elements_of_data() const { return data_ ? data_->elements : std::set<int>(elements_.begin(), elements_.end()); }

  void look_into_data() {
    const std::filesystem::path path = folder_ / train_;
    std::error_code ignored;
    if (train_.empty() || !std::filesystem::is_regular_file(path, ignored)) return;
    data_.emplace();
    ExtxyzReader reader(path);
    while (const auto frame = reader.next()) {
      data_->elements.insert(frame->atomic_numbers.begin(), frame->atomic_numbers.end());
      for (const Field& field : frame->fields) data_->keys.insert(field.key);
      for (const Column& column : frame->columns) data_->keys.insert(column.name);
    }
  }

  void write_sigma_lines(const std::vector<double>& sigma, const QuipOption& option) {
    const char* names[] = {"energy", "force", "virial"};
    for (std::size_t i = 0; i < 3; ++i) {
      if (sigma[i] > 0)
        main_.line(names[i], toml_real(sigma[i]));
      else if (option.key != "default_sigma")
        main_.refuse(option, fmt::format("a sigma of {}: gapkit's are above 0; the default of {} is used", sigma[i], names[i]));
    }
    if (sigma[3] > 0 && option.key == "default_sigma") main_.note(option, "the fourth number is for Hessians, which gapkit does not fit");
  }

  void write_sigmas() {
    main_.header("[regularization]");
    write_sigma_lines(default_sigma_, {"default_sigma", fmt::format("{}", fmt::join(default_sigma_, " "))});
    const auto per_atom = take("sigma_per_atom");
    if (per_atom) {
      const auto value = quip_logical(per_atom->value);
      if (!value) throw InputError(fmt::format("gap_fit command line: {}: expected T or F", option_text(*per_atom)));
      main_.line("scale_with_atoms", *value ? "true" : "false");
    }
    const auto types = take("config_type_sigma");
    if (!types) return;
    const std::vector<std::string> words = split_outside_braces(types->value.value_or(""), ':');
    if (words.size() % 5 != 0)
      throw InputError(fmt::format(
          "gap_fit command line: config_type_sigma has {} parts, expected groups of 5 (type:energy:force:virial:Hessian)", words.size()));
    for (std::size_t i = 0; i < words.size(); i += 5) {
      std::vector<double> sigma;
      for (std::size_t k = 1; k < 5; ++k) {
        const auto number = quip_number(words[i + k]);
        if (!number) throw InputError(fmt::format("gap_fit command line: config_type_sigma: '{}' is not a number", words[i + k]));
        sigma.push_back(*number);
      }
      main_.header(fmt::format("[regularization.config_type.{}]", toml_name(words[i])));
      write_sigma_lines(sigma, {"config_type_sigma " + words[i], fmt::format("{}", fmt::join(sigma, ":"))});
    }
  }

  void write_rest() {
    main_.header("[solver]");
    const auto jitter = take("sparse_jitter");
    const auto value = jitter ? quip_number(jitter->value.value_or("")) : 1e-10;
    if (!value || *value < 0)
      throw InputError(fmt::format("gap_fit command line: {}: expected a number of at least 0", option_text(*jitter)));
    main_.line("jitter_absolute", toml_real(*value));

    main_.header("[output]");
    main_.line("model", toml_text(std::filesystem::path(take_text("gp_file", "gap_new.xml")).replace_extension(".h5").string()));
    if (const auto seed = take("rnd_seed")) {
      const auto number = quip_integer(seed->value.value_or(""));
      if (number && *number >= 0) {
        main_.header("[run]");
        main_.line("seed", std::to_string(*number));
        main_.note(*seed, "the same seed does not choose the same sparse points in both programs");
      } else {
        main_.note(*seed, "gap_fit takes a seed of its own; gapkit's default is 0");
      }
    }
    if (const auto core = take("core_ip_args"); core && !core->value.value_or("").empty()) {
      main_.refuse(*core, "gapkit does not read QUIP's potentials; [[baseline]] has built-in ones (zbl, pair_spline, stillinger_weber, lennard_jones)");
      take("core_param_file");
    }
    for (const auto& [key, reason] : without_effect)
      if (const auto option = take(key)) main_.note(*option, reason);
    for (const auto& [key, only] : only_at)
      if (const auto option = take(key)) {
        const bool is_same = quip_logical(std::string(only.value)) ? quip_logical(option->value) == quip_logical(std::string(only.value))
                                                                   : option->value == only.value;
        if (!is_same) main_.refuse(*option, only.reason);
      }
  }

  GapFitTranslation assembled() {
    GapFitTranslation result;
    result.unsupported = std::move(main_.unsupported);
    result.unsupported.insert(result.unsupported.end(), terms_.unsupported.begin(), terms_.unsupported.end());
    result.notes = std::move(main_.notes);
    result.notes.insert(result.notes.end(), terms_.notes.begin(), terms_.notes.end());
    result.toml = "# Translated from a gap_fit command line\n";
    const auto comment = [&](const char* what, const std::vector<std::string>& lines) {
      for (std::string line : lines) {
        std::replace(line.begin(), line.end(), '\n', ' ');
        result.toml += fmt::format("# {}: {}\n", what, line);
      }
    };
    comment("not supported", result.unsupported);
    comment("note", result.notes);
    result.toml += "\n" + main_.text + "\n" + terms_.text;
    return result;
  }

  /// What the training data hold, if they can be read.
  struct Data {
    std::set<int> elements;
    std::set<std::string> keys;
  };

  std::filesystem::path folder_;
  std::optional<Data> data_;
  std::map<std::string, QuipOption> options_;
  GapFitLines main_, terms_;
  std::vector<int> elements_;
  std::string train_;
  std::vector<double> default_sigma_;
};

}  // namespace

GapFitTranslation translate_gap_fit(const std::string& command, const std::filesystem::path& folder) {
  return Translator(command, folder).translate();
}

GapFitTranslation translate_gap_fit_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored) && file) text << file.rdbuf();
  if (text.str().empty())
    throw InputError(
        fmt::format("--from-gap-fit {}: this is neither a command line (key=value …) nor a file that can be read", path.string()));
  return translate_gap_fit(text.str());
}

}  // namespace gapkit
