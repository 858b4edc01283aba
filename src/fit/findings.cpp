#include "fit/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/elements.hpp>

namespace gapkit {

void Findings::add(Severity severity, const std::string& kind, const std::string& message) {
  auto found = std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& k) { return k.severity == severity && k.name == kind; });
  if (found == kinds_.end()) found = kinds_.insert(kinds_.end(), Kind{severity, kind, {}, 0});
  ++found->found;
  if (found->messages.size() < most_of_a_kind) found->messages.push_back(message);
}

std::int64_t Findings::count(Severity severity) const {
  std::int64_t sum = 0;
  for (const Kind& kind : kinds_)
    if (kind.severity == severity) sum += kind.found;
  return sum;
}

std::vector<CheckFinding> Findings::sorted() const {
  std::vector<CheckFinding> all;
  for (const Severity severity : {Severity::error, Severity::warning, Severity::note})
    for (const Kind& kind : kinds_) {
      if (kind.severity != severity) continue;
      for (const std::string& message : kind.messages) all.push_back({severity, kind.name, message});
      const auto others = kind.found - static_cast<std::int64_t>(kind.messages.size());
      if (others > 0) all.push_back({severity, kind.name, fmt::format("… and {} more of this kind ({})", others, kind.name)});
    }
  return all;
}

const char* severity_name(CheckFinding::Severity severity) {
  using Severity = CheckFinding::Severity;
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

std::string formula(const std::map<int, int>& composition) {
  std::string text;
  for (const auto& [z, n] : composition) text += element_symbol(z) + (n > 1 ? std::to_string(n) : "");
  return text;
}

}  // namespace gapkit
