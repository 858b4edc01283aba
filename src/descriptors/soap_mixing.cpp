#include "descriptors/soap_mixing.hpp"

#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <numbers>
#include <random>

namespace gapkit {
namespace {

// Not RandomStream: models keep the seed, not the weights, and models of earlier versions must predict the same. The C++ standard fixes
// the numbers of this generator, but not those of std::normal_distribution; hence Box and Muller's method.
double normal(std::mt19937_64& generator) {
  const auto uniform = [&] { return (static_cast<double>(generator() >> 11) + 0.5) * 0x1p-53; };
  const double radius = std::sqrt(-2 * std::log(uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

}  // namespace

Matrix random_mixing(int rows, int columns, std::uint64_t seed) {
  if (rows > columns)
    throw InputError(
        fmt::format("soap: mixed_channels is {}, expected at most {}, the channels there are (elements times n_max)", rows, columns));
  std::mt19937_64 generator(seed);
  Matrix result(rows, columns);
  for (int q = 0; q < rows; ++q) {
    for (int k = 0; k < columns; ++k) result(q, k) = normal(generator);
    for (int pass = 0; pass < 2; ++pass)  // Gram-Schmidt, twice for rounding
      for (int p = 0; p < q; ++p) result.row(q) -= result.row(p).dot(result.row(q)) * result.row(p);
    result.row(q).normalize();
  }
  return result;
}

}  // namespace gapkit
