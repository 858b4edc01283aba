#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Collects findings; keeps the first few of each kind and counts the others.
class Findings {
 public:
  using Severity = CheckFinding::Severity;
  static constexpr int most_of_a_kind = 5;

  void note(const std::string& kind, const std::string& message) { add(Severity::note, kind, message); }
  void warning(const std::string& kind, const std::string& message) { add(Severity::warning, kind, message); }
  void error(const std::string& kind, const std::string& message) { add(Severity::error, kind, message); }

  void add(const CheckFinding& finding) { add(finding.severity, finding.kind, finding.message); }

  bool has_errors() const { return count(Severity::error) > 0; }
  std::int64_t count(Severity severity) const;
  /// Errors, warnings, notes, in the order in which each kind was first found; "… and 37 more" ends a kind with too many.
  std::vector<CheckFinding> sorted() const;

 private:
  struct Kind {
    Severity severity;
    std::string name;
    std::vector<std::string> messages;
    std::int64_t found = 0;
  };

  void add(Severity severity, const std::string& kind, const std::string& message);

  std::vector<Kind> kinds_;
};

/// Numbers of atoms by atomic number, as text: "H6C2O".
std::string formula(const std::map<int, int>& composition);

}  // namespace gapkit
