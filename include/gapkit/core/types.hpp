#pragma once

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gapkit {

/// Row-major dense matrix: one environment, observable or sparse point per row.
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixView = Eigen::Ref<const Matrix, 0, Eigen::OuterStride<>>;
using MatrixSlice = Eigen::Ref<Matrix, 0, Eigen::OuterStride<>>;
using Vector = Eigen::VectorXd;
using Vector3 = Eigen::Vector3d;
/// 3 × 3, row-major; the rows of a cell are its vectors.
using Matrix3 = Eigen::Matrix<double, 3, 3, Eigen::RowMajor>;
/// n × 3, one atom per row.
using Positions = Eigen::Matrix<double, Eigen::Dynamic, 3, Eigen::RowMajor>;
/// Six components xx yy zz yz xz xy (Voigt, as ASE orders them).
using Voigt = Eigen::Matrix<double, 6, 1>;
/// Row and column of each Voigt component in a tensor.
inline constexpr std::array<std::array<int, 2>, 6> voigt_index = {{{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}}};

/// The six components of the symmetric part of a tensor.
inline Voigt voigt_of(const Matrix3& tensor) {
  Voigt six;
  for (std::size_t k = 0; k < voigt_index.size(); ++k) {
    const auto [i, j] = voigt_index[k];
    six[static_cast<Eigen::Index>(k)] = 0.5 * (tensor(i, j) + tensor(j, i));
  }
  return six;
}

/// The symmetric tensor of six components.
inline Matrix3 tensor_of(const Voigt& six) {
  Matrix3 tensor;
  for (std::size_t k = 0; k < voigt_index.size(); ++k) {
    const auto [i, j] = voigt_index[k];
    tensor(i, j) = tensor(j, i) = six[static_cast<Eigen::Index>(k)];
  }
  return tensor;
}

}  // namespace gapkit
