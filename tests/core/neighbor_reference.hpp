#pragma once

// Neighbour lists by definition, and structures to compare them on.

#include <Eigen/LU>
#include <array>
#include <cmath>
#include <gapkit/core/neighbor_list.hpp>
#include <random>
#include <tuple>

#include "support/distributions.hpp"
#include "support/support.hpp"

namespace gapkit::test {

using Shift = std::array<int, 3>;

struct Pair {
  int i = 0, j = 0;
  Shift shift = {0, 0, 0};
  Vector3 vector = Vector3::Zero();
  double distance = 0;

  auto key() const { return std::tie(i, j, shift); }
};

inline std::vector<Pair> pairs_of(const NeighborList& list) {
  std::vector<Pair> pairs;
  for (int i = 0; i < list.size(); ++i)
    for (std::size_t p = list.begin()[i]; p < list.begin()[i + 1]; ++p)
      pairs.push_back({i, list.index()[p], list.shift()[p], list.vector()[p], list.distance()[p]});
  return pairs;
}

/// The definition: every pair with every image that could be within the cutoff.
inline std::vector<Pair> brute_force(const Structure& s, double cutoff) {
  std::array<bool, 3> periodic = {false, false, false};
  Matrix3 cell = Matrix3::Zero(), complete = Matrix3::Zero();
  std::vector<int> rows;
  for (int d = 0; d < 3; ++d)
    if (s.cell && s.pbc[static_cast<std::size_t>(d)]) {
      periodic[static_cast<std::size_t>(d)] = true;
      cell.row(d) = complete.row(d) = s.cell->row(d);
      rows.push_back(d);
    }
  // |n_d| ≤ |r| · |column d of the pseudoinverse| for the image vector r = n · cell.
  Eigen::MatrixXd vectors(rows.size(), 3);
  for (std::size_t k = 0; k < rows.size(); ++k) vectors.row(static_cast<Eigen::Index>(k)) = cell.row(rows[k]);
  const Eigen::MatrixXd inverse =
      rows.empty() ? Eigen::MatrixXd(3, 0) : Eigen::MatrixXd(vectors.transpose() * (vectors * vectors.transpose()).inverse());

  std::vector<Pair> pairs;
  for (int i = 0; i < s.size(); ++i)
    for (int j = 0; j < s.size(); ++j) {
      const Vector3 direct = (s.positions.row(j) - s.positions.row(i)).transpose();
      Shift low = {0, 0, 0}, high = {0, 0, 0};
      for (std::size_t k = 0; k < rows.size(); ++k) {
        // r_ij = direct + S·cell is within the cutoff, so S_d is within cutoff/height of −direct · inverse
        const Eigen::VectorXd column = inverse.col(static_cast<Eigen::Index>(k));
        const double middle = -column.dot(direct), half = cutoff * column.norm();
        low[static_cast<std::size_t>(rows[k])] = static_cast<int>(std::floor(middle - half)) - 1;
        high[static_cast<std::size_t>(rows[k])] = static_cast<int>(std::ceil(middle + half)) + 1;
      }
      for (int x = low[0]; x <= high[0]; ++x)
        for (int y = low[1]; y <= high[1]; ++y)
          for (int z = low[2]; z <= high[2]; ++z) {
            if (i == j && x == 0 && y == 0 && z == 0) continue;
            const Vector3 vector = direct + cell.transpose() * Vector3(x, y, z);
            if (vector.norm() < cutoff) pairs.push_back({i, j, {x, y, z}, vector, vector.norm()});
          }
    }
  return pairs;
}

/// Compares entry by entry; both are sorted by (i, j, S) by definition.
inline void check_against_brute_force(const Structure& s, double cutoff) {
  const NeighborList list(s, cutoff);
  const auto found = pairs_of(list), expected = brute_force(s, cutoff);
  CHECK(list.size() == s.size());
  CHECK(list.cutoff() == cutoff);
  CHECK(list.pair_count() == found.size());
  REQUIRE(found.size() == expected.size());
  std::size_t wrong = 0;
  double worst = 0;
  const double scale = s.size() > 0 ? 1 + s.positions.cwiseAbs().maxCoeff() : 1;
  for (std::size_t p = 0; p < found.size(); ++p) {
    if (found[p].key() != expected[p].key()) ++wrong;
    const double error =
        worse(largest_difference(found[p].vector, expected[p].vector), std::abs(found[p].distance - found[p].vector.norm()));
    worst = worse(worst, error);
    if (!(found[p].distance < cutoff)) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(worst <= 1e-14 * scale);
}

inline Structure random_atoms(int n, const Matrix3& cell, double spread, std::mt19937& random) {
  Uniform uniform(-spread, 1 + spread);
  Structure s;
  s.cell = cell;
  s.pbc = {true, true, true};
  s.atomic_numbers.assign(static_cast<std::size_t>(n), 14);
  s.positions.resize(n, 3);
  for (int i = 0; i < n; ++i) {
    Eigen::RowVector3d fractional;
    for (double& f : fractional) f = uniform(random);
    s.positions.row(i) = fractional * cell;
  }
  return s;
}

/// Any shape and handedness; the volume is at least a fifth of a · b · c.
inline Matrix3 random_cell(double length, std::mt19937& random) {
  Uniform uniform(-1, 1);
  for (;;) {
    Matrix3 cell;
    for (int k = 0; k < 9; ++k) cell(k / 3, k % 3) = uniform(random);
    const double norms = cell.row(0).norm() * cell.row(1).norm() * cell.row(2).norm();
    if (std::abs(cell.determinant()) > 0.2 * norms) return cell * length;
  }
}

inline void set_pbc(Structure& s, int mask) {
  s.pbc = {(mask & 1) != 0, (mask & 2) != 0, (mask & 4) != 0};
}

inline Structure molecule(const Positions& positions) {
  Structure s;
  s.positions = positions;
  s.atomic_numbers.assign(static_cast<std::size_t>(positions.rows()), 6);
  return s;
}

}  // namespace gapkit::test
