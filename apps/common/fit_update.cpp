#include "fit_update.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/report/model_update.hpp>
#include <gapkit/report/optimization_json.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

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
  if (arguments.refit && output.train.empty() && options.sigma.empty() && options.delta.empty() &&
      options.optimize.objective == OptimizeOptions::Objective::none)
    throw InputError(fmt::format(
        "--refit needs a change: {}, --delta, --optimize, or --train with all data of the model for a new calibration", sigma_options()));
  check_can_be_replaced(*output.model, "-o");
  check_differs(*output.model, "-o", source_of(arguments));
  if (output.json) check_text_output(*output.json, "--json");
  for (const auto* files : {&output.files, &output.train, &output.validation})
    for (const std::string& file : *files) {
      check_differs(*output.model, "-o", file);
      if (output.json) check_differs(*output.json, "--json", file);
    }
  return options;
}

std::string summary_of(const UpdateArguments& arguments, const UpdateOutput& output, const FittedModel& fitted,
                       const ModelUpdateReport& report, double seconds) {
  std::string text = optimization_text(report.optimization) + "\n";
  if (!report.validation.empty()) text += "Validation errors\n" + report.validation.text() + "\n";
  text += calibration_line(fitted.model.calibration);
  if (arguments.append) text += fmt::format("Added: {} frames, {} rows\n", report.frames_added, report.rows_added);
  if (arguments.merge) text += fmt::format("Added: {} rows\n", report.rows_added);
  text += fmt::format("Time: {:.1f} s; peak memory: {:.2f} GB\nModel: {} ({:.1f} MB of statistics in it)\n", seconds, peak_memory_gb(),
                      *output.model, 1e-6 * fitted.stored.bytes());
  return text;
}

nlohmann::ordered_json json_of(const UpdateArguments& arguments, const UpdateOutput& output, const FittedModel& fitted,
                               const ModelUpdateReport& report, const std::vector<std::string>& warnings) {
  nlohmann::ordered_json json;
  json["gapkit_version"] = version;
  json["mode"] = mode_of(arguments);
  json["source"] = source_of(arguments);
  json["model"] = *output.model;
  json["rows_before"] = report.rows_before;
  json["rows_added"] = report.rows_added;
  json["optimization"] = optimization_json(report.optimization);
  json["findings"] = nlohmann::ordered_json::array();
  for (const CheckFinding& finding : report.findings) json["findings"].push_back(finding_json(finding));
  json["warnings"] = warnings;
  json["calibration"] = calibration_json(fitted.model.calibration);
  json["log_evidence"] = report.optimization.after.log_evidence;
  json["validation"] =
      report.validation.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json::parse(report.validation.json());
  return json;
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
  FittedModel fitted = load(source_of(arguments));
  const TargetKeys keys_before = fitted.stored.rules.keys;
  output.named.apply_to(fitted.stored.rules.keys);
  const FileDataset new_data(output.files, fitted.stored.rules.keys), validation_data(output.validation, fitted.stored.rules.keys);
  std::vector<std::string> all_files = output.train;  // with --append the new ones follow
  if (arguments.append) all_files.insert(all_files.end(), output.files.begin(), output.files.end());
  const FileDataset all_data(all_files, fitted.stored.rules.keys);
  ModelUpdate update;
  update.refit = options;
  update.training_option = arguments.append ? "--train with the data of the model" : "--train with the data";
  if (!output.train.empty()) update.training = &all_data;
  if (output.memory) update.memory = *output.memory;
  update.validation_option = "--validation FILE";
  if (arguments.append) update.appended = &new_data;
  if (arguments.merge)
    for (const std::string& file : output.files) update.merged.push_back({file, [file] { return load(file); }});
  if (!output.validation.empty()) update.validation = &validation_data;
  const ModelUpdateReport report = update_model(fitted, update, display.callback());
  display.finish();
  fitted.stored.rules.keys = keys_before;  // the other names were for these files only
  save_model(fitted.model, fitted.stored, *output.model);

  std::cout << summary_of(arguments, output, fitted, report, stopwatch.seconds()) << warnings_text(display.warnings()) << std::flush;
  if (!output.json) return;
  nlohmann::ordered_json json = json_of(arguments, output, fitted, report, display.warnings());
  json["seconds"] = stopwatch.seconds();
  json["peak_memory_gb"] = peak_memory_gb();
  write_text_file(*output.json, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace gapkit::apps
