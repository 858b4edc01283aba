#pragma once

#include <gapkit/active/choose.hpp>

namespace gapkit {

/// Rows z of the observables of every structure, in units of their noise. The joint posterior covariance of observables o, o' is
/// z_o · z_o' (without noise), within and between structures.
///
/// Total energies: one row, in units of σ_E √N; local energies: one row per atom, in units of σ_E; forces: the total energy, then 3n rows
/// in units of σ_F. Environments of the structures extend the sparse points (pivoted Cholesky, up to `auxiliary` per term), so
/// that directions outside the span of the model's points have coordinates too (methods.md, section 5: novelty). For forces this covers a
/// part of the novelty only: derivatives of the kernel are not in the span of its values at the environments.
std::vector<Matrix> joint_rows(const Model& model, std::span<const Structure* const> structures, ChooseOptions::Covariance covariance,
                               int auxiliary = 400);

}  // namespace gapkit
