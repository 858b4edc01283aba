#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "math/require_shapes.hpp"

extern "C" {
void dpotri_(const char*, const int*, double*, const int*, int*, std::size_t);
}

namespace gapkit {
namespace {

// Rectangular full packed storage (Gustavson et al., ACM Trans. Math. Softw. 37, 18 (2010); TRANSR = N, UPLO = L) is, column by column,
// one stretch of a row of the last diagonal block and one stretch of a column of the rest. Calls visit(fixed, first, count, elements) for
// each: elements[k] = a(fixed, first + k). The diagonal element is the last of the former and the first of the latter.
template <class Element, class Visit>
void for_each_stretch(Eigen::Index n, Element* packed, Visit&& visit) {
  const bool is_even = n % 2 == 0;
  const Eigen::Index head = n - n / 2, stride = is_even ? n + 1 : n;
  for (Eigen::Index c = 0; c < head; ++c) {
    Element* column = packed + c * stride;
    const Eigen::Index tail = is_even ? c + 1 : c;
    if (tail > 0) visit(head + tail - 1, head, tail, column);
    visit(c, c, n - c, column + tail);
  }
}

}  // namespace

void invert_from_cholesky(Matrix& a) {
  require_shapes(a.rows() == a.cols(), "invert_from_cholesky");
  const int n = static_cast<int>(a.rows());
  if (n == 0) return;
  int info = 0;
  dpotri_("U", &n, a.data(), &n, &info, 1);
  if (info != 0) throw NumericalError("a Cholesky factor with a zero on its diagonal has no inverse");
}

void SymmetricAccumulator::set_zero() {
  std::fill(packed_.begin(), packed_.end(), 0.0);
}

void SymmetricAccumulator::add(const SymmetricAccumulator& other, double factor) {
  require_shapes(size_ == other.size_, "SymmetricAccumulator::add");
  const auto count = static_cast<Eigen::Index>(packed_.size());
  Eigen::Map<Vector>(packed_.data(), count) += factor * Eigen::Map<const Vector>(other.packed_.data(), count);
}

void SymmetricAccumulator::assign_lower(const Matrix& full) {
  require_shapes(full.rows() == size_ && full.cols() == size_, "SymmetricAccumulator::assign_lower");
  for_each_stretch(size_, packed_.data(), [&](Eigen::Index fixed, Eigen::Index first, Eigen::Index count, double* elements) {
    Eigen::Map<Vector> values(elements, count);
    if (fixed == first)
      values = full.col(fixed).segment(first, count);
    else
      values = full.row(fixed).segment(first, count).transpose();
  });
}

void SymmetricAccumulator::copy_lower_to(Matrix& full) const {
  require_shapes(full.rows() == size_ && full.cols() == size_, "SymmetricAccumulator::copy_lower_to");
  for_each_stretch(size_, packed_.data(), [&](Eigen::Index fixed, Eigen::Index first, Eigen::Index count, const double* elements) {
    const Eigen::Map<const Vector> values(elements, count);
    if (fixed == first)
      full.col(fixed).segment(first, count) = values;
    else
      full.row(fixed).segment(first, count) = values.transpose();
  });
}

Vector SymmetricAccumulator::diagonal() const {
  Vector result(size_);
  for_each_stretch(size_, packed_.data(), [&](Eigen::Index fixed, Eigen::Index first, Eigen::Index, const double* elements) {
    result[fixed] = elements[fixed - first];
  });
  return result;
}

Vector SymmetricAccumulator::operator*(const Vector& v) const {
  require_shapes(v.size() == size_, "SymmetricAccumulator *");
  Vector result = Vector::Zero(size_);
  for_each_stretch(size_, packed_.data(), [&](Eigen::Index fixed, Eigen::Index first, Eigen::Index count, const double* elements) {
    const Eigen::Map<const Vector> values(elements, count);
    result.segment(first, count) += v[fixed] * values;
    result[fixed] += values.dot(v.segment(first, count)) - elements[fixed - first] * v[fixed];
  });
  return result;
}

long double SymmetricAccumulator::quadratic_form(const Vector& v) const {
  require_shapes(v.size() == size_, "SymmetricAccumulator::quadratic_form");
  long double sum = 0;
  for_each_stretch(size_, packed_.data(), [&](Eigen::Index fixed, Eigen::Index first, Eigen::Index count, const double* elements) {
    long double row = 0;
    for (Eigen::Index k = 0; k < count; ++k) row += static_cast<long double>(elements[k]) * v[first + k];
    const long double own = static_cast<long double>(elements[fixed - first]) * v[fixed];
    sum += v[fixed] * (2 * row - own);
  });
  return sum;
}

double SymmetricAccumulator::inner_product(const SymmetricAccumulator& other) const {
  require_shapes(size_ == other.size_, "SymmetricAccumulator::inner_product");
  const auto count = static_cast<Eigen::Index>(packed_.size());
  const double all = Eigen::Map<const Vector>(packed_.data(), count).dot(Eigen::Map<const Vector>(other.packed_.data(), count));
  return 2 * all - diagonal().dot(other.diagonal());
}

}  // namespace gapkit
