#pragma once

#include <gapkit/io/targets.hpp>

namespace gapkit {

/// The tensor of a frame in its Cartesian components, [1 or atoms, 3, 9 or 1]; absent if the frame lacks it. A matrix becomes symmetric.
/// Throws InputError for a wrong number of values, NaN and infinity, and an antisymmetric part above 1e-3 of the norm.
std::optional<Matrix> read_tensor(const Structure& structure, const TensorKeys& keys);

/// Total charge of a frame, from its key total_charge or charge; 0 without them. Throws InputError if it is no number.
double charge_of_frame(const Structure& structure);

}  // namespace gapkit
