#pragma once

#include <filesystem>
#include <gapkit/core/structure.hpp>

namespace gapkit {

/// Reads what a program wrote about `asked` and returns `asked` with those targets. Throws InputError with what is wrong: no file, more
/// than one frame, other atoms, another order, positions or cell that differ by more than 10⁻⁶ Å, no energy, no forces, numbers that are
/// not finite.
Structure read_answer(const std::filesystem::path& path, const Structure& asked);

}  // namespace gapkit
