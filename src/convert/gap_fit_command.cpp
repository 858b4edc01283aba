#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <gapkit/core/elements.hpp>
#include <gapkit/io/extxyz.hpp>
#include <set>
#include <sstream>

#include "convert/gap_fit_known.hpp"
#include "convert/gap_fit_lines.hpp"
#include "convert/gap_fit_script.hpp"
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

class Translator {
 public:
  Translator(const std::string& command, const std::filesystem::path& folder) : folder_(folder) {
    add_options(command, "gap_fit command line");
    if (const auto file = take("config_file")) {
      const std::filesystem::path path = folder / file->value.value_or("");
      add_options(text_of_file(path, "config_file"), path.string());
    }
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
    for (const auto& [key, option] : options_) main_.refuse(option, "an argument that gapkit does not know");
    return assembled();
  }

 private:
  void add_options(const std::string& text, const std::string& where) {
    std::vector<QuipOption> given = parse_quip_options(gap_fit_arguments(text), where);
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

  /// Key of a property: written if the data have it, or if they cannot be read and it is no default. Returns true if gap_fit would fit
  /// the property.
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
    // gap_fit's default names; without them gapkit would also find other names.
    const bool has_forces = write_key("forces_key", "force_parameter_name", "force", prefix);
    const bool has_virial = write_key("virial_key", "virial_parameter_name", "virial", prefix);
    const bool has_stress = write_key("stress_key", "stress_parameter_name", "stress", prefix);
    const bool has[] = {true, has_forces, has_virial || has_stress};
    main_.line("config_type_key", toml_text(take_text("config_type_parameter_name", "config_type")));
    main_.line("force_mask_key", toml_text(take_text("force_mask_parameter_name", "force_mask")));
    const auto sigma = take("default_sigma");
    default_sigma_ = take_numbers(*sigma, 4);
    read_config_type_sigmas();
    if (const auto other = type_sigma_.find("default"); other != type_sigma_.end()) {
      main_.note(*sigma, "config_type_sigma names 'default', which replaces it");
      default_sigma_ = other->second;
      type_sigma_.erase(other);
    }
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
    const std::vector<std::string> words = gap_fit_list(e0.value.value_or(""));
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
    for (const auto& [type, sigma] : type_sigma_) {
      main_.header(fmt::format("[regularization.config_type.{}]", toml_name(type)));
      write_sigma_lines(sigma, {"config_type_sigma " + type, fmt::format("{}", fmt::join(sigma, ":"))});
    }
  }

  void read_config_type_sigmas() {
    const auto types = take("config_type_sigma");
    if (!types) return;
    const std::vector<std::string> words = gap_fit_list(types->value.value_or(""));
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
      if (!type_sigma_.emplace(words[i], sigma).second)
        throw InputError(fmt::format("gap_fit command line: config_type_sigma names '{}' twice", words[i]));
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

  /// Names in the training data, if these can be read.
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
  std::map<std::string, std::vector<double>> type_sigma_;
};

}  // namespace

GapFitTranslation translate_gap_fit(const std::string& command, const std::filesystem::path& folder) {
  return Translator(command, folder).translate();
}

GapFitTranslation translate_gap_fit_file(const std::filesystem::path& path) {
  return translate_gap_fit(text_of_file(path, "--from-gap-fit"));
}

}  // namespace gapkit
