#include <fmt/format.h>

#include <gapkit/active/process.hpp>
#include <gapkit/convert/gap_fit_command.hpp>
#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/convert/input_nn.hpp>
#include <gapkit/convert/kim_model.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/model/tensor_model.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <iostream>

#include "common/run_main.hpp"
#include "common/text_file.hpp"

namespace {

using namespace gapkit;

struct Arguments {
  std::string input, output, command;
  std::vector<std::string> species, kim;
  bool short_range = false;
};

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", fmt::format("gap-convert {}", version));
  app.add_option("IN", arguments.input,
                 "Input: a GAP potential of QUIP (.xml), a model of gap-fit (.h5), or settings of n2p2 or RuNNer (input.nn)");
  app.add_option("OUT", arguments.output,
                 "Output: a model (.h5) from .xml; a potential for QUIP (.xml, with its files of sparse points) from .h5; a configuration "
                 "(.toml) from .nn, or none: it is printed");
  app.add_option("--from-gap-fit", arguments.command,
                 "Print the configuration (TOML) that does the same as a gap_fit command line: the command line in quotes, or a file (a "
                 "script too) that contains it")
      ->type_name("COMMAND|FILE");
  app.add_option(
         "--kim", arguments.kim,
         "Write IN as the portable model NAME of the KIM API into the folder DIR, for LAMMPS, ASE and other programs (docs/kim.md); "
         "the output says how to install it")
      ->type_size(2)
      ->expected(1)
      ->allow_extra_args(false)
      ->type_name("NAME DIR");
  app.add_flag(
      "--short-range", arguments.short_range,
      "Write the model IN (.h5) without its parts of the whole cell ([[long_range]]) as the model OUT (.h5), for a program that adds "
      "them itself, such as LAMMPS with kspace_style (docs/lammps.md)");
  app.add_option("--species", arguments.species, "Element of a potential without species (old potentials of one element)")
      ->type_name("ELEMENT");
  app.footer(
      "Examples:\n"
      "  gap-convert silicon.xml silicon.h5\n"
      "  gap-convert silicon.h5 silicon.xml\n"
      "  gap-convert silicon.h5 --kim Silicon kim-silicon\n"
      "  gap-convert input.nn water.toml\n"
      "  gap-convert nacl.h5 nacl-short.h5 --short-range\n"
      "  gap-convert --from-gap-fit 'at_file=train.xyz gap={soap l_max=8 n_max=8 atom_sigma=0.5 zeta=4 cutoff=5.0\n"
      "    delta=1.0 n_sparse=500 covariance_type=dot_product sparse_method=cur_points} default_sigma={0.002 0.1 0.1 0}' > fit.toml\n"
      "\n"
      "If a part cannot be converted, the message names it and no file is written. docs/from-gap-fit.md lists the supported parts.\n"
      "Exit codes: 0 good, 1 bug, 2 bad input, 3 numerical failure.");
}

void print_notes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) std::cerr << "gap-convert: note: " << note << "\n";
}

Model import_xml(const Arguments& arguments) {
  GapXmlOptions options;
  for (const std::string& symbol : arguments.species) options.species.push_back(atomic_number(symbol));
  GapXmlImport imported = read_gap_xml(arguments.input, options);
  print_notes(imported.notes);
  return std::move(imported.model);
}

std::string extension(const std::string& file) {
  std::string text = std::filesystem::path(file).extension().string();
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Symmetry functions of n2p2 or RuNNer as a configuration.
void convert_settings(const Arguments& arguments) {
  if (!arguments.species.empty()) throw InputError("--species is for potentials of QUIP (.xml) as input");
  if (!arguments.output.empty()) {
    if (extension(arguments.output) != ".toml")
      throw InputError(
          fmt::format("{} → {}: settings of n2p2 become a configuration, a file with the name …toml", arguments.input, arguments.output));
    apps::check_can_be_replaced(arguments.output, "OUT");
  }
  const InputNnTranslation translation = translate_input_nn(arguments.input);
  for (const std::string& keyword : translation.unknown) std::cerr << "gap-convert: warning: unknown keyword: " << keyword << "\n";
  print_notes(translation.notes);
  if (arguments.output.empty())
    std::cout << translation.toml << std::flush;
  else
    apps::write_text_file(arguments.output, translation.toml);
}

void convert_files(const Arguments& arguments) {
  const std::string from = extension(arguments.input), to = extension(arguments.output);
  const bool imports = from == ".xml" && (to == ".h5" || to == ".hdf5"), exports = (from == ".h5" || from == ".hdf5") && to == ".xml";
  if (!imports && !exports)
    throw InputError(
        fmt::format("{} → {}: only .xml → .h5, .h5 → .xml and .nn → .toml can be converted", arguments.input, arguments.output));
  apps::check_can_be_replaced(arguments.output, "OUT");
  apps::check_differs(arguments.output, "OUT", arguments.input);
  if (exports) {
    if (!arguments.species.empty()) throw InputError("--species is for potentials of QUIP (.xml) as input");
    print_notes(write_gap_xml(load_model(arguments.input), arguments.output));
    return;
  }
  save_model(import_xml(arguments), arguments.output);
}

/// The model without the parts of the whole cell.
void write_short_range(const Arguments& arguments) {
  if (!arguments.species.empty()) throw InputError("--species is for potentials of QUIP (.xml) as input");
  if (const std::string to = extension(arguments.output); to != ".h5" && to != ".hdf5")
    throw InputError(fmt::format("{}: --short-range writes a model, expected a name that ends in .h5", arguments.output));
  apps::check_can_be_replaced(arguments.output, "OUT");
  apps::check_differs(arguments.output, "OUT", arguments.input);
  Model model = load_model(arguments.input);
  std::string left_out;
  for (const PotentialPointer& part : model.baselines)
    if (part->needs_structure()) {
      if (const FieldDependence* dependence = field_dependence(*part))
        throw InputError(
            fmt::format("{}: --short-range: no other program can add the part '{}', which depends on the property '{}' that the model has "
                        "learned; use the model in ASE, i-PI or gap-active, or fit fixed charges or volumes of the elements",
                        arguments.input, part->name(), dependence->property()));
      left_out += (left_out.empty() ? "" : " and ") + part->name();
      if (part->name() == "coulomb") left_out += fmt::format(" (charges {})", part->parameters().text("charges"));
    }
  if (left_out.empty()) throw InputError(fmt::format("{}: --short-range: the model has no [[long_range]] to leave out", arguments.input));
  std::erase_if(model.baselines, [](const PotentialPointer& part) { return part->needs_structure(); });
  for (const char* of_whole : {"training_errors", "validation_errors"}) model.notes.erase(of_whole);
  model.notes["short_range_of"] = left_out;
  save_model(model, arguments.output);
  std::cout << fmt::format("{}: the short range alone. Its energies are not those of the model: the program that uses it has to add {}\n",
                           arguments.output, left_out)
            << std::flush;
}

/// The command that installs an item; a prefix that cmake does not search is named.
std::string install_command(const std::filesystem::path& prefix, const std::string& folder) {
  const bool is_searched = prefix.empty() || prefix == "/usr" || prefix == "/usr/local";
  return fmt::format("  {}kim-api-collections-management install user {}\n",
                     is_searched ? "" : fmt::format("CMAKE_PREFIX_PATH='{}' ", prefix.string()), folder);
}

void write_kim(const Arguments& arguments) {
  const std::string &name = arguments.kim.at(0), &folder = arguments.kim.at(1);
  const bool imports = is_xml(arguments.input);
  if (!imports && !arguments.species.empty()) throw InputError("--species is for potentials of QUIP (.xml) as input");
  const Model model = imports ? import_xml(arguments) : load_model(arguments.input);
  write_kim_model(model, name, folder);
  for (const FittedProperty& property : model.properties)
    print_notes({fmt::format("programs with a KIM interface do not see the local property '{}': they take energies and forces",
                             property.keys.name)});
  for (const TensorKeys& tensor : tensor_keys(model))
    print_notes({fmt::format("programs with a KIM interface do not see the tensor '{}': they take energies and forces", tensor.name)});
  const std::filesystem::path driver = helper_script("kim"), prefix = driver.parent_path().parent_path().parent_path();
  std::error_code ignored;
  const bool has_headers = std::filesystem::exists(prefix / "include" / "gapkit.h", ignored);  // not in a build folder
  std::cout << fmt::format("{}: the portable model {}. Install it, and once before it the driver of all models of gapkit:\n", folder, name)
            << install_command(has_headers ? prefix : "", driver.string()) << install_command("", folder) << std::flush;
}

void translate(const Arguments& arguments) {
  std::error_code ignored;
  const bool is_file = arguments.command.find('=') == std::string::npos || std::filesystem::is_regular_file(arguments.command, ignored);
  const GapFitTranslation translation = is_file ? translate_gap_fit_file(arguments.command) : translate_gap_fit(arguments.command);
  std::cout << translation.toml << std::flush;
  for (const std::string& line : translation.unsupported) std::cerr << "gap-convert: warning: not supported: " << line << "\n";
  print_notes(translation.notes);
}

void run(const Arguments& arguments) {
  const bool has_files = !arguments.input.empty() || !arguments.output.empty();
  if (!arguments.command.empty() && has_files) throw InputError("--from-gap-fit prints a configuration; it excludes IN and OUT");
  if (!arguments.command.empty() && !arguments.kim.empty()) throw InputError("--from-gap-fit prints a configuration; it excludes --kim");
  if (!arguments.command.empty()) return translate(arguments);
  if (!arguments.kim.empty()) {
    if (arguments.input.empty() || !arguments.output.empty())
      throw InputError("--kim NAME DIR takes the model IN and no OUT: gap-convert model.h5 --kim NAME DIR");
    if (arguments.short_range) throw InputError("--short-range writes a model (.h5) that --kim can take afterwards");
    return write_kim(arguments);
  }
  if (extension(arguments.input) == ".nn") return convert_settings(arguments);
  if (arguments.input.empty() || arguments.output.empty())
    throw InputError("IN and OUT are required (or --kim, --from-gap-fit); see gap-convert --help");
  if (arguments.short_range) return write_short_range(arguments);
  convert_files(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Converts between models of gap-fit and GAP potentials of QUIP, models to KIM models, and gap_fit command lines and settings of "
      "n2p2 to configurations.",
      "gap-convert");
  Arguments arguments;
  describe(app, arguments);
  return gapkit::apps::run_main(app, argc, argv, [&] { run(arguments); });
}
