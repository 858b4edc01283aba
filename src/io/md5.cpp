#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <gapkit/io/md5.hpp>

namespace gapkit {
namespace {

using State = std::array<std::uint32_t, 4>;

// RFC 1321: the i-th step, counted from 1, adds the integer part of 2³² |sin i| …
const std::array<std::uint32_t, 64> step_constants = [] {
  std::array<std::uint32_t, 64> result{};
  for (std::size_t i = 0; i < 64; ++i)
    result[i] = static_cast<std::uint32_t>(std::floor(std::abs(std::sin(static_cast<double>(i + 1))) * 4294967296.0));
  return result;
}();
// … and rotates by one of four amounts, by round.
constexpr int rotations[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

void add_block(const unsigned char* bytes, State& state) {
  std::array<std::uint32_t, 16> word{};
  for (std::size_t i = 0; i < 64; ++i) word[i / 4] |= static_cast<std::uint32_t>(bytes[i]) << (8 * (i % 4));
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    std::uint32_t mixed = 0;
    std::size_t from = 0;
    switch (i / 16) {
      case 0:
        mixed = (b & c) | (~b & d);
        from = i;
        break;
      case 1:
        mixed = (d & b) | (~d & c);
        from = (5 * i + 1) % 16;
        break;
      case 2:
        mixed = b ^ c ^ d;
        from = (3 * i + 5) % 16;
        break;
      default:
        mixed = c ^ (b | ~d);
        from = (7 * i) % 16;
    }
    const std::uint32_t sum = a + mixed + step_constants[i] + word[from];
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, rotations[i / 16][i % 4]);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

}  // namespace

std::string md5_of(std::string_view bytes) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const std::size_t whole = bytes.size() / 64 * 64;
  for (std::size_t i = 0; i < whole; i += 64) add_block(data + i, state);

  // The rest, a bit that is set, zeros, and the length in bits.
  std::array<unsigned char, 128> tail{};
  const std::size_t rest = bytes.size() - whole;
  for (std::size_t i = 0; i < rest; ++i) tail[i] = data[whole + i];
  tail[rest] = 0x80;
  const std::size_t end = rest < 56 ? 64 : 128;
  const std::uint64_t bits = 8 * static_cast<std::uint64_t>(bytes.size());
  for (std::size_t i = 0; i < 8; ++i) tail[end - 8 + i] = static_cast<unsigned char>(bits >> (8 * i));
  for (std::size_t i = 0; i < end; i += 64) add_block(&tail[i], state);

  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    const auto byte = static_cast<unsigned char>(state[i / 4] >> (8 * (i % 4)));
    text += "0123456789abcdef"[byte / 16];
    text += "0123456789abcdef"[byte % 16];
  }
  return text;
}

}  // namespace gapkit
