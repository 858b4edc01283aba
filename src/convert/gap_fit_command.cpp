#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "convert/gap_fit_energies.hpp"
#include "convert/gap_fit_known.hpp"
#include "convert/gap_fit_script.hpp"
#include "convert/gap_fit_sigmas.hpp"
#include "convert/glue_xml.hpp"

namespace gapkit {
namespace {

std::string text_of_file(const std::filesystem::path& path, const std::string& option) {
  std::ifstream file(path);
  std::ostringstream text;
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored) && file) text << file.rdbuf();
  if (text.str().empty())
    throw InputError(fmt::format("{} {}: this is neither a command line (key=value …) nor a file that can be read", option, path.string()));
  return text.str();
}

/// Names of fields in the data, with their prefix.
struct Names {
  std::string prefix;
  std::string energy, forces, virial, stress, config_type, force_mask;
};

/// Words of a command line as one text. As QUIP does, quotes go around values with blanks, unless a brace is open.
std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    const auto open = std::count(text.begin(), text.end(), '{') - std::count(text.begin(), text.end(), '}');
    const std::size_t equals = word.find('='), begin = equals == std::string::npos ? 0 : equals + 1;
    const bool has_blank = word.find_first_of(" \t\n") != std::string::npos;
    const bool is_bare = begin >= word.size() || std::string_view("'{\"").find(word[begin]) == std::string_view::npos;
    text += text.empty() ? "" : " ";
    text += open <= 0 && has_blank && is_bare ? word.substr(0, begin) + '"' + word.substr(begin) + '"' : word;
  }
  return text;
}

/// "; did you mean 'x'?" for a key that is similar to an argument's; else empty.
std::string nearest_argument(const std::string& key) {
  std::vector<std::string> known = gap_fit_translated;
  for (const auto& [alias, name] : gap_fit_aliases) known.push_back(alias);
  for (const auto& [name, reason] : gap_fit_without_effect) known.push_back(name);
  for (const auto& [name, only] : gap_fit_only_at) known.push_back(name);
  const std::string nearest = nearest_name(lower_case(key), known);
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
}

/// The name of the model beside a potential: "a.xml" → "a.h5", "a" → "a.h5", "a.v2" → "a.v2.h5".
std::string model_beside(const std::string& gap_file) {
  const std::filesystem::path path(gap_file);
  return lower_case(path.extension().string()) == ".xml" ? std::filesystem::path(path).replace_extension(".h5").string() : gap_file + ".h5";
}

class Translator {
 public:
  Translator(const std::string& arguments, const std::filesystem::path& folder) : folder_(folder) {
    result_.command_line = trimmed(arguments);
    add_options(arguments, "gap_fit command line");
    if (const auto file = take("config_file")) read_config_file(*file);
    for (const auto& [key, option] : options_)
      if (option.value && option.value->find('$') != std::string::npos && key != "gap")
        main_.refuse(option, "a variable of the shell; write its value");
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
    for (const auto& [key, option] : options_) main_.refuse(option, "an argument that gapkit does not know" + nearest_argument(key));
    return assembled();
  }

 private:
  void add_options(const std::string& text, const std::string& where) {
    std::vector<QuipOption> given = parse_quip_options(text, where);
    // The name of the program, and the words before it.
    while (!given.empty() && !given.front().value) given.erase(given.begin());
    for (QuipOption& option : given) {
      if (const auto alias = gap_fit_aliases.find(option.key); alias != gap_fit_aliases.end()) option.key = alias->second;
      const auto [place, is_new] = options_.emplace(option.key, option);
      if (!is_new && place->second.value != option.value)
        throw InputError(fmt::format("{}: '{}' is given twice (perhaps under two names), as '{}' and '{}'", where, option.key,
                                     place->second.value.value_or(""), option.value.value_or("")));
    }
  }

  /// With config_file gap_fit reads nothing else.
  void read_config_file(const QuipOption& file) {
    const std::filesystem::path path = folder_ / file.value.value_or("");
    const std::map<std::string, QuipOption> beside = std::exchange(options_, {});
    const std::string text = gap_fit_arguments(text_of_file(path, "config_file"));
    result_.command_line = trimmed(text);
    std::replace(result_.command_line.begin(), result_.command_line.end(), '\n', ' ');
    add_options(text, path.string());
    for (const auto& [key, option] : beside) {
      const auto found = options_.find(key);
      if (found == options_.end() || found->second.value != option.value)
        main_.note(option, "ignored: with config_file gap_fit reads that file only");
    }
  }

  /// Takes an argument out; arguments that remain at the end are unknown.
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

  bool take_logical(const std::string& key, bool otherwise) {
    const auto option = take(key);
    if (!option) return otherwise;
    const auto value = quip_logical(option->value);
    if (!value) throw InputError(fmt::format("gap_fit command line: {}: expected T or F", option_text(*option)));
    return *value;
  }

  void write_terms() {
    const std::string gap = take("gap")->value.value_or("");
    int written = 0;
    for (const std::string& parts : split_outside_braces(gap, ':'))
      for (const std::string& part : split_outside_braces(parts, ';'))
        if (!part.empty() && write_gap_fit_term(part, terms_, elements_)) ++written;
    if (written > 0) return;
    std::vector<std::string> reasons;
    for (const std::string& line : terms_.unsupported)
      if (!line.ends_with(gap_fit_term_left_out)) reasons.push_back(line);
    throw InputError(fmt::format("gap_fit command line: no descriptor in gap={{…}} is supported: {}",
                                 reasons.empty() ? "it is empty" : fmt::format("{}", fmt::join(reasons, "; "))));
  }

  /// Key of a property: written if the data have it, or if they cannot be read and it is no default. Returns true if gap_fit would fit
  /// the property.
  bool write_key(const char* key, const char* argument, const std::string& name) {
    const bool is_given = options_.count(argument) > 0, is_there = !data_ || data_->has(name);
    if (is_there && (data_ || is_given || std::string(key) == "forces_key")) main_.line(key, toml_text(name));
    if (!is_there) note_absent(argument, name);
    return is_there;
  }

  void note_absent(const char* argument, const std::string& name) {
    main_.note({argument, name}, fmt::format("no frame of '{}' has it; gap_fit would not fit it either", result_.train));
  }

  std::string named(const char* argument, const std::string& otherwise) const {
    const auto found = options_.find(argument);
    return names_.prefix + (found != options_.end() && found->second.value ? *found->second.value : otherwise);
  }

  /// gap_fit's default names; without them gapkit would also find other names.
  void read_names() {
    names_.prefix = take_text("parameter_name_prefix", "");
    names_.energy = named("energy_parameter_name", "energy");
    names_.forces = named("force_parameter_name", "force");
    names_.virial = named("virial_parameter_name", "virial");
    names_.stress = named("stress_parameter_name", "stress");
    names_.config_type = named("config_type_parameter_name", "config_type");
    names_.force_mask = named("force_mask_parameter_name", "force_mask");
  }

  void write_data() {
    main_.header("[data]");
    result_.train = take_text("at_file", "");
    read_names();
    data_ = look_into_gap_fit_data(folder_ / result_.train, {names_.energy, names_.config_type, terms_.largest_cutoff});
    main_.line("train", "[" + toml_text(result_.train) + "]");
    main_.line("energy_key", toml_text(names_.energy));
    if (data_ && !data_->has(names_.energy)) note_absent("energy_parameter_name", names_.energy);
    const bool has_forces = write_key("forces_key", "force_parameter_name", names_.forces);
    const bool has_virial = write_key("virial_key", "virial_parameter_name", names_.virial);
    const bool has_stress = write_key("stress_key", "stress_parameter_name", names_.stress);
    main_.line("config_type_key", toml_text(names_.config_type));
    main_.line("force_mask_key", toml_text(names_.force_mask));
    check_sigma_name();
    check_absent("hessian_parameter_name", "n_" + named("hessian_parameter_name", "hessian"), "Hessians");
    check_absent("local_property_parameter_name", named("local_property_parameter_name", "local_property"), "local properties");
    for (const char* key : {"energy_parameter_name", "force_parameter_name", "virial_parameter_name", "stress_parameter_name",
                            "config_type_parameter_name", "force_mask_parameter_name"})
      take(key);
    sigmas_.emplace(*take("default_sigma"), take("config_type_sigma"));
    if (data_) sigmas_->look_at(*data_, {{{names_.energy}, {names_.forces}, {names_.virial, names_.stress}}});
    sigmas_->write_use({!data_ || data_->has(names_.energy) || !has_forces, has_forces, has_virial || has_stress}, main_);
  }

  /// Properties that gap_fit fits where the data have them, and gapkit does not.
  void check_absent(const char* argument, const std::string& key, const char* what) {
    const auto option = take(argument);
    if (data_ && data_->has(key))
      main_.refuse(option.value_or(QuipOption{argument, key}), fmt::format("the data have '{}', and gapkit fits no {}", key, what));
    else if (option)
      main_.note(*option, fmt::format("gapkit fits no {}", what));
  }

  /// gapkit reads energy_sigma and the like. Other names matter if the data have sigma under one of the two.
  void check_sigma_name() {
    const auto option = take("sigma_parameter_name");
    const std::string name = names_.prefix + (option && option->value ? *option->value : "sigma");
    if (name == "sigma") return;
    const QuipOption shown = option.value_or(QuipOption{"parameter_name_prefix", names_.prefix});
    bool is_there = !data_;
    for (const char* beginning : {"energy_", "force_", "force_atom_", "force_component_", "virial_", "virial_component_"})
      for (const std::string& ending : {name, std::string("sigma")}) is_there = is_there || data_->has(beginning + ending);
    if (is_there)
      main_.refuse(shown, fmt::format("gap_fit reads energy_{} and the like, gapkit energy_sigma; rename the keys in the data", name));
    else
      main_.note(shown, fmt::format("the data have neither energy_{} nor energy_sigma, nor the like", name));
  }

  void write_reference_energies() {
    const auto core = options_.find("core_ip_args");
    const bool has_core = core != options_.end() && !core->second.value.value_or("").empty();
    write_gap_fit_energies({take("e0"), take("e0_method"), take("e0_offset"), has_core}, data_, result_.train,
                           std::set<int>(elements_.begin(), elements_.end()), main_);
  }

  void write_sigmas() {
    std::optional<bool> per_atom;
    if (options_.count("sigma_per_atom")) per_atom = take_logical("sigma_per_atom", true);
    sigmas_->write(per_atom, main_);
  }

  void write_rest() {
    main_.header("[solver]");
    const auto jitter = take("sparse_jitter");
    const auto value = jitter ? quip_number(jitter->value.value_or("")) : 1e-10;
    if (!value || *value < 0)
      throw InputError(fmt::format("gap_fit command line: {}: expected a number of at least 0", option_text(*jitter)));
    main_.line("jitter_absolute", toml_real(*value));

    main_.header("[output]");
    result_.gap_file = take_text("gp_file", "gap_new.xml");
    main_.line("model", toml_text(model_beside(result_.gap_file)));
    read_output_options();
    if (const auto seed = take("rnd_seed")) {
      const auto number = quip_integer(seed->value.value_or(""));
      const bool is_variable = seed->value.value_or("").find('$') != std::string::npos;
      if (!number && !is_variable) main_.refuse(*seed, "expected an integer");
      if (number && *number >= 0) {
        main_.header("[run]");
        main_.line("seed", std::to_string(*number));
        main_.note(*seed, "the same seed does not choose the same sparse points in both programs");
      } else if (number) {
        main_.note(*seed, "gap_fit takes a seed of its own; gapkit's default is 0");
      }
    }
    write_core();
    for (const auto& [key, reason] : gap_fit_without_effect)
      if (const auto option = take(key)) main_.note(*option, reason);
    for (const auto& [key, only] : gap_fit_only_at)
      if (const auto option = take(key)) {
        const bool is_same = quip_logical(std::string(only.value)) ? quip_logical(option->value) == quip_logical(std::string(only.value))
                                                                   : option->value == only.value;
        if (!is_same) main_.refuse(*option, only.reason);
      }
  }

  /// They stay among the options, which write notes of them.
  void read_output_options() {
    for (const auto& [key, value] : {std::pair{"do_copy_at_file", &result_.copies_data},
                                     {"sparse_separate_file", &result_.has_separate_points},
                                     {"dryrun", &result_.is_dry_run}})
      if (const auto found = options_.find(key); found != options_.end()) {
        const QuipOption option = found->second;
        *value = take_logical(key, *value);
        options_.emplace(key, option);
      }
  }

  /// The potential that gap_fit subtracts from the data: a Glue of pairs is a pair_spline.
  void write_core() {
    const auto core = take("core_ip_args");
    if (!core || core->value.value_or("").empty()) return;
    const auto file = take("core_param_file");
    const auto words = parse_quip_options(*core->value, "gap_fit command line: core_ip_args");
    const bool is_glue = words.size() >= 2 && words[0].key == "IP" && words[1].key == "Glue" && !words[0].value && !words[1].value &&
                         std::all_of(words.begin() + 2, words.end(), [](const QuipOption& word) { return word.key == "label"; });
    if (!is_glue || !file) {
      main_.refuse(*core, is_glue ? "core_param_file is missing"
                                  : "gapkit has zbl and pair_spline as [[baseline]]; of QUIP's potentials it "
                                    "reads 'IP Glue' (pair energies only)");
      return;
    }
    try {
      const std::string tables = pair_tables_text(read_glue_file(folder_ / file->value.value_or("")));
      main_.header("[[baseline]]");
      main_.line("kind", "\"pair_spline\"");
      main_.line("table", "\"\"\"\n" + tables + "\"\"\"");
    } catch (const InputError& error) {
      main_.refuse(*core, fmt::format("no baseline is written: {}", error.what()));
    }
  }

  GapFitTranslation assembled() {
    GapFitTranslation& result = result_;
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
    return std::move(result);
  }

  std::filesystem::path folder_;
  GapFitTranslation result_;
  Names names_;
  std::optional<GapFitData> data_;  ///< if the data can be read
  std::optional<GapFitSigmas> sigmas_;
  std::map<std::string, QuipOption> options_;
  GapFitLines main_, terms_;
  std::vector<int> elements_;
};

}  // namespace

GapFitTranslation translate_gap_fit(const std::string& command, const std::filesystem::path& folder) {
  return Translator(gap_fit_arguments(command), folder).translate();
}

GapFitTranslation translate_gap_fit_words(const std::vector<std::string>& words, const std::filesystem::path& folder) {
  return Translator(joined(words), folder).translate();
}

GapFitTranslation translate_gap_fit_file(const std::filesystem::path& path) {
  return translate_gap_fit(text_of_file(path, "--from-gap-fit"));
}

}  // namespace gapkit
