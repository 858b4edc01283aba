#pragma once

#include <gapkit/core/structure.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gapkit::extxyz {

/// Throws InputError without a place if what the comment line says about the cell contradicts itself: a periodic frame, or one with a cell
/// under the name of another program, without Lattice; or such a cell that is not the Lattice in any of the usual forms. `pbc` is null if
/// the frame does not say.
void check_cell(const std::vector<Field>& fields, const Structure& structure, const Field* pbc);

/// ASCII only.
std::string lower_case(std::string_view text);

}  // namespace gapkit::extxyz
