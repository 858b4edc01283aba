#pragma once

#include <array>
#include <cstdint>

namespace gapkit {

/// The counter-based generator Philox4x32 with ten rounds: a bijection of the counter for each key.
///
/// Source: Salmon, Moraes, Dror & Shaw, SC'11, "Parallel random numbers: as easy as 1, 2, 3".
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// Random numbers that follow from three integers, which are all of its state: the same on every machine but for the last bits of `log`
/// and `cos`. Streams of one seed are independent.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;  ///< replica, structure, …
  std::uint64_t drawn = 0;   ///< numbers drawn so far

  double uniform();  ///< in [0, 1), 53 bits
  double normal();   ///< mean 0, variance 1
};

}  // namespace gapkit
