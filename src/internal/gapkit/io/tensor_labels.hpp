#pragma once

#include <gapkit/io/targets.hpp>

namespace gapkit {

/// The tensor of a frame in its Cartesian components, [1 or atoms, 3, 9 or 1]; absent if the frame lacks it. A matrix becomes symmetric.
/// Throws InputError for a wrong number of values, NaN and infinity, and an antisymmetric part above 1e-3 of the norm.
std::optional<Matrix> read_tensor(const Structure& structure, const TensorKeys& keys);

/// The derivatives of the tensor by the positions from the column keys.derivatives, [3 atoms, 3, 9 or 1]: Cartesian components in the
/// columns, coordinate a of atom k in row 3k + a. Absent without column. A matrix becomes symmetric. Throws as read_tensor().
std::optional<Matrix> read_tensor_derivatives(const Structure& structure, const TensorKeys& keys);

/// Total charge of a frame, from its key total_charge or charge; 0 without them. Throws InputError if it is no number.
double charge_of_frame(const Structure& structure);

}  // namespace gapkit
