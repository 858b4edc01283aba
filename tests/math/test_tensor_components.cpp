#include <cmath>
#include <fstream>
#include <gapkit/math/tensor_components.hpp>
#include <nlohmann/json.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Vector vector_in(const nlohmann::json& list) {
  const auto v = list.get<std::vector<double>>();
  return Eigen::Map<const Vector>(v.data(), static_cast<Eigen::Index>(v.size()));
}

}  // namespace

TEST_CASE("Spherical components of a matrix have the reference values, and the maps keep norms") {
  std::ifstream file(source_folder() / "tests" / "data" / "tensor" / "cartesian.json");
  const nlohmann::json reference = nlohmann::json::parse(file);
  Vector t(9);
  for (std::size_t i = 0; i < 9; ++i) t[static_cast<Eigen::Index>(i)] = reference.at("T")[i / 3][i % 3].get<double>();
  for (const int lambda : {0, 2}) {
    const Matrix e = unit_matrices(lambda);
    CHECK(largest_difference(Vector(e * t), vector_in(reference.at(lambda == 0 ? "l0" : "l2"))) <= 1e-14);
    CHECK(largest_difference(Matrix(e * e.transpose()), Matrix(Matrix::Identity(e.rows(), e.rows()))) <= 1e-15);
  }
}

TEST_CASE("Gaunt couplings are orthonormal: the sum over m1 and m2 of two components is 1 for equal ones and 0 for others") {
  for (int lambda = 0; lambda <= 3; ++lambda)
    for (int l1 = 0; l1 <= 4; ++l1)
      for (int l2 = l1; l2 <= 4; ++l2) {
        if ((l1 + l2 + lambda) % 2 != 0 || lambda < l2 - l1 || lambda > l1 + l2) continue;
        CAPTURE(lambda);
        CAPTURE(l1);
        CAPTURE(l2);
        Matrix c = Matrix::Zero(2 * lambda + 1, (2 * l1 + 1) * (2 * l2 + 1));
        for (const Coupling& k : gaunt_couplings(l1, l2, lambda)) c(k.mu, k.m1 * (2 * l2 + 1) + k.m2) = k.value;
        CHECK(largest_difference(Matrix(c * c.transpose()), Matrix(Matrix::Identity(c.rows(), c.rows()))) <= 1e-13);
      }
}
