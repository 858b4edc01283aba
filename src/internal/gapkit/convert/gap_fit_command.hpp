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

  // For a program that writes the files of gap_fit
  std::string command_line;         ///< the arguments, or the text of config_file
  std::string train;                ///< at_file
  std::string gap_file;             ///< gp_file
  bool copies_data = true;          ///< do_copy_at_file
  bool has_separate_points = true;  ///< sparse_separate_file
  bool is_dry_run = false;          ///< dryrun
};

/// Translates the arguments of gap_fit (with or without its name), aliases included: each goes to the configuration, to `unsupported`, or
/// to `notes`.
///
/// A relative at_file is relative to `folder`. If the file exists, it gives what the command line leaves open: the elements of a common e0,
/// and the keys of the targets. Throws InputError for a command line that is not of gap_fit's form or
/// lacks a mandatory argument.
GapFitTranslation translate_gap_fit(const std::string& command, const std::filesystem::path& folder = ".");
/// The same for the words that a shell, or a program, has passed to gap_fit: nothing in them belongs to a shell any more.
GapFitTranslation translate_gap_fit_words(const std::vector<std::string>& words, const std::filesystem::path& folder = ".");
/// The same for a file with the arguments, in one or more lines.
GapFitTranslation translate_gap_fit_file(const std::filesystem::path& path);

}  // namespace gapkit
