#pragma once

#include <gapkit/model/covariance.hpp>
#include <span>

namespace gapkit {

// The form of cautious error bars (methods.md, section 5): std² = a² scale · part, with the data part of a component or J of a structure.

/// J/N² to the power jackknife − 1.
double cautious_scale(const CautiousPowers& powers, double jackknife, int atoms);
/// d^data J^jackknife C^total with the means over the components of the force on an atom.
double cautious_scale(const CautiousPowers& powers, std::span<const Variance> components);

/// Logarithms of the means d, J and C over the components, bounded below.
struct LogMeans {
  double data = 0, jackknife = 0, total = 0;
};
LogMeans log_means(std::span<const Variance> components);
/// Of J/N², bounded below.
double log_per_atom(double jackknife, int atoms);

}  // namespace gapkit
