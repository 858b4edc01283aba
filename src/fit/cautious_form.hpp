#pragma once

#include <vector>

namespace gapkit {

/// One error with the logarithms that its variance depends on.
struct CautiousSample {
  double error = 0, noise = 0;
  double weight = 1;
  double part = 0;  ///< variance = a² part Π exp(power_k log_k) + b² noise²
  std::vector<double> logs = {};
};

struct CautiousForm {
  double a = 1, b = 1;
  std::vector<double> powers;
};

/// The form that makes the errors most likely, N(0, variance). `lower`, `upper`: of each power. b is at least 0.2, or 0.2 of the ratio of
/// errors and noise if that is smaller.
CautiousForm likeliest_form(const std::vector<CautiousSample>& samples, const std::vector<double>& lower, const std::vector<double>& upper);

/// Squares of error over bar.
std::vector<double> squared_scores(const std::vector<CautiousSample>& samples, const CautiousForm& form);

}  // namespace gapkit
