#pragma once

#include <gapkit/active/choose.hpp>

namespace gapkit {

/// Rows z of the observables of every candidate in units of their noise: the joint posterior covariance of observables o, o' is
/// z_o · z_o' (noise not included), within and between candidates.
///
/// Total energies: one row, in units of σ_E √N; local energies: one row per atom, in units of σ_E; forces: the total energy, then 3n rows
/// in units of σ_F. The sparse points are extended by environments of the candidates (pivoted Cholesky, up to `auxiliary` per term), so
/// that what the model's own points do not span has coordinates too (methods.md, section 5: novelty). Of the novelty of forces this is a
/// part only: derivatives of the kernel are not in the span of its values at the environments.
std::vector<Matrix> joint_rows(const Model& model, std::span<const Structure* const> structures, ChooseOptions::Covariance covariance,
                               int auxiliary = 400);

}  // namespace gapkit
