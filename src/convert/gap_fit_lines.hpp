#pragma once

#include <gapkit/convert/gap_fit_command.hpp>
#include <map>

#include "convert/quip_descriptor.hpp"

namespace gapkit {

/// TOML being written, and the arguments that could not be.
struct GapFitLines {
  std::string text;
  std::vector<std::string> unsupported;
  std::vector<std::string> notes;
  double largest_cutoff = 0;  ///< of the terms, Å

  void header(const std::string& name) { text += (text.empty() ? "" : "\n") + name + "\n"; }
  void line(const std::string& key, const std::string& value) { text += key + " = " + value + "\n"; }
  void refuse(const QuipOption& option, const std::string& reason) { unsupported.push_back(option_text(option) + ": " + reason); }
  void note(const QuipOption& option, const std::string& reason) { notes.push_back(option_text(option) + ": " + reason); }
};

/// End of the line about a descriptor of which nothing is written.
inline constexpr const char* gap_fit_term_left_out = "the whole term is left out";

/// Text as a TOML string; keys, in quotes only where needed; the shortest number that reads back, always recognisable as a real.
std::string toml_text(const std::string& text);
std::string toml_name(const std::string& key);
std::string toml_real(double value);

/// Words of "{a:1:b:2}", also with the quotes and commas of Python's dictionaries.
std::vector<std::string> gap_fit_list(const std::string& value);

/// One [[term]], or nothing if the descriptor has no counterpart. Returns whether a term was written. `elements` collects the atomic
/// numbers that the string names.
bool write_gap_fit_term(const std::string& text, GapFitLines& out, std::vector<int>& elements);

}  // namespace gapkit
