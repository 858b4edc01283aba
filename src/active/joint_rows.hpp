#pragma once

#include <gapkit/active/choose.hpp>

namespace gapkit {

/// Rows z of the observables of every candidate in units of their noise: the joint posterior covariance of observables o, o' is
/// z_o · z_o' (noise not included), within and between candidates.
///
/// Total energies (one row, eV over σ_E √N): from Covariance::total_energies, exactly. Local energies (one row per atom) and forces (3n rows
/// and the total energy): the sparse points are extended by environments of the candidates, so that what the model's own points do not
/// span has coordinates too (METHODS 5: novelty), up to `auxiliary` points per term.
std::vector<Matrix> joint_rows(const Model& model, std::span<const Structure* const> structures, ChooseOptions::Covariance covariance,
                               int auxiliary = 400);

}  // namespace gapkit
