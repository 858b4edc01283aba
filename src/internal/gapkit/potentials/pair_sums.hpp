#pragma once

#include <gapkit/core/neighbor_list.hpp>

namespace gapkit {

/// Adds the forces that belong to derivatives by the pair vectors r_ij = r_j − r_i: F_i += dE/dr_ij, F_j −= dE/dr_ij. `forces` has a row
/// for every atom that occurs.
inline void add_pair_forces(const Environments& environments, std::span<const Vector3> dE_dr, Positions& forces) {
  for (int c = 0; c < environments.size(); ++c) {
    const auto position = static_cast<std::size_t>(c);
    Vector3 own = Vector3::Zero();
    for (std::size_t p = environments.begin[position]; p < environments.begin[position + 1]; ++p) {
      own += dE_dr[p];
      forces.row(environments.neighbor[p]) -= dE_dr[p].transpose();
    }
    forces.row(environments.centre[position]) += own.transpose();
  }
}

/// −Σ dE/dr_ij ⊗ r_ij, symmetrised: which removes rounding only.
inline Matrix3 pair_virial(std::span<const Vector3> vectors, std::span<const Vector3> dE_dr) {
  Matrix3 virial = Matrix3::Zero();
  for (std::size_t p = 0; p < vectors.size(); ++p) virial -= dE_dr[p] * vectors[p].transpose();
  return 0.5 * (virial + virial.transpose());
}

}  // namespace gapkit
