#pragma once

#include <filesystem>
#include <gapkit/core/structure.hpp>

namespace gapkit {

/// Reads a program's output for the structure `asked` and returns `asked` with its targets. Throws InputError for: no file, more than one
/// frame, other atoms, another order, positions or cell that differ by more than 10⁻⁶ Å, no energy, no forces, numbers that are not
/// finite.
Structure read_answer(const std::filesystem::path& path, const Structure& asked);

}  // namespace gapkit
