#pragma once

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>

namespace gapkit {

/// Collects problems, so that one message lists all of them.
class ProblemList {
 public:
  void add(std::string problem) { problems_.push_back(std::move(problem)); }
  bool empty() const { return problems_.empty(); }

  /// Throws InputError "what: problem", or a list if there are several; returns if there are none.
  void throw_if_any(const std::string& what) const {
    if (problems_.empty()) return;
    if (problems_.size() == 1) throw InputError(fmt::format("{}: {}", what, problems_.front()));
    std::string text = fmt::format("{}: {} reasons", what, problems_.size());
    for (const std::string& problem : problems_) text += "\n  " + problem;
    throw InputError(text);
  }

 private:
  std::vector<std::string> problems_;
};

}  // namespace gapkit
