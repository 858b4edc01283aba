#pragma once

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>

namespace gapkit {

/// Throws InputError if atoms have too many neighbours for error bars, which need double sums over environments: more than 20,000 each on
/// average. Solids have hundreds.
inline void check_density(const Environments& environments, int atoms, const std::string& where) {
  constexpr std::size_t most = 20'000;
  if (atoms == 0 || environments.neighbor.size() <= most * static_cast<std::size_t>(atoms)) return;
  throw InputError(
      fmt::format("{}: each atom has {} neighbours within {:.3g} Å on average, too many for error bars (at most {}); is the "
                  "cell right? Without error bars the frame can be predicted",
                  where, environments.neighbor.size() / static_cast<std::size_t>(atoms), environments.cutoff, most));
}

}  // namespace gapkit
