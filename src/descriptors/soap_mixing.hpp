#pragma once

#include <gapkit/core/types.hpp>

namespace gapkit {

/// [rows, columns] with orthonormal rows in random directions, the same on every machine for one seed. Throws InputError if there are
/// more rows than columns: mixing would then add features.
Matrix random_mixing(int rows, int columns, std::uint64_t seed);

}  // namespace gapkit
