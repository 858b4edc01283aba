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

/// Maximises within lower ≤ x ≤ upper by limited-memory BFGS (NLopt), beginning at `x`, in rounds that each stay within `reach` of the best
/// point so far (so that no first step of the search leads to a far corner), until a round gains less than `tolerance`.
/// Where the objective throws NumericalError the search turns back, except at the start; anything else that it throws passes through.
Maximum maximize(const Objective& objective, std::vector<double> x, const std::vector<double>& lower, const std::vector<double>& upper,
                 double reach, double tolerance, int max_evaluations);

}  // namespace gapkit
