#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace gapkit {

/// The counter-based generator Philox4x32 with ten rounds: a bijection of the counter for each key.
///
/// Source: Salmon, Moraes, Dror & Shaw, SC'11, "Parallel random numbers: as easy as 1, 2, 3".
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// The random numbers of the library: they follow from three integers, which are all of the state, and are the same on every machine but
/// for the last bits of `log` and `cos`. Streams of one seed are independent. The distributions of the standard library are not used,
/// because each implementation of it draws other numbers.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;  ///< purpose, replica, structure, …
  std::uint64_t drawn = 0;   ///< numbers drawn so far

  std::uint64_t bits();                      ///< 64 random bits
  double uniform();                          ///< in [0, 1), 53 bits
  std::uint64_t below(std::uint64_t bound);  ///< in 0 … bound − 1, each with the same probability; bound ≥ 1
  double normal();                           ///< mean 0, variance 1 (Box and Muller, Ann. Math. Stat. 29, 610 (1958))
};

/// Every order with the same probability (Fisher and Yates).
template <class T>
void shuffle(std::vector<T>& values, RandomStream& random) {
  using std::swap;
  for (std::size_t i = values.size(); i > 1; --i) swap(values[i - 1], values[random.below(i)]);
}

}  // namespace gapkit
