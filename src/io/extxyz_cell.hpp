#pragma once

#include <gapkit/core/structure.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gapkit::extxyz {

/// Throws InputError without a place for contradictions about the cell: a periodic frame, or one with a cell under the name of another
/// program, without Lattice; or such a cell that differs from the Lattice in every usual form. `pbc`: null if the frame has none.
void check_cell(const std::vector<Field>& fields, const Structure& structure, const Field* pbc);

/// ASCII only.
std::string lower_case(std::string_view text);

}  // namespace gapkit::extxyz
