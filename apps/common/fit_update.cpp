#include "fit_update.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/report/optimization_json.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "errors_of.hpp"
#include "fit_report.hpp"
#include "model_file.hpp"
#include "model_report.hpp"
#include "optimization_report.hpp"
#include "resources.hpp"
#include "text_file.hpp"

namespace gapkit::apps {
namespace {

// "0.05" or "liquid=0.05": the name before the last '=' (or "") and the number.
std::pair<std::string, double> named_number(const std::string& text, const std::string& option) {
  const auto equals = text.rfind('=');
  const std::string name = equals == std::string::npos ? "" : text.substr(0, equals);
  const std::string number = equals == std::string::npos ? text : text.substr(equals + 1);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size() || !(value > 0) || !std::isfinite(value))
    throw InputError(fmt::format("{} '{}': '{}' is not a number above 0", option, text, number));
  return {name, value};
}

/// "--sigma-energy"
std::string sigma_option(const TargetInfo& target) {
  return std::string("--sigma-") + target.name;
}

/// "--sigma-energy, --sigma-force"
std::string sigma_options() {
  std::string list;
  for (const TargetInfo& target : targets()) list += (list.empty() ? "" : ", ") + sigma_option(target);
  return list;
}

RefitOptions refit_options(const UpdateArguments& arguments) {
  RefitOptions options;
  for (const TargetInfo& target : targets())
    for (const std::string& text : arguments.sigma[target.property]) {
      const auto [name, value] = named_number(text, sigma_option(target));
      options.sigma.push_back({target.property, name, value});
    }
  for (const std::string& text : arguments.delta) {
    const auto [name, value] = named_number(text, "--delta");
    if (name.empty()) throw InputError(fmt::format("--delta '{}': expected NAME=EV, with the name of a term", text));
    options.delta[name] = value;
  }
  if (arguments.objective) options.optimize.objective = objective_from(*arguments.objective, "--optimize");
  return options;
}

FittedModel load(const std::string& path) {
  refuse_xml(path, "--refit, --append and --merge");
  FittedModel fitted;
  fitted.model = load_model(path);
  fitted.stored = load_statistics(path, fitted.model);
  return fitted;
}

void merge_file(FittedModel& fitted, const std::string& path) {
  const FittedModel other = load(path);
  try {
    merge(fitted, other);
  } catch (const InputError& e) {
    throw InputError(path + ": " + e.what());
  }
}

const char* mode_of(const UpdateArguments& arguments) {
  return arguments.refit ? "refit" : arguments.append ? "append" : "merge";
}

const std::string& source_of(const UpdateArguments& arguments) {
  return arguments.refit ? *arguments.refit : arguments.append ? *arguments.append : *arguments.merge;
}

/// Throws InputError for options that exclude each other or are missing, and for outputs that cannot be written.
RefitOptions checked_options(const UpdateArguments& arguments, const UpdateOutput& output) {
  if (arguments.refit.has_value() + arguments.append.has_value() + arguments.merge.has_value() > 1)
    throw InputError("--refit, --append and --merge exclude each other, expected one of them");
  if (!output.model) throw InputError(fmt::format("--{} needs -o MODEL, the model to write", mode_of(arguments)));
  if (arguments.refit && !output.files.empty())
    throw InputError(fmt::format("--refit works without FILE, found '{}'; --append adds data", output.files.front()));
  if (!arguments.refit && output.files.empty())
    throw InputError(
        fmt::format("--{} needs {}", mode_of(arguments), arguments.append ? "files with the new structures" : "the other models' files"));
  RefitOptions options = refit_options(arguments);
  if (arguments.refit && options.sigma.empty() && options.delta.empty() && options.optimize.objective == OptimizeOptions::Objective::none)
    throw InputError(fmt::format("--refit needs a change: {}, --delta or --optimize", sigma_options()));
  check_can_be_replaced(*output.model, "-o");
  check_differs(*output.model, "-o", source_of(arguments));
  if (output.json) check_text_output(*output.json, "--json");
  for (const auto* files : {&output.files, &output.validation})
    for (const std::string& file : *files) {
      check_differs(*output.model, "-o", file);
      if (output.json) check_differs(*output.json, "--json", file);
    }
  return options;
}

/// A model whose statistics change, and the results of the change.
struct Update {
  const UpdateArguments& arguments;
  const UpdateOutput& output;
  FittedModel fitted;
  std::vector<CheckFinding> findings;  ///< in appended frames
  OptimizationReport optimization;
  ErrorTable validation;
  std::int64_t frames_added = 0, rows_before = 0;

  std::int64_t rows_added() const { return fitted.stored.statistics.row_count() - rows_before; }
};

void add_data(Update& update, ProgressDisplay& display) {
  FittedModel& fitted = update.fitted;
  update.rows_before = fitted.stored.statistics.row_count();
  if (update.arguments.append)
    update.frames_added = append(fitted, FileDataset(update.output.files, fitted.stored.rules.keys), display.callback(), &update.findings);
  if (update.arguments.merge)
    for (const std::string& file : update.output.files) merge_file(fitted, file);
}

/// Calibrates on the validation data; without them, a message says whether the previous calibration stays.
void calibrate_again(Update& update, bool was_calibrated, ProgressDisplay& display) {
  FittedModel& fitted = update.fitted;
  if (!update.output.validation.empty()) {
    const FileDataset validation(update.output.validation, fitted.stored.rules.keys);
    fitted.model.calibration =
        calibrate_on(validation, fitted.model, fitted.stored.rules, CalibrationOptions(), fitted.model.seed, display.callback());
    display.finish();
  } else if (was_calibrated && !fitted.model.calibration) {
    display.message("the calibration of the error bars belonged to the previous model and was dropped; --validation FILE calibrates again");
  } else if (was_calibrated && update.arguments.append) {
    display.message("the error bars keep the calibration of the old data; --validation FILE calibrates again");
  }
}

std::string summary_of(const Update& update, double seconds, const std::vector<std::string>& warnings) {
  std::string text = optimization_text(update.optimization) + "\n";
  if (!update.validation.empty()) text += "Validation errors\n" + update.validation.text() + "\n";
  text += calibration_line(update.fitted.model.calibration);
  if (update.arguments.append) text += fmt::format("Added: {} frames, {} rows\n", update.frames_added, update.rows_added());
  if (update.arguments.merge) text += fmt::format("Added: {} rows\n", update.rows_added());
  text += fmt::format("Time: {:.1f} s; peak memory: {:.2f} GB\nModel: {} ({:.1f} MB of statistics in it)\n", seconds, peak_memory_gb(),
                      *update.output.model, 1e-6 * update.fitted.stored.bytes());
  return text + warnings_text(warnings);
}

void write_json(const Update& update, double seconds, const std::vector<std::string>& warnings) {
  nlohmann::ordered_json json;
  json["gapkit_version"] = version;
  json["mode"] = mode_of(update.arguments);
  json["source"] = source_of(update.arguments);
  json["model"] = *update.output.model;
  json["rows_before"] = update.rows_before;
  json["rows_added"] = update.rows_added();
  json["optimization"] = optimization_json(update.optimization);
  json["findings"] = nlohmann::ordered_json::array();
  for (const CheckFinding& finding : update.findings) json["findings"].push_back(finding_json(finding));
  json["warnings"] = warnings;
  json["calibration"] = calibration_json(update.fitted.model.calibration);
  json["log_evidence"] = update.optimization.after.log_evidence;
  json["validation"] =
      update.validation.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json::parse(update.validation.json());
  json["seconds"] = seconds;
  json["peak_memory_gb"] = peak_memory_gb();
  write_text_file(*update.output.json, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace

void describe_update(CLI::App& app, UpdateArguments& arguments) {
  const char* group = "Without the data again (models saved with --statistics)";
  const auto add = [&](const std::string& name, auto& variable, const char* text, const char* type) {
    return app.add_option(name, variable, text)->type_name(type)->group(group);
  };
  add("--refit", arguments.refit, "Solve this model again with the σ and δ below; no FILE", "MODEL");
  add("--append", arguments.append, "Add the frames of FILE... to this model's data", "MODEL");
  add("--merge", arguments.merge, "Add the data of the models FILE..., fitted with the same sparse points, to this model's", "MODEL");
  for (const TargetInfo& target : targets())
    add(sigma_option(target), arguments.sigma[target.property], "New σ of the default class, or of a class (CLASS=NUMBER); may be repeated",
        target.unit)
        ->allow_extra_args(false);
  add("--delta", arguments.delta, "New δ of a term (eV); may be repeated", "NAME=NUMBER")->allow_extra_args(false);
  app.add_option("--optimize", arguments.objective,
                 "Optimise σ and δ: evidence, vfe, cross_validation or none (default: [optimize] of the configuration)")
      ->type_name("OBJECTIVE");
}

void refuse_update_options(const UpdateArguments& arguments) {
  std::string wrong;
  for (const TargetInfo& target : targets())
    if (wrong.empty() && !arguments.sigma[target.property].empty()) wrong = sigma_option(target);
  if (wrong.empty() && !arguments.delta.empty()) wrong = "--delta";
  if (!wrong.empty())
    throw InputError(fmt::format("{} belongs to --refit, --append or --merge; a fit takes it from its configuration", wrong));
}

void run_update(const UpdateArguments& arguments, const UpdateOutput& output, ProgressDisplay& display) {
  const Stopwatch stopwatch;
  const RefitOptions options = checked_options(arguments, output);
  Update update{arguments, output, load(source_of(arguments)), {}, {}, {}};
  const TargetKeys keys_before = update.fitted.stored.rules.keys;
  const bool was_calibrated = update.fitted.model.calibration.has_value();
  output.named.apply_to(update.fitted.stored.rules.keys);
  add_data(update, display);
  update.optimization = refit(update.fitted, options, display.callback());
  display.finish();
  calibrate_again(update, was_calibrated, display);
  update.fitted.model.notes["optimization"] = optimization_json(update.optimization).dump();
  const auto model = std::make_shared<const Model>(update.fitted.model);
  update.validation = errors_of(model, FileDataset(output.validation, update.fitted.stored.rules.keys), "validation errors", 0, display);
  if (!update.validation.empty()) update.fitted.model.notes["validation_errors"] = update.validation.json();
  update.fitted.stored.rules.keys = keys_before;  // the other names were for these files only
  save_model(update.fitted.model, update.fitted.stored, *output.model);
  std::cout << summary_of(update, stopwatch.seconds(), display.warnings()) << std::flush;
  if (output.json) write_json(update, stopwatch.seconds(), display.warnings());
}

}  // namespace gapkit::apps
