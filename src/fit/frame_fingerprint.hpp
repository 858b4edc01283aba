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
  if (s.energy) checksum.add(*s.energy);
  if (s.forces)
    for (Eigen::Index i = 0; i < s.forces->size(); ++i) checksum.add(s.forces->data()[i]);
  if (s.virial)
    for (Eigen::Index i = 0; i < 9; ++i) checksum.add(s.virial->data()[i]);
}

}  // namespace gapkit
