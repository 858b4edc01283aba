#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gapkit {

/// A gap_fit command line as a configuration of gap-fit.
struct GapFitTranslation {
  std::string toml;                      ///< with comments that repeat what follows; config/ reads it
  std::vector<std::string> unsupported;  ///< arguments that change the fit and have no counterpart: "argument: reason"
  std::vector<std::string> notes;        ///< arguments without effect on the fit, and where the two programs differ
};

/// Translates the arguments of gap_fit (its name may stand before them), aliases included: every one ends up in the configuration, in
/// `unsupported`, or in `notes`.
///
/// `folder` is what a relative at_file is relative to. If the file is there, it is looked into for what the command line leaves open: the
/// elements that one e0 counts for, and which of the keys it has. Throws InputError for a command line that is not of gap_fit's form or
/// lacks a mandatory argument.
GapFitTranslation translate_gap_fit(const std::string& command, const std::filesystem::path& folder = ".");
/// The same for a file that holds the arguments, in one or more lines.
GapFitTranslation translate_gap_fit_file(const std::filesystem::path& path);

}  // namespace gapkit
