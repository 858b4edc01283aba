#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/random_stream.hpp>
#include <numbers>

namespace gapkit {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
  constexpr std::uint32_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product_0 = multiplier_0 * counter[0], product_1 = multiplier_1 * counter[2];
    counter = {static_cast<std::uint32_t>(product_1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product_1),
               static_cast<std::uint32_t>(product_0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product_0)};
    key[0] += weyl_0;
    key[1] += weyl_1;
  }
  return counter;
}

// Each block of the generator makes two numbers.
std::uint64_t RandomStream::bits() {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  const std::uint64_t block = drawn / 2;
  const auto words = philox({low(block), high(block), low(stream), high(stream)}, {low(seed), high(seed)});
  const std::size_t first = drawn++ % 2 == 0 ? 0 : 2;
  return static_cast<std::uint64_t>(words[first]) << 32 | words[first + 1];
}

double RandomStream::uniform() {
  return static_cast<double>(bits() >> 11) * 0x1p-53;
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  if (bound == 0) throw Error("a random number below 0");
  const std::uint64_t unbiased = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t draw = bits();
  while (draw >= unbiased) draw = bits();
  return draw % bound;
}

double RandomStream::normal() {
  // The second number of the transformation is dropped, so that the state stays three integers. Two statements, because the order of
  // evaluation within an expression depends on the compiler.
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  const double angle = 2 * std::numbers::pi * uniform();
  return radius * std::cos(angle);
}

}  // namespace gapkit
