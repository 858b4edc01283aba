#include <fmt/format.h>

#include <gapkit/config/config.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/frames.hpp>
#include <gapkit/predict/predictor.hpp>
#include <gapkit/report/error_table.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/check_report.hpp"
#include "common/fit_report.hpp"
#include "common/interruption.hpp"
#include "common/progress_display.hpp"
#include "common/resources.hpp"
#include "common/run_main.hpp"
#include "common/target_keys.hpp"
#include "common/text_file.hpp"

namespace {

using namespace gapkit;

struct Arguments {
  std::string file;
  std::vector<std::string> train, validation;
  std::optional<std::string> model, json;
  bool check = false, dry_run = false;
  std::optional<std::int64_t> seed;
  std::optional<int> threads;
  std::optional<double> memory;
  double checkpoint_interval = 60;
};

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", fmt::format("gap-fit {}", version));
  app.add_option("FILE", arguments.file, "Configuration, TOML (docs/configuration.md)")->required();
  app.add_option("--train", arguments.train, "Training data, extended XYZ; replaces data.train of the configuration")->type_name("FILE...");
  app.add_option("--validation", arguments.validation,
                 "Data for a second error table, never fitted; replaces data.validation of the configuration")
      ->type_name("FILE...");
  app.add_option("-o,--output", arguments.model, "Model file to write, HDF5 (default: output.model of the configuration)")
      ->type_name("MODEL");
  app.add_flag("--check", arguments.check,
               "Examine data and configuration and report what looks wrong (docs/checks.md); fit nothing; exit code 2 if there are errors");
  app.add_flag("--dry-run", arguments.dry_run,
               "Read the data and tell what the fit would take, in GB and seconds; fit nothing, write no model");
  app.add_option("--json", arguments.json,
                 "Write error tables and facts of the fit (of the plan with --dry-run, of the findings with --check) as JSON")
      ->type_name("FILE");
  app.add_option("--seed", arguments.seed, "Seed of all random choices (default: that of the configuration, 0)")
      ->type_name("N")
      ->check(CLI::Validator(CLI::NonNegativeNumber).description(""));
  app.add_option("--threads", arguments.threads, "Threads (default: OMP_NUM_THREADS, or all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""));
  app.add_option("--memory", arguments.memory, "GB; a fit that needs more is refused (default: that of the configuration, 4)")
      ->type_name("GB")
      ->check(CLI::Validator(CLI::PositiveNumber).description(""));
  app.add_option(
         "--checkpoint-interval", arguments.checkpoint_interval,
         "Seconds between saves of the state to MODEL.checkpoint; after a kill, Ctrl-C or SIGTERM the same command continues from it")
      ->type_name("SECONDS")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.footer("Units: eV, Å, eV/Å; virial in eV (-stress * volume). Exit codes: 0 good, 1 bug, 2 bad input, 3 numerical failure.");
}

FitOptions options_from(const Arguments& arguments) {
  const std::string extension = std::filesystem::path(arguments.file).extension().string();
  if (extension == ".xyz" || extension == ".extxyz")
    throw InputError(
        fmt::format("{}: fitting data without a configuration is not available in this version; write a configuration with "
                    "data.train = [\"{}\"] (see docs/configuration.md)",
                    arguments.file, arguments.file));
  FitOptions options = read_fit_options(arguments.file, {arguments.train, arguments.validation});
  if (arguments.model) options.model_path = *arguments.model;
  if (arguments.seed) options.seed = static_cast<std::uint64_t>(*arguments.seed);
  if (arguments.memory) options.memory = *arguments.memory;
  options.resolved = fit_options_to_toml(options);
  options.checkpoint_path = options.model_path + ".checkpoint";
  options.checkpoint_interval = arguments.checkpoint_interval;
  return options;
}

/// Before the work begins: outputs can be written, and none of them is an input.
void check_outputs(const Arguments& arguments, const FitOptions& options) {
  std::vector<std::pair<std::string, std::string>> outputs;
  if (!arguments.dry_run && !arguments.check) outputs.emplace_back(arguments.model ? "-o" : "output.model", options.model_path);
  if (arguments.json) outputs.emplace_back("--json", *arguments.json);
  for (const auto& [option, path] : outputs) {
    apps::check_can_be_written(path, option);
    apps::check_differs(path, option, arguments.file);
    for (const auto* files : {&options.train, &options.validation})
      for (const std::string& file : *files) apps::check_differs(path, option, file);
  }
}

ErrorTable errors_of(const std::shared_ptr<const Model>& model, const std::vector<std::string>& files, const TargetKeys& keys,
                     const std::string& phase, std::int64_t total, apps::ProgressDisplay& display) {
  ErrorTable table;
  Predictor predictor(model);
  for_each_frame(files, keys, nullptr, [&](const Structure& frame, std::int64_t number) {
    const Prediction prediction = predictor.compute(frame);
    std::optional<Voigt> stress;
    if (frame.volume() > 0) stress = stress_of(prediction.virial.value(), frame.volume());
    table.add(frame, prediction.energy, &prediction.forces.value(), stress ? &*stress : nullptr);
    display.show({phase, static_cast<double>(number + 1), static_cast<double>(total), "frames", "", false});
  });
  display.finish();
  return table;
}

void write_json(const std::string& path, const nlohmann::ordered_json& json) {
  apps::write_text_file(path, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

bool has_checkpoint(const FitOptions& options) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(options.checkpoint_path, ignored);
}

void run(const Arguments& arguments) {
  const apps::Stopwatch stopwatch;
  if (arguments.threads) set_thread_count(*arguments.threads);
  const FitOptions options = options_from(arguments);
  check_outputs(arguments, options);
  apps::ProgressDisplay display("gap-fit");

  if (arguments.check) {
    const CheckReport report = check_training_data(options, display.callback());
    display.finish();
    std::cout << apps::check_text(report, options) << std::flush;
    if (arguments.json) write_json(*arguments.json, apps::check_json(report, options));
    if (report.errors > 0)
      throw InputError(fmt::format("{}: {} error{} in data and configuration, listed on stdout", arguments.file, report.errors,
                                   report.errors == 1 ? "" : "s"));
    return;
  }
  if (arguments.dry_run) {
    const FitPlan plan = plan_fit(options, display.callback());
    display.finish();
    std::cout << apps::plan_text(plan, options);
    if (arguments.json) write_json(*arguments.json, apps::plan_json(plan, options));
    return;
  }

  FitResult result = [&] {
    apps::catch_signals();
    try {
      return fit(options, apps::interruptible(display.callback()));
    } catch (const Interrupted& e) {
      display.finish();
      const bool is_saved = has_checkpoint(options);
      throw Interrupted(fmt::format("{}; {}", e.what(),
                                    is_saved ? fmt::format("the same command continues from {}", options.checkpoint_path)
                                             : "nothing had to be saved yet, the same command starts anew"));
    }
  }();
  display.finish();
  const auto model = std::make_shared<Model>(std::move(result.model));
  const ErrorTable training = errors_of(model, options.train, options.keys, "training errors", result.report.plan.frames, display);
  const ErrorTable validation = errors_of(model, options.validation, options.keys, "validation errors", 0, display);
  model->notes["training_errors"] = training.json();
  if (!validation.empty()) model->notes["validation_errors"] = validation.json();
  model->notes[apps::target_keys_note] = apps::target_keys_to_json(options.keys);
  save_model(*model, options.model_path);
  std::error_code ignored;  // the model is safe; what is left of the checkpoint does no harm
  if (has_checkpoint(options)) std::filesystem::remove(options.checkpoint_path, ignored);

  const apps::FitSummary summary{options, result.report, training, validation, model->reference_energies, stopwatch.seconds()};
  std::cout << apps::summary_text(summary) << std::flush;
  if (arguments.json) write_json(*arguments.json, apps::summary_json(summary));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Fits a Gaussian Approximation Potential to energies, forces and virials.", "gap-fit");
  Arguments arguments;
  describe(app, arguments);
  return gapkit::apps::run_main(app, argc, argv, [&] { run(arguments); });
}
