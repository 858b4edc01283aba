#pragma once

#include <CLI/CLI.hpp>
#include <gapkit/core/target.hpp>
#include <optional>
#include <string>
#include <vector>

#include "progress_display.hpp"
#include "target_keys.hpp"

namespace gapkit::apps {

/// gap-fit --refit, --append, --merge: options that change the statistics in a model file, without a configuration.
struct UpdateArguments {
  std::optional<std::string> refit, append, merge;  ///< model files
  PerTarget<std::vector<std::string>> sigma;        ///< --sigma-<target>
  std::vector<std::string> delta;
  std::optional<std::string> objective;

  bool is_wanted() const { return refit || append || merge; }
};

void describe_update(CLI::App& app, UpdateArguments& arguments);

/// Throws InputError if an option is present that belongs to --refit, --append and --merge only.
void refuse_update_options(const UpdateArguments& arguments);

/// Input and output files; `files` are the FILEs of the command line, `train` the data of the model, `validation` are data for an error
/// table.
struct UpdateOutput {
  std::vector<std::string> files, train, validation;
  std::optional<std::string> model, json;
  NamedTargets named;                 ///< keys in `files` and `validation`
  std::optional<double> memory = {};  ///< GB, of a new calibration
};

/// Throws InputError for options that do not fit together.
void run_update(const UpdateArguments& arguments, const UpdateOutput& output, ProgressDisplay& display);

}  // namespace gapkit::apps
