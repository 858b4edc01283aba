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

/// Maximises within lower ≤ x ≤ upper by limited-memory BFGS (NLopt), beginning at `x`, until a restart gains less than `tolerance`.
/// The best point seen is the result. What the objective throws passes through.
Maximum maximize(const Objective& objective, std::vector<double> x, const std::vector<double>& lower, const std::vector<double>& upper,
                 double tolerance, int max_evaluations);

}  // namespace gapkit
