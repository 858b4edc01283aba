#pragma once

#include <functional>
#include <vector>

namespace gapkit {

/// Value at x; fills the gradient.
using Objective = std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>;

struct Maximum {
  std::vector<double> x;
  double value = 0;
  int evaluations = 0;
};

struct SearchLimits {
  std::vector<double> lower, upper;  ///< lower ≤ x ≤ upper
  double reach = 0;                  ///< a round stays within this distance, per component, of the best point of the rounds before
  double tolerance = 0;              ///< the search ends with a round that gains less
  int max_evaluations = 0;
};

/// Maximises by limited-memory BFGS (NLopt), beginning at `x`, in rounds: their reach keeps the first step of a search from a far corner.
/// Where the objective throws NumericalError the search turns back, except at the start; other exceptions pass through.
Maximum maximize(const Objective& objective, std::vector<double> x, const SearchLimits& limits);

}  // namespace gapkit
