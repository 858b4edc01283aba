#pragma once

#include <gapkit/core/types.hpp>

namespace gapkit {

/// A dense row-major matrix of real numbers in double or single precision.
template <class Real>
using MatrixOf = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using SingleView = Eigen::Ref<const MatrixOf<float>, 0, Eigen::OuterStride<>>;
using SingleSlice = Eigen::Ref<MatrixOf<float>, 0, Eigen::OuterStride<>>;

/// c = a bᵀ in single precision.   [m,k] [n,k] → [m,n], 2mnk flop at twice the speed of double precision
void multiply_nt(const SingleView& a, const SingleView& b, SingleSlice c);

}  // namespace gapkit
