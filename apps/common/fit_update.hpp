#pragma once

#include <CLI/CLI.hpp>
#include <gapkit/core/target.hpp>
#include <optional>
#include <string>
#include <vector>

#include "progress_display.hpp"
#include "target_keys.hpp"

namespace gapkit::apps {

/// gap-fit --refit, --append, --merge: what works on the statistics in a model file instead of a configuration.
struct UpdateArguments {
  std::optional<std::string> refit, append, merge;  ///< model files
  PerTarget<std::vector<std::string>> sigma;        ///< --sigma-<target>
  std::vector<std::string> delta;
  std::optional<std::string> objective;

  bool is_wanted() const { return refit || append || merge; }
};

void describe_update(CLI::App& app, UpdateArguments& arguments);

/// Throws InputError if an option is there that only --refit, --append and --merge understand.
void refuse_update_options(const UpdateArguments& arguments);

/// Where results go; `files` are the command line's FILEs, `validation` are data for an error table.
struct UpdateOutput {
  std::vector<std::string> files, validation;
  std::optional<std::string> model, json;
  NamedTargets named;  ///< in `files` and `validation`
};

/// Throws InputError for options that do not fit together.
void run_update(const UpdateArguments& arguments, const UpdateOutput& output, ProgressDisplay& display);

}  // namespace gapkit::apps
