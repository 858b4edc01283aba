#include <fmt/format.h>

#include <gapkit/config/config.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/report/fitted_with_errors.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/ase_files.hpp"
#include "common/check_report.hpp"
#include "common/data_file.hpp"
#include "common/fit_report.hpp"
#include "common/fit_update.hpp"
#include "common/fitted_file.hpp"
#include "common/html_reports.hpp"
#include "common/interruptible_fit.hpp"
#include "common/long_range_report.hpp"
#include "common/optimization_report.hpp"
#include "common/progress_display.hpp"
#include "common/resources.hpp"
#include "common/run_main.hpp"
#include "common/sample_model.hpp"
#include "common/scan.hpp"
#include "common/target_keys.hpp"
#include "common/text_file.hpp"
#include "common/threads.hpp"
#include "common/timing.hpp"
#include "common/tune.hpp"
#include "processes/processes.hpp"

namespace {

using namespace gapkit;

struct Arguments {
  std::vector<std::string> files;
  std::vector<std::string> train, validation;
  std::optional<std::string> model, json, report;
  bool check = false, dry_run = false, keep_statistics = false, timing = false;
  std::vector<std::string> scan;
  apps::SampleArguments sample;
  std::optional<double> tune;  // s
  std::vector<std::string> keep;
  apps::UpdateArguments update;
  apps::NamedTargets named;
  std::optional<std::int64_t> seed;
  std::optional<int> threads;
  std::optional<double> time, memory;  // s, GB
  double checkpoint_interval = 60;
};

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", fmt::format("gap-fit {}", version));
  app.add_option("FILE", arguments.files,
                 "Configuration, TOML (docs/configuration.md), or training data (extended XYZ or of ASE) to fit without one; with "
                 "--append: new data; with --merge: other models; with --refit: none");
  app.add_option("--train", arguments.train,
                 "Training data (extended XYZ or of ASE) instead of data.train. With --refit, --append and --merge: all earlier data of "
                 "the model, in their order, to calibrate its error bars anew")
      ->type_name("FILE...");
  app.add_option("--validation", arguments.validation, "Data for a second error table, not fitted, instead of data.validation")
      ->type_name("FILE...");
  app.add_option("-o,--output", arguments.model, "Model file to write, HDF5 (default: output.model of the configuration)")
      ->type_name("MODEL");
  app.add_option("--time", arguments.time, "Without a configuration: approximate wall time of the fit, such as 90s, 10m, 2h (default: 10m)")
      ->type_name("TIME")
      ->transform(apps::duration_in_seconds("--time"));
  app.add_flag(
      "--check", arguments.check,
      "Check data and configuration, list errors, warnings and notes (docs/checks.md); do not fit; exit code 2 if there are errors");
  app.add_flag("--dry-run", arguments.dry_run, "Read the data and print the memory (GB) and time (s) that the fit needs; do not fit");
  app.add_option("--json", arguments.json,
                 "Write error tables and facts of the fit (of the plan with --dry-run, of the findings with --check) as JSON")
      ->type_name("FILE");
  app.add_flag(
      "--timing", arguments.timing,
      "Print wall and CPU seconds of each phase, and the speed of its matrix products (GFLOP/s) beside the speed of DGEMM, measured "
      "at the end of the run (0.5 s)");
  app.add_option("--report", arguments.report,
                 "Write a page of figures (HTML, one file, docs/report.md): errors, error bars on the validation data, dimers, sparse set, "
                 "hyperparameters")
      ->type_name("FILE");
  apps::describe_sample(app, arguments.sample);
  app.add_option("--seed", arguments.seed, "Seed of all random choices (default: run.seed of the configuration, 0)")
      ->type_name("N")
      ->check(CLI::Validator(CLI::NonNegativeNumber).description(""));
  apps::add_threads_option(app, arguments.threads);
  app.add_option("--memory", arguments.memory,
                 "Memory limit in GB, or such as 500MB; a fit that needs more is refused (default: run.memory of the configuration, 4)")
      ->type_name("GB")
      ->transform(apps::memory_in_gb("--memory"));
  app.add_option(
         "--checkpoint-interval", arguments.checkpoint_interval,
         "Time between saves of the state to MODEL.checkpoint, in seconds, or such as 10m; after a kill, Ctrl-C or SIGTERM the same "
         "command continues from it")
      ->type_name("TIME")
      ->transform(apps::interval_in_seconds("--checkpoint-interval"))
      ->capture_default_str();
  app.add_flag("--statistics", arguments.keep_statistics,
               "Keep the statistics (sums over the data) in the model file, for --refit, --append and --merge; their size is printed");
  app.add_option(
         "--scan", arguments.scan,
         "Fit once for each value of a key of the configuration (for each combination, if repeated); rank by evidence and fold error; "
         "keep the best model; results go to MODEL.scan.jsonl; combinations with results are skipped")
      ->type_name("KEY=VALUE,VALUE...")
      ->allow_extra_args(false);
  app.add_option(
         "--tune", arguments.tune,
         "Search for the best settings (cutoffs, basis, sparse points, sigma) by errors on left-out folds, then fit with them, within "
         "this time, such as 20m; starts from the configuration, or from the choice for the data. Results go to MODEL.tune.jsonl "
         "(trials with results are not repeated), figures to MODEL.tune.html, the settings to a configuration beside the model")
      ->type_name("TIME")
      ->transform(apps::duration_in_seconds("--tune"));
  app.add_option("--keep", arguments.keep,
                 "Settings that --tune does not change: of all terms (cutoff), of one (term.soap.l_max), n_sparse, sigma")
      ->type_name("KEY...");
  apps::add_target_key_options(app, arguments.named);
  apps::describe_update(app, arguments.update);
  app.footer("Units: eV, Å, eV/Å; virial in eV (-stress * volume). Exit codes: 0 good, 1 bug, 2 bad input, 3 numerical failure.");
}

/// The command line overrides the configuration.
void apply_arguments(const Arguments& arguments, FitConfiguration& options) {
  if (arguments.model) options.model_path = *arguments.model;
  if (arguments.seed) options.seed = static_cast<std::uint64_t>(*arguments.seed);
  if (arguments.memory) options.memory = *arguments.memory;
  if (arguments.keep_statistics) options.keep_statistics = true;
  if (arguments.update.objective) {
    options.optimize.objective = apps::objective_from(*arguments.update.objective, "--optimize");
    if (options.optimize.objective == OptimizeOptions::Objective::cross_validation && options.optimize.folds == 0)
      options.optimize.folds = 5;
  }
  options.checkpoint_path = options.model_path + ".checkpoint";
  options.checkpoint_interval = arguments.checkpoint_interval;
}

FitConfiguration options_from(const Arguments& arguments, const std::vector<ConfigurationOverride>& overrides = {}) {
  const std::string& file = arguments.files.front();
  if (apps::is_data(file)) throw InputError(fmt::format("{}: --scan needs a configuration, found data", file));
  if (arguments.time) throw InputError("--time is for a fit without a configuration (gap-fit train.xyz)");
  FitConfiguration options = read_fit_options(file, {arguments.train, arguments.validation}, overrides);
  arguments.named.apply_to(options.keys);
  apply_arguments(arguments, options);
  return options;
}

/// Path of the chosen configuration: beside the model.
std::string chosen_configuration_path(const FitConfiguration& options) {
  return std::filesystem::path(options.model_path).replace_extension(".toml").string();
}

/// Throws InputError before the work begins if an output cannot be written or is an input.
void check_outputs(const Arguments& arguments, const FitConfiguration& options) {
  std::vector<std::pair<std::string, std::string>> outputs;
  if (!arguments.dry_run && !arguments.check) {
    outputs.emplace_back(arguments.model ? "-o" : "output.model", options.model_path);
    if (!options.sparse_output.empty()) outputs.emplace_back("output.sparse", options.sparse_output + ".points");
  }
  if (arguments.json) outputs.emplace_back("--json", *arguments.json);
  if (arguments.report) outputs.emplace_back("--report", *arguments.report);
  apps::check_distinct(outputs);
  if (!arguments.dry_run && !arguments.check) {
    apps::check_can_be_replaced(options.model_path, outputs.front().first);
    if (!arguments.scan.empty()) apps::check_can_be_replaced(apps::Scan::results_path(options.model_path), "the results of --scan");
    if (arguments.tune) {
      apps::check_can_be_replaced(apps::tune_results_path(options.model_path), "the results of --tune");
      apps::check_can_be_replaced(apps::tune_page_path(options.model_path), "the figures of --tune");
      outputs.emplace_back("the configuration of --tune beside the model (-o)", chosen_configuration_path(options));
    }
  }
  for (const auto& [option, path] : outputs) {
    option == "--json" ? apps::check_text_output(path, option) : apps::check_can_be_written(path, option);
    apps::check_differs(path, option, arguments.files.front());
    for (const auto* files : {&options.train, &options.validation})
      for (const std::string& file : *files) apps::check_differs(path, option, file);
  }
}

/// A fit: options and data.
struct Job {
  FitConfiguration options;
  std::shared_ptr<const FitFiles> files;
  nlohmann::ordered_json tune = {};  // of --tune, for --json
};

/// Chooses options for data without a configuration, shows the reasons, and writes the configuration beside the model.
Job choose_job(const Arguments& arguments, apps::ProgressDisplay& display) {
  AutomaticRequest request;
  request.train = arguments.files;
  request.train.insert(request.train.end(), arguments.train.begin(), arguments.train.end());
  request.validation = arguments.validation;
  if (arguments.time) request.seconds = *arguments.time;
  if (arguments.memory) request.memory = *arguments.memory;
  arguments.named.apply_to(request.keys);
  FitConfiguration outputs;  // checked before the data are read
  if (arguments.model) outputs.model_path = *arguments.model;
  outputs.train = request.train;
  outputs.validation = request.validation;
  check_outputs(arguments, outputs);
  const bool writes = !arguments.check && !arguments.dry_run;
  if (writes) apps::check_can_be_written(chosen_configuration_path(outputs), "the configuration beside the model");
  const auto files = std::make_shared<const FitFiles>(absolute_paths(request.train), absolute_paths(request.validation), request.keys);
  AutomaticChoice choice = choose_fit_options(files->data(), request, display.callback());
  display.finish();
  apply_arguments(arguments, choice.options);
  std::string comments = "# Chosen by gap-fit for these data; paths are absolute.\n";
  for (const std::string& reason : choice.reasons) {
    display.message(reason);
    comments += "# " + reason + "\n";
  }
  if (writes) {
    const std::string path = chosen_configuration_path(choice.options);
    apps::write_text_file(path, comments + "\n" + fit_options_to_toml(choice.options));
    display.message(fmt::format("this choice as a configuration: {}", path));
  }
  return {.options = std::move(choice.options), .files = files};
}

Job job_of(const Arguments& arguments, apps::ProgressDisplay& display) {
  if (apps::is_data(arguments.files.front())) return choose_job(arguments, display);
  Job job{.options = options_from(arguments), .files = nullptr};
  job.files = std::make_shared<const FitFiles>(job.options.train, job.options.validation, job.options.used_keys());
  return job;
}

void run_scan(const Arguments& arguments, apps::ProgressDisplay& display) {
  if (arguments.check || arguments.dry_run) throw InputError("--scan fits: it excludes --check and --dry-run");
  if (arguments.report) throw InputError("--report shows one fit: it excludes --scan");
  apps::Scan scan(arguments.scan);
  // All configurations are read before the first fit: an error in the last one costs no time.
  for (std::size_t i = 0; i < scan.size(); ++i) {
    FitConfiguration options = scan.with_name(i, [&] { return options_from(arguments, scan.overrides(i)); });
    if (options.optimize.folds == 0) options.optimize.folds = 5;
    if (i == 0) check_outputs(arguments, options);
    scan.set_options(i, std::move(options));
  }
  scan.make_comparable();
  scan.read_results();
  for (std::size_t i = 0; i < scan.size(); ++i) {
    if (scan.is_done(i)) continue;
    const Stopwatch stopwatch;
    const FitConfiguration& options = scan.options(i);
    display.message(fmt::format("combination {} of {}: {}", i + 1, scan.size(), scan.name(i)));
    const FitFiles files(options.train, options.validation, options.used_keys());
    FitResult result = scan.with_name(i, [&] { return apps::fit_interruptibly(files.data(), options, display); });
    const FittedWithErrors fitted(files.data(), options.used_keys(), result, false, display.callback());
    display.finish();
    if (scan.is_best(result.report.log_evidence)) apps::save_fitted(*fitted.model, result, options);
    scan.add_result(i, result.report, fitted.validation, stopwatch.seconds());
    std::error_code ignored;
    if (apps::has_checkpoint(options)) std::filesystem::remove(options.checkpoint_path, ignored);
  }
  std::cout << scan.text() << std::flush;
  if (arguments.json) apps::write_json(*arguments.json, scan.json());
}

/// Throws InputError for options that --refit, --append and --merge do not have.
void refuse_fit_options(const Arguments& arguments) {
  const char* wrong = arguments.check           ? "--check"
                      : arguments.dry_run       ? "--dry-run"
                      : arguments.seed          ? "--seed"
                      : arguments.report        ? "--report"
                      : arguments.tune          ? "--tune"
                      : !arguments.scan.empty() ? "--scan"
                                                : nullptr;
  if (wrong) throw InputError(fmt::format("{} belongs to a fit with a configuration, not to --refit, --append or --merge", wrong));
}

/// --check: lists findings; throws InputError if one of them is an error.
void run_check(const Arguments& arguments, const Job& job, apps::ProgressDisplay& display) {
  const CheckReport report = check_training_data(job.files->data(), job.options, display.callback());
  display.finish();
  std::cout << apps::check_text(report, job.options) << std::flush;
  if (arguments.json) apps::write_json(*arguments.json, apps::check_json(report, job.options));
  if (report.errors > 0)
    throw InputError(fmt::format("{}: errors in data and configuration, listed on stdout: {}", arguments.files.front(), report.errors));
}

void print_plan(const Arguments& arguments, const Job& job, apps::ProgressDisplay& display) {
  const FitPlan plan = plan_fit(job.files->data(), job.options, display.callback());
  display.finish();
  std::cout << apps::plan_text(plan, job.options);
  if (arguments.json) apps::write_json(*arguments.json, apps::plan_json(plan, job.options));
}

/// Fits, saves the model and prints the summary.
void run_fit(const Arguments& arguments, const Job& job, const Stopwatch& stopwatch, apps::ProgressDisplay& display) {
  const FitConfiguration& options = job.options;
  FitResult result = apps::fit_interruptibly(job.files->data(), options, display);
  PhaseClock errors_clock;
  const FittedWithErrors fitted(job.files->data(), options.used_keys(), result, arguments.report.has_value(), display.callback());
  display.finish();
  result.report.phases["errors"] = errors_clock.lap();
  apps::save_fitted(*fitted.model, result, options);
  result.report.phases["save"] = errors_clock.lap();
  const auto gain = apps::find_long_range_gain(job.files->data(), options, result, *fitted.model, display);
  const apps::FitSummary summary{options,
                                 result.report,
                                 fitted.training,
                                 fitted.validation,
                                 *fitted.model,
                                 result.statistics ? result.statistics->bytes() : 0.0,
                                 stopwatch.seconds(),
                                 display.warnings(),
                                 gain,
                                 fitted.training_properties,
                                 fitted.validation_properties,
                                 fitted.training_tensors,
                                 fitted.validation_tensors};
  std::cout << apps::summary_text(summary) << std::flush;
  auto json = apps::summary_json(summary);
  if (!job.tune.is_null()) json["tune"] = job.tune;
  if (arguments.timing) {
    const apps::Timing timing(result.report);
    std::cout << timing.text() << std::flush;
    json["timing"] = timing.json();
  }
  if (arguments.json) apps::write_json(*arguments.json, json);
  if (arguments.report) apps::write_fit_report(*arguments.report, {fitted, options, result.report}, stopwatch, display);
}

/// --tune
void run_tune(const Arguments& arguments, const Stopwatch& stopwatch, apps::ProgressDisplay& display) {
  if (arguments.check || arguments.dry_run) throw InputError("--tune fits: it excludes --check and --dry-run");
  if (!arguments.scan.empty() || arguments.time)
    throw InputError(fmt::format("--tune excludes {}", arguments.time ? "--time: it has the time of all" : "--scan"));
  Arguments of_start = arguments;
  const bool is_automatic = apps::is_data(arguments.files.front());
  if (is_automatic) of_start.time = apps::share_of_last_fit * *arguments.tune;
  Job job = job_of(of_start, display);
  check_outputs(arguments, job.options);
  apps::TuneResult found = apps::tune({job.options, *job.files, *arguments.tune, arguments.keep, is_automatic, stopwatch}, display);
  std::cout << found.text << std::flush;
  job.options = std::move(found.options);
  job.tune = std::move(found.json);
  const std::string configuration = chosen_configuration_path(job.options);
  apps::write_text_file(configuration, "# Chosen by gap-fit --tune; paths are absolute.\n\n" + fit_options_to_toml(job.options));
  run_fit(arguments, job, stopwatch, display);
  std::cout << fmt::format("\nSettings: {}\nFigures of the search: {}\n", configuration, found.page) << std::flush;
  if (const double seconds = found.seconds_before + stopwatch.seconds(); seconds > *arguments.tune)
    display.warning(fmt::format("search and fit took {:.0f} s, {:.0f} s were allowed", seconds, *arguments.tune));
}

void run_job(const Arguments& arguments, const Stopwatch& stopwatch, apps::ProgressDisplay& display) {
  if (arguments.files.size() != 1)
    throw InputError(arguments.files.empty()
                         ? std::string("FILE is missing: expected a configuration or data (gap-fit --help)")
                         : fmt::format("expected one FILE, the configuration or data; found a second one, '{}' (--train names more data)",
                                       arguments.files[1]));
  apps::refuse_update_options(arguments.update);
  if (!arguments.scan.empty() && !arguments.tune) return run_scan(arguments, display);
  display.begin_with(fmt::format("gapkit {}, {} ({})", version, blas_description(), apps::threads_origin()));
  if (arguments.tune) return run_tune(arguments, stopwatch, display);
  if (!arguments.keep.empty()) throw InputError("--keep belongs to --tune");
  const Job job = job_of(arguments, display);
  check_outputs(arguments, job.options);
  if (arguments.check)
    run_check(arguments, job, display);
  else if (arguments.dry_run)
    print_plan(arguments, job, display);
  else
    run_fit(arguments, job, stopwatch, display);
}

void run(const Arguments& arguments) {
  const Stopwatch stopwatch;
  if (arguments.threads) apps::choose_threads(arguments.threads);
  const apps::TablesOnStderr tables_on_stderr(arguments.json && apps::is_stdout(*arguments.json));
  apps::ProgressDisplay display("gap-fit");
  const apps::AseFiles ase_files(display);
  if (arguments.sample.is_wanted()) {
    apps::refuse_update_options(arguments.update);
    if (!arguments.files.empty() || !arguments.train.empty() || arguments.report || arguments.check || arguments.dry_run ||
        !arguments.scan.empty() || arguments.tune)
      throw InputError("--sample-model draws from an existing model: it allows -o, --seed and --member only");
    apps::run_sample(arguments.sample, arguments.model, static_cast<std::uint64_t>(arguments.seed.value_or(0)));
  } else if (arguments.update.is_wanted()) {
    refuse_fit_options(arguments);
    apps::run_update(
        arguments.update,
        {arguments.files, arguments.train, arguments.validation, arguments.model, arguments.json, arguments.named, arguments.memory},
        display);
  } else {
    run_job(arguments, stopwatch, display);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Fits a Gaussian Approximation Potential to energies, forces and virials.", "gap-fit");
  Arguments arguments;
  describe(app, arguments);
  const auto prepare = [&] { apps::choose_threads(arguments.threads); };
  return apps::run_main(app, argc, argv, [&] { run(arguments); }, {apps::join_processes, prepare});
}
