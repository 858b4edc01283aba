#pragma once

#include <filesystem>
#include <gapkit/config/fit_configuration.hpp>

namespace gapkit {

/// Files or globs, relative to the current folder, that take the place of the configuration's (command-line flags).
/// A list that is empty changes nothing; what the configuration says instead of a list that is not empty is not looked at.
struct DataFiles {
  std::vector<std::string> train;
  std::vector<std::string> validation;
  /// The program has these data itself: they have no files, whatever the configuration names.
  bool train_in_memory = false, validation_in_memory = false;
};

/// A key of the configuration with another value: "term.soap.zeta" (the name of the [[term]], then its key), "regularization.force".
/// `value` is TOML, or a plain word for a text.
struct ConfigurationOverride {
  std::string key, value;
};

/// Reads a TOML configuration (docs/configuration.md). Paths of data in it are relative to its folder and come back absolute; globs
/// in `train` and `validation` are expanded in sorted order. The paths in [output] stay as they are: relative to the current folder.
/// Unknown keys, wrong types, impossible values, files that do not exist: InputError "file:line: …" with the nearest valid name.
FitConfiguration read_fit_options(const std::filesystem::path& path, const DataFiles& instead = {},
                                  const std::vector<ConfigurationOverride>& overrides = {});

/// The same from a string; `name` stands for the file in messages, `folder` is what paths are relative to.
FitConfiguration parse_fit_options(const std::string& toml, const std::string& name, const std::filesystem::path& folder,
                                   const DataFiles& instead = {}, const std::vector<ConfigurationOverride>& overrides = {});

/// The configuration as TOML with every default written out; reading it back gives equal options.
std::string fit_options_to_toml(const FitConfiguration& options);

}  // namespace gapkit
