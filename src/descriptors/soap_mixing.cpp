#include "descriptors/soap_mixing.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/math/random_stream.hpp>

namespace gapkit {

Matrix random_mixing(int rows, int columns, std::uint64_t seed) {
  if (rows > columns)
    throw InputError(
        fmt::format("soap: mixed_channels is {}, expected at most {}, the channels there are (elements times n_max)", rows, columns));
  RandomStream random{.seed = seed};
  Matrix result(rows, columns);
  for (int q = 0; q < rows; ++q) {
    for (int k = 0; k < columns; ++k) result(q, k) = random.normal();
    for (int pass = 0; pass < 2; ++pass)  // Gram-Schmidt, twice for rounding
      for (int p = 0; p < q; ++p) result.row(q) -= result.row(p).dot(result.row(q)) * result.row(p);
    result.row(q).normalize();
  }
  return result;
}

}  // namespace gapkit
