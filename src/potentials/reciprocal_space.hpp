#pragma once

#include "potentials/ewald_plan.hpp"

namespace gapkit {

/// Adds the sum over wave vectors to potentials and, if wanted, to forces and virial.
void add_reciprocal_space(const ChargeCloud& cloud, const EwaldPlan& plan, const CoulombOptions& options, CoulombSum& sum);

/// The same for unit charges: adds (1/V) k_e Σ w(k) cos k·r_ij to a matrix [N, N].
void add_reciprocal_space(const ChargeCloud& cloud, const EwaldPlan& plan, Matrix& matrix);

}  // namespace gapkit
