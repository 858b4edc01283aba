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

}  // namespace gapkit
