// The program gap_fit of QUIP's users: its arguments, its files, gapkit's fit.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gapkit/config/config.hpp>
#include <gapkit/convert/gap_fit_command.hpp>
#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/io/md5.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/report/fitted_with_errors.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/fit_report.hpp"
#include "common/fitted_file.hpp"
#include "common/interruptible_fit.hpp"
#include "common/launcher.hpp"
#include "common/resources.hpp"
#include "common/run_main.hpp"
#include "common/text_file.hpp"
#include "common/threads.hpp"

namespace {

using namespace gapkit;

struct Arguments {
  std::vector<std::string> words;
  std::optional<int> threads;
  std::optional<double> memory;  // GB
  std::optional<std::string> json;
};

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", fmt::format("gap_fit {}", version));
  app.add_option(
      "ARGUMENT", arguments.words,
      "Arguments of gap_fit, KEY=VALUE: at_file, gap and default_sigma are required; docs/from-gap-fit.md lists all, with their defaults");
  apps::add_threads_option(app, arguments.threads);
  app.add_option(
         "--memory", arguments.memory,
         "Memory limit in GB, or such as 500MB; a fit that needs more is refused (default: 90 % of the memory of the machine, or of the "
         "limit of its control groups)")
      ->type_name("GB")
      ->transform(apps::memory_in_gb("--memory"));
  app.add_option("--json", arguments.json, "Write error tables and facts of the fit as JSON")->type_name("FILE");
  app.footer(
      "Arguments: at_file, gp_file (gap_new.xml), gap, default_sigma, config_type_sigma, sigma_per_atom (T), e0, e0_method (isolated),\n"
      "e0_offset (0), sparse_jitter (1e-10), energy_parameter_name (energy), force_parameter_name (force), virial_parameter_name "
      "(virial),\n"
      "stress_parameter_name (stress), config_type_parameter_name (config_type), parameter_name_prefix, do_copy_at_file (T),\n"
      "sparse_separate_file (T), rnd_seed, core_ip_args, core_param_file, config_file, dryrun (F) and others, with their other names.\n"
      "\n"
      "Files: GP_FILE and its GP_FILE.sparseX.LABELn for QUIP; beside them the model with error bars for gapkit, GP_FILE with the ending\n"
      ".h5. An argument that would change the fit and has no counterpart stops the program before anything is computed.\n"
      "\n"
      "Examples:\n"
      "  gap_fit at_file=train.xyz gp_file=silicon.xml default_sigma={0.002 0.1 0.1 0.0} force_parameter_name=forces \\\n"
      "    gap={soap l_max=8 n_max=8 atom_sigma=0.5 zeta=4 cutoff=5.0 delta=1.0 n_sparse=500 covariance_type=dot_product \\\n"
      "    sparse_method=cur_points}\n"
      "  gap-convert --from-gap-fit 'at_file=train.xyz gap={…} default_sigma={…}'       # the same as a configuration\n"
      "\n"
      "Exit codes: 0 good, 1 bug, 2 bad input, 3 numerical failure.");
}

/// The options of this program first and the words of gap_fit behind "--", which may begin with a sign: e0={Si: -1.0}.
std::vector<std::string> sorted_words(int argc, char** argv) {
  std::vector<std::string> options, words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") {
      words.insert(words.end(), argv + i + 1, argv + argc);
      break;
    }
    const bool is_option = word.size() > 2 && word.starts_with("--") && std::isalpha(static_cast<unsigned char>(word[2])) != 0;
    (is_option || word == "-h" ? options : words).push_back(word);
    const bool has_value = word == "--threads" || word == "--memory" || word == "--json";
    if (has_value && i + 1 < argc) options.emplace_back(argv[++i]);
  }
  options.emplace_back("--");
  options.insert(options.end(), words.begin(), words.end());
  return options;
}

/// Reasons of a translation without the substitutes that it wrote: they count for a configuration only.
std::vector<std::string> without_substitutes(const std::vector<std::string>& lines) {
  std::vector<std::string> reasons;
  for (const std::string& line : lines) {
    if (line.ends_with("the whole term is left out")) continue;
    const std::size_t end = line.rfind("; ");
    const bool has_substitute = end != std::string::npos && line.find("is written instead", end) != std::string::npos;
    reasons.push_back(has_substitute ? line.substr(0, end) : line);
  }
  return reasons;
}

GapFitTranslation translated(const Arguments& arguments, apps::ProgressDisplay& display) {
  const GapFitTranslation translation = translate_gap_fit_words(arguments.words);
  if (!translation.unsupported.empty())
    throw InputError(
        fmt::format("not supported, so nothing was computed: {}", fmt::join(without_substitutes(translation.unsupported), "; ")));
  for (const std::string& note : translation.notes) display.message("note: " + note);
  return translation;
}

void check_training_file(const std::string& path) {
  const auto fail = [&](const std::string& reason) { throw InputError(fmt::format("at_file {}: {}", path, reason)); };
  if (path.empty()) throw InputError("at_file: the file name is empty");
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail("this is a folder; expected a file in extended XYZ");
  if (!std::ifstream(path)) fail(fmt::format("the file cannot be read: {}", std::strerror(errno)));
}

FitConfiguration options_of(const GapFitTranslation& translation, const Arguments& arguments) {
  FitConfiguration options = parse_fit_options(translation.toml, "gap_fit command line as a configuration", ".");
  options.checkpoint_path = options.model_path + ".checkpoint";
  options.memory = arguments.memory.value_or(std::min(std::max(std::floor(0.9 * apps::machine_memory_gb()), 1.0), 1e6));
  return options;
}

/// An XML name that other fits do not have, so that a potential and its files stay together until the new XML replaces the old one.
std::string label_of(const Model& model, const std::string& command_line) {
  const auto bytes = [](const auto& numbers) {
    return std::string_view(reinterpret_cast<const char*>(numbers.data()), sizeof(double) * static_cast<std::size_t>(numbers.size()));
  };
  std::string all = command_line;
  all += bytes(model.weights);
  for (const Term& term : model.terms) all += bytes(term.sparse.x);
  return "GAP_" + md5_of(all).substr(0, 16) + "_";
}

void check_outputs(const GapFitTranslation& translation, const FitConfiguration& options, const Arguments& arguments) {
  const std::string& xml = translation.gap_file;
  check_gap_xml_name(xml);
  std::vector<std::pair<std::string, std::string>> outputs = {{"gp_file", xml}, {"the model beside gp_file", options.model_path}};
  if (translation.has_separate_points)
    outputs.emplace_back("the sparse points of gp_file", xml + ".sparseX.GAP_" + std::string(16, '0') + "_100");
  for (const auto& [option, path] : outputs) apps::check_can_be_replaced(path, option);
  if (arguments.json) {
    if (*arguments.json == "--") throw InputError("--json: a file name must follow, or - for stdout");  // what separates the options
    apps::check_text_output(*arguments.json, "--json");
    outputs.emplace_back("--json", *arguments.json);
  }
  apps::check_distinct(outputs);
  for (const auto& [option, path] : outputs)
    for (const std::string& file : options.train) apps::check_differs(path, option, file);
}

void fit(const GapFitTranslation& translation, const FitConfiguration& options, const Arguments& arguments, const Stopwatch& stopwatch,
         apps::ProgressDisplay& display) {
  const FitFiles files(options.train, options.validation, options.used_keys());
  if (translation.is_dry_run) {
    const FitPlan plan = plan_fit(files.data(), options, display.callback());
    display.finish();
    std::cout << apps::plan_text(plan, options);
    if (arguments.json) apps::write_text_file(*arguments.json, apps::plan_json(plan, options).dump(2) + "\n");
    return;
  }
  FitResult result = apps::fit_interruptibly(files.data(), options, display);
  const FittedWithErrors fitted(files.data(), options.used_keys(), result, false, display.callback());
  display.finish();
  fitted.model->notes["gap_fit_command_line"] = translation.command_line;
  apps::save_fitted(*fitted.model, result, options);
  const GapXmlOutput output{label_of(*fitted.model, translation.command_line), translation.command_line,
                            translation.copies_data ? translation.train : "", translation.has_separate_points};
  for (const std::string& note : write_gap_xml(*fitted.model, translation.gap_file, output)) display.message("note: " + note);
  const apps::FitSummary summary{
      options, result.report, fitted.training, fitted.validation, *fitted.model, 0, stopwatch.seconds(), display.warnings(), {}};
  std::cout << apps::summary_text(summary) << "Potential: " << translation.gap_file << "\n" << std::flush;
  if (arguments.json) apps::write_text_file(*arguments.json, apps::summary_json(summary).dump(2) + "\n");
}

void run(const Arguments& arguments) {
  const Stopwatch stopwatch;
  if (arguments.threads) apps::choose_threads(arguments.threads);
  apps::ProgressDisplay display("gap_fit", std::cout, ::isatty(STDOUT_FILENO) == 1);
  const std::optional<apps::Rank> rank = apps::rank_of_launcher();
  if (rank && rank->rank > 0) {
    display.message(fmt::format("rank {} ends: gapkit fits in rank 0, with threads", rank->rank));
    return;
  }
  display.begin_with(fmt::format("gapkit {}, {} ({})", version, blas_description(), apps::threads_origin()));
  const GapFitTranslation translation = translated(arguments, display);
  check_training_file(translation.train);
  const FitConfiguration options = options_of(translation, arguments);
  if (!translation.is_dry_run) check_outputs(translation, options, arguments);
  if (rank && rank->size.value_or(1) > 1)
    display.message(fmt::format("note: started in {} processes, of which this one fits; give it their cores as threads (OMP_NUM_THREADS)",
                                *rank->size));
  fit(translation, options, arguments, stopwatch, display);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Fits a Gaussian Approximation Potential with the arguments of QUIP's gap_fit, and writes its files.", "gap_fit");
  Arguments arguments;
  describe(app, arguments);
  std::vector<std::string> words = sorted_words(argc, argv);
  std::vector<char*> pointers = {argv[0]};
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return gapkit::apps::run_main(app, static_cast<int>(pointers.size()) - 1, pointers.data(), [&] { run(arguments); });
}
