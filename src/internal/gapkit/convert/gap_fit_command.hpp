#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gapkit {

/// A gap_fit command line as a configuration of gap-fit.
struct GapFitTranslation {
  std::string toml;                      ///< with `unsupported` and `notes` as comments; config/ reads it
  std::vector<std::string> unsupported;  ///< arguments that change the fit and have no counterpart: "argument: reason"
  std::vector<std::string> notes;        ///< arguments without effect on the fit, and differences of the two programs
};

/// Translates the arguments of gap_fit (with or without its name), aliases included: each goes to the configuration, to `unsupported`, or
/// to `notes`.
///
/// A relative at_file is relative to `folder`. If the file exists, it gives what the command line leaves open: the elements of a common e0,
/// and the keys of the targets. Throws InputError for a command line that is not of gap_fit's form or
/// lacks a mandatory argument.
GapFitTranslation translate_gap_fit(const std::string& command, const std::filesystem::path& folder = ".");
/// The same for a file with the arguments, in one or more lines.
GapFitTranslation translate_gap_fit_file(const std::filesystem::path& path);

}  // namespace gapkit
