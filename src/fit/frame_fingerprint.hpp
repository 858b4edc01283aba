#pragma once

#include <gapkit/core/structure.hpp>

#include "io/checksum.hpp"

namespace gapkit {

/// What a fit sees of a frame.
inline void add_frame(Checksum& checksum, const Structure& s) {
  checksum.add(s.config_type);
  for (const int z : s.atomic_numbers) checksum.add(static_cast<std::int64_t>(z));
  for (Eigen::Index i = 0; i < s.positions.size(); ++i) checksum.add(s.positions.data()[i]);
  if (s.cell)
    for (Eigen::Index i = 0; i < 9; ++i) checksum.add(s.cell->data()[i]);
  for (const bool periodic : s.pbc) checksum.add(std::int64_t{periodic});
  if (s.energy) checksum.add(*s.energy);
  if (s.forces)
    for (Eigen::Index i = 0; i < s.forces->size(); ++i) checksum.add(s.forces->data()[i]);
  if (s.virial)
    for (Eigen::Index i = 0; i < 9; ++i) checksum.add(s.virial->data()[i]);
  // The σ's and masks of single rows, each with its number, for they are all numbers and any of them may be absent.
  std::int64_t number = 0;
  for (const auto* sigma : {&s.energy_sigma, &s.force_sigma, &s.virial_sigma}) {
    ++number;
    if (!*sigma) continue;
    checksum.add(number);
    checksum.add(**sigma);
  }
  if (!s.force_atom_sigma.empty()) checksum.add(std::int64_t{4});
  for (const double sigma : s.force_atom_sigma) checksum.add(sigma);
  if (!s.force_mask.empty()) checksum.add(std::int64_t{5});
  for (const bool is_masked : s.force_mask) checksum.add(std::int64_t{is_masked});
  const auto add_components = [&](std::int64_t which, const auto& sigma) {
    if (!sigma) return;
    checksum.add(which);
    for (Eigen::Index i = 0; i < sigma->size(); ++i) checksum.add(sigma->data()[i]);
  };
  add_components(6, s.force_component_sigma);
  add_components(7, s.virial_component_sigma);
}

}  // namespace gapkit
