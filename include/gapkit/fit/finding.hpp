#pragma once

#include <string>

namespace gapkit {

/// One thing that an examination of the data noticed.
struct CheckFinding {
  enum class Severity { note, warning, error };
  Severity severity = Severity::note;
  std::string kind;     ///< what is alike has one kind: "overlap", "units", …
  std::string message;  ///< one sentence: file, line and frame, what was found, what to do

  bool is_error() const { return severity == Severity::error; }
};

/// "note", "warning" or "error".
const char* severity_name(CheckFinding::Severity severity);

}  // namespace gapkit
