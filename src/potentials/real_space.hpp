#pragma once

#include <gapkit/potentials/coulomb.hpp>

namespace gapkit {

/// Adds the sum over pairs within `cutoff`, k_e q_i q_j [erfc(αr) − erfc(r/√2γ_ij)]/r, to potentials and, if wanted, to forces and virial.
/// α = 0: the bare Coulomb energy of a molecule, for all pairs, without a cutoff.
void add_real_space(const ChargeCloud& cloud, double alpha, double cutoff, const CoulombOptions& options, CoulombSum& sum);

/// The same for unit charges: adds the pair energies to a matrix [N, N].
void add_real_space(const ChargeCloud& cloud, double alpha, double cutoff, Matrix& matrix);

}  // namespace gapkit
