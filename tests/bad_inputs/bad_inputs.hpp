#pragma once

#include <functional>
#include <gapkit/core/structure.hpp>
#include <map>
#include <string>
#include <vector>

namespace gapkit::test {

/// A valid fit, which each row of the catalogue changes into a bad one: one isolated silicon atom (frame 1, lines 1 to 3), then frames of 8
/// atoms and 10 lines each (frame n begins in line 4 + 10 (n − 2)): 2 to 4 unrelated, 5 to 8 strained copies of frame 2 (config type
/// "strain"), 9 to 12 of frame 3 with small displacements (config type "md"). Labels come from an analytic pair potential.
struct Inputs {
  std::vector<Structure> frames;
  std::string configuration;
  std::vector<std::function<void(std::string&)>> edits;  ///< changes of the text of train.xyz
  std::map<std::string, std::string> files;              ///< other files by name; replaces train.xyz too

  Structure& frame(int number) { return frames.at(static_cast<std::size_t>(number - 1)); }
  /// Replaces the first occurrence, which must exist.
  void configure(const std::string& from, const std::string& to);
  /// Replaces in one line of train.xyz, counted from 1; an empty `from` stands for the whole line.
  void edit_line(int line, const std::string& from, const std::string& to);
  void edit(std::function<void(std::string&)> change) { edits.push_back(std::move(change)); }
};

/// The program's answer.
enum class Answer {
  error,    ///< exit code 2 with --check, on stdout among the findings, and in a fit, as the one line on stderr
  refused,  ///< the same, but before the data are read (configuration, file or command line): one line on stderr
  warning,  ///< exit code 0; among the findings, and on stderr of a fit
  note      ///< exit code 0; among the findings only
};

struct BadInput {
  const char* name;
  std::function<void(Inputs&)> spoil;
  Answer answer;
  const char* sentence;                     ///< a part of the message
  std::vector<std::string> arguments = {};  ///< of gap-fit, beside the configuration
};

/// The catalogue of gap-fit, by kind of error.
std::vector<BadInput> unreadable_files();
std::vector<BadInput> unreadable_frames();
std::vector<BadInput> bad_cells_and_positions();
std::vector<BadInput> bad_isolated_atoms();
std::vector<BadInput> repeated_structures();
std::vector<BadInput> targets_that_are_no_numbers();
std::vector<BadInput> bad_sigmas_and_masks();
std::vector<BadInput> missing_and_misnamed_targets();
std::vector<BadInput> improbable_targets();
std::vector<BadInput> wrong_units_and_signs();
std::vector<BadInput> units_of_some_frames();
std::vector<BadInput> bad_configurations();

}  // namespace gapkit::test
