#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace gapkit {

/// Random numbers that are the same on every platform: the standard fixes the generator, but not its distributions.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed) : generator_(seed) {}
  /// Uniform in (0, 1].
  double uniform() { return static_cast<double>((generator_() >> 11) + 1) * 0x1p-53; }
  /// Uniform in 0 … bound − 1.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t unbiased = UINT64_MAX - UINT64_MAX % bound;
    std::uint64_t draw = generator_();
    while (draw >= unbiased) draw = generator_();
    return draw % bound;
  }

 private:
  std::mt19937_64 generator_;
};

/// `count` different numbers of 0 … total − 1 in random order; the first k of them are the result for count = k.
std::vector<int> random_choice(int total, int count, std::uint64_t seed);

}  // namespace gapkit
