#include "potentials/reciprocal_space.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/math/parallel_tasks.hpp>
#include <numbers>
#include <numeric>

#include "potentials/reciprocal_kernel.hpp"

// A wave vector is k = n·B with integers n = (n1, n2, n3); B are the reciprocal vectors of the box. The phase of an atom is a product of
// three, from tables of cos and sin of 2π n f for each direction. A row of the sum is a pair (n1, n2); with the phases of rows [2R, N] and
// those of n3 ≥ 0 [2M, N], the structure factors of all ±n3 are one matrix product, and potentials and forces are two more.

namespace gapkit {
namespace {

constexpr int rows_of_block = 32;
constexpr int smallest_chunk = 256;  // atoms of a task
constexpr int most_chunks = 16;      // each has its own structure factors; the number does not depend on the threads
constexpr double most_vectors = 2e8;

/// Weights of the wave vectors of one row (n1, n2).
struct Row {
  int n1 = 0, n2 = 0;
  double multiplicity = 2;                // k and −k
  std::vector<KernelWeight> plus, minus;  // by n3 ≥ 0; minus[0] is not used
  int size() const { return static_cast<int>(plus.size()); }
};

class WaveVectors {
 public:
  explicit WaveVectors(const EwaldPlan& plan);

  const std::vector<Row>& rows() const { return rows_; }
  std::array<int, 3> axis;  ///< of the box, for n1, n2, n3; the last has the most vectors
  std::array<int, 3> most;  ///< largest |n|
  Matrix3 reciprocal;       ///< rows are the vectors of n1, n2, n3, 1/Å

  Vector3 vector(int n1, int n2, int n3) const {
    return reciprocal.row(0).transpose() * n1 + reciprocal.row(1).transpose() * n2 + reciprocal.row(2).transpose() * n3;
  }

 private:
  void add_row(int n1, int n2, const EwaldPlan& plan, const ReciprocalKernel& kernel);

  std::vector<Row> rows_;
};

WaveVectors::WaveVectors(const EwaldPlan& plan) {
  std::array<int, 3> count{};
  double vectors = 1;
  for (int d = 0; d < 3; ++d) {
    const double largest = plan.reciprocal_cutoff * plan.box.row(d).norm() / (2 * std::numbers::pi);
    vectors *= 2 * largest + 1;
    if (!(vectors < most_vectors))
      throw InputError(
          "a Coulomb sum of this cell has more than 2e8 wave vectors; is a cell vector or the distance between atoms far too "
          "large, or pbc false in a direction where it is true?");
    count[static_cast<std::size_t>(d)] = static_cast<int>(largest);
  }
  std::iota(axis.begin(), axis.end(), 0);
  std::stable_sort(axis.begin(), axis.end(),
                   [&](int a, int b) { return count[static_cast<std::size_t>(a)] < count[static_cast<std::size_t>(b)]; });
  const Matrix3 all = 2 * std::numbers::pi * plan.box.inverse().transpose();
  for (std::size_t d = 0; d < 3; ++d) {
    most[d] = count[static_cast<std::size_t>(axis[d])];
    reciprocal.row(static_cast<Eigen::Index>(d)) = all.row(axis[d]);
  }
  const ReciprocalKernel kernel(plan);
  for (int n1 = 0; n1 <= most[0]; ++n1)
    for (int n2 = n1 == 0 ? 0 : -most[1]; n2 <= most[1]; ++n2) add_row(n1, n2, plan, kernel);
  std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.size() > b.size(); });
}

void WaveVectors::add_row(int n1, int n2, const EwaldPlan& plan, const ReciprocalKernel& kernel) {
  Row row{.n1 = n1, .n2 = n2, .multiplicity = n1 == 0 && n2 == 0 ? 1.0 : 2.0, .plus = {}, .minus = {}};
  int used = 0;
  const auto weight = [&](int n3) -> KernelWeight {
    const Vector3 k = vector(n1, n2, n3);
    if (!(k.norm() < plan.reciprocal_cutoff)) return {};
    used = std::abs(n3) + 1;
    if (n1 == 0 && n2 == 0 && n3 == 0) return kernel(0, 0);
    const Vector3 along = plan.along * k;
    const double length = along.norm(), across = (k - along).norm();
    const bool is_across = length <= 1e-12 * across, is_along = across <= 1e-12 * length;
    return kernel(is_across ? 0 : length, is_along ? 0 : across);
  };
  for (int n3 = 0; n3 <= most[2]; ++n3) {
    row.plus.push_back(weight(n3));
    row.minus.push_back(n3 > 0 ? weight(-n3) : KernelWeight{});
  }
  row.plus.resize(static_cast<std::size_t>(used));
  row.minus.resize(static_cast<std::size_t>(used));
  if (used > 0) rows_.push_back(std::move(row));
}

/// Tables of a range of atoms: cos and sin of 2π n f.
class Phases {
 public:
  Phases(const Positions& positions, int first, int count, const WaveVectors& waves, const Matrix3& box) : count_(count), waves_(waves) {
    const Matrix3 inverse = box.inverse();
    for (std::size_t d = 0; d < 3; ++d) {
      Matrix& table = tables_[d];
      table.resize(2 * (waves.most[d] + 1), count);
      for (int i = 0; i < count; ++i) {
        double f = positions.row(first + i).dot(inverse.col(waves.axis[d]).transpose());
        f = 2 * std::numbers::pi * (f - std::floor(f));
        const double c = std::cos(f), s = std::sin(f);
        double cn = 1, sn = 0;
        for (int n = 0; n <= waves.most[d]; ++n) {
          table(2 * n, i) = cn;
          table(2 * n + 1, i) = sn;
          const double next = cn * c - sn * s;
          sn = sn * c + cn * s;
          cn = next;
        }
      }
    }
  }

  int count() const { return count_; }
  /// [2M, N]: rows 2 n3 and 2 n3 + 1 are cos and sin.
  const Matrix& last() const { return tables_[2]; }

  /// [2R, N]: cos and sin of each of the rows first … first + count − 1.
  void of_rows(std::size_t first, std::size_t count, Matrix& result) const {
    result.resize(static_cast<Eigen::Index>(2 * count), count_);
    for (std::size_t r = 0; r < count; ++r) {
      const Row& row = waves_.rows()[first + r];
      const double sign = row.n2 < 0 ? -1 : 1;
      const double *c1 = &tables_[0](2 * row.n1, 0), *s1 = &tables_[0](2 * row.n1 + 1, 0);
      const double *c2 = &tables_[1](2 * std::abs(row.n2), 0), *s2 = &tables_[1](2 * std::abs(row.n2) + 1, 0);
      double *c = &result(static_cast<Eigen::Index>(2 * r), 0), *s = &result(static_cast<Eigen::Index>(2 * r + 1), 0);
      for (int i = 0; i < count_; ++i) {
        const double s2i = sign * s2[i];
        c[i] = c1[i] * c2[i] - s1[i] * s2i;
        s[i] = s1[i] * c2[i] + c1[i] * s2i;
      }
    }
  }

 private:
  int count_;
  const WaveVectors& waves_;
  std::array<Matrix, 3> tables_;
};

/// Rows that are computed together.
struct Block {
  std::size_t first = 0, count = 0;
  int length = 0;  ///< of the longest row
};

std::vector<Block> blocks_of(const WaveVectors& waves) {
  std::vector<Block> blocks;
  for (std::size_t first = 0; first < waves.rows().size(); first += rows_of_block)
    blocks.push_back({first, std::min<std::size_t>(rows_of_block, waves.rows().size() - first), waves.rows()[first].size()});
  return blocks;
}

/// Structure factor of a wave vector with ±n3: real and imaginary part.
struct Factor {
  double real = 0, imaginary = 0;
};

/// From the products of a row: cos·cos, cos·sin, sin·cos, sin·sin of (n1, n2) and n3.
Factor factor_of(const Matrix& products, Eigen::Index row, int n3, int sign) {
  const double cc = products(2 * row, 2 * n3), cs = products(2 * row, 2 * n3 + 1);
  const double sc = products(2 * row + 1, 2 * n3), ss = products(2 * row + 1, 2 * n3 + 1);
  return {cc - sign * ss, sc + sign * cs};
}

/// The sum over wave vectors for charges.
class ReciprocalSum {
 public:
  ReciprocalSum(const ChargeCloud& cloud, const EwaldPlan& plan, const CoulombOptions& options)
      : cloud_(cloud), plan_(plan), options_(options), waves_(plan), blocks_(blocks_of(waves_)), scale_(coulomb_constant / plan.volume) {
    const int n = cloud.structure.size();
    chunk_ = std::max(smallest_chunk, (n + most_chunks - 1) / most_chunks);
    chunks_ = static_cast<std::size_t>((n + chunk_ - 1) / chunk_);
  }

  void add(CoulombSum& sum) {
    find_factors();
    make_coefficients(sum);
    across_.assign(chunks_, Matrix3::Zero());
    for_chunks([&](std::size_t chunk, int first, const Phases& phases) { add_chunk(chunk, first, phases, sum); });
    if (options_.derivatives) add_across(sum);
  }

 private:
  template <class Visit>
  void for_chunks(const Visit& visit) const {
    const int n = cloud_.structure.size();
    parallel_tasks(chunks_, in_parallel_region() ? 1 : thread_count(), [&](std::size_t chunk, std::size_t) {
      const int first = static_cast<int>(chunk) * chunk_;
      visit(chunk, first, Phases(cloud_.structure.positions, first, std::min(chunk_, n - first), waves_, plan_.box));
    });
  }

  void find_factors();
  void make_coefficients(CoulombSum& sum);
  void add_chunk(std::size_t chunk, int first, const Phases& phases, CoulombSum& sum);
  void add_across(CoulombSum& sum) const;

  const ChargeCloud& cloud_;
  const EwaldPlan& plan_;
  const CoulombOptions& options_;
  WaveVectors waves_;
  std::vector<Block> blocks_;
  double scale_;
  int chunk_ = 0;
  std::size_t chunks_ = 0;
  std::vector<Matrix> products_;               // by block: Σ q of products of phases [2R, 2M]
  std::vector<Matrix> coefficients_, turned_;  // by block: of potentials, and their derivatives by the phase of n3
  std::vector<Matrix3> across_;                // Σ F rᵀ of the reciprocal forces, by chunk
};

void ReciprocalSum::find_factors() {
  std::vector<std::vector<Matrix>> parts(chunks_);
  for_chunks([&](std::size_t chunk, int first, const Phases& phases) {
    Matrix charged = phases.last(), of_rows;
    const Eigen::Map<const Eigen::RowVectorXd> q(cloud_.charges.data() + first, phases.count());
    charged.array().rowwise() *= q.array();
    for (const Block& block : blocks_) {
      phases.of_rows(block.first, block.count, of_rows);
      Matrix& product = parts[chunk].emplace_back(2 * static_cast<Eigen::Index>(block.count), 2 * block.length);
      multiply_nt(of_rows, charged.topRows(2 * block.length), product);
    }
  });
  products_ = std::move(parts.front());
  for (std::size_t chunk = 1; chunk < chunks_; ++chunk)
    for (std::size_t b = 0; b < blocks_.size(); ++b) products_[b] += parts[chunk][b];
}

// Coefficients of cos and sin of n3, for the cos and the sin of each row, and the virial along the periodic directions.
void ReciprocalSum::make_coefficients(CoulombSum& sum) {
  Matrix3 virial = Matrix3::Zero();
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const Block& block = blocks_[b];
    Matrix& c = coefficients_.emplace_back(Matrix::Zero(2 * static_cast<Eigen::Index>(block.count), 2 * block.length));
    Matrix& t = turned_.emplace_back(Matrix::Zero(c.rows(), c.cols()));
    for (std::size_t r = 0; r < block.count; ++r) {
      const Row& row = waves_.rows()[block.first + r];
      const auto at = static_cast<Eigen::Index>(r);
      for (int n3 = 0; n3 < row.size(); ++n3) {
        for (const int sign : {1, -1}) {
          if (n3 == 0 && sign < 0) continue;
          const KernelWeight& w = (sign > 0 ? row.plus : row.minus)[static_cast<std::size_t>(n3)];
          const Factor f = factor_of(products_[b], at, n3, sign);
          const double value = row.multiplicity * scale_ * w.value;
          c(2 * at, 2 * n3) += value * f.real;
          c(2 * at, 2 * n3 + 1) += sign * value * f.imaginary;
          c(2 * at + 1, 2 * n3) += value * f.imaginary;
          c(2 * at + 1, 2 * n3 + 1) -= sign * value * f.real;
          if (!options_.derivatives) continue;
          const double square = 0.5 * row.multiplicity * scale_ * (f.real * f.real + f.imaginary * f.imaginary);
          const Vector3 k = plan_.along * waves_.vector(row.n1, row.n2, sign * n3);
          virial += square * (w.value * plan_.along + w.slope * k * k.transpose());
        }
        for (const Eigen::Index i : {2 * at, 2 * at + 1}) {  // d/dφ of a cos φ + b sin φ is b cos φ − a sin φ
          t(i, 2 * n3) = n3 * c(i, 2 * n3 + 1);
          t(i, 2 * n3 + 1) = -n3 * c(i, 2 * n3);
        }
      }
    }
  }
  sum.virial += virial;
}

void ReciprocalSum::add_chunk(std::size_t chunk, int first, const Phases& phases, CoulombSum& sum) {
  const int count = phases.count();
  Matrix of_rows, product, slope;
  Eigen::ArrayXd potential = Eigen::ArrayXd::Zero(count);
  std::array<Eigen::ArrayXd, 3> slopes;  // of the potential by 2π f of each direction
  slopes.fill(Eigen::ArrayXd::Zero(count));
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const Block& block = blocks_[b];
    phases.of_rows(block.first, block.count, of_rows);
    product.resize(of_rows.rows(), count);
    multiply_nn(coefficients_[b], phases.last().topRows(2 * block.length), product);
    if (options_.derivatives) {
      slope.resize(of_rows.rows(), count);
      multiply_nn(turned_[b], phases.last().topRows(2 * block.length), slope);
    }
    for (std::size_t r = 0; r < block.count; ++r) {
      const Row& row = waves_.rows()[block.first + r];
      const auto c = static_cast<Eigen::Index>(2 * r), s = c + 1;
      potential += of_rows.row(c).array().transpose() * product.row(c).array().transpose() +
                   of_rows.row(s).array().transpose() * product.row(s).array().transpose();
      if (!options_.derivatives) continue;
      const Eigen::ArrayXd turn = of_rows.row(c).array().transpose() * product.row(s).array().transpose() -
                                  of_rows.row(s).array().transpose() * product.row(c).array().transpose();
      slopes[0] += row.n1 * turn;
      slopes[1] += row.n2 * turn;
      slopes[2] += of_rows.row(c).array().transpose() * slope.row(c).array().transpose() +
                   of_rows.row(s).array().transpose() * slope.row(s).array().transpose();
    }
  }
  for (int i = 0; i < count; ++i) {
    sum.potential[first + i] += potential[i];
    if (!options_.derivatives) continue;
    Vector3 force = Vector3::Zero();
    for (std::size_t d = 0; d < 3; ++d) force -= slopes[d][i] * waves_.reciprocal.row(static_cast<Eigen::Index>(d)).transpose();
    force *= cloud_.charges[static_cast<std::size_t>(first + i)];
    sum.forces.row(first + i) += force.transpose();
    across_[chunk] += force * cloud_.structure.positions.row(first + i);
  }
}

// Strain across the periodic directions moves atoms and leaves the box as it is.
void ReciprocalSum::add_across(CoulombSum& sum) const {
  if (plan_.periodic == 3) return;
  Matrix3 moment = Matrix3::Zero();
  for (const Matrix3& part : across_) moment += part;
  const Matrix3 across = Matrix3::Identity() - plan_.along;
  const Matrix3 mixed = plan_.along * moment * across;
  sum.virial += mixed + mixed.transpose() + across * moment * across;
}

}  // namespace

void add_reciprocal_space(const ChargeCloud& cloud, const EwaldPlan& plan, const CoulombOptions& options, CoulombSum& sum) {
  ReciprocalSum(cloud, plan, options).add(sum);
}

void add_reciprocal_space(const ChargeCloud& cloud, const EwaldPlan& plan, Matrix& matrix) {
  const int n = cloud.structure.size();
  const WaveVectors waves(plan);
  const Phases phases(cloud.structure.positions, 0, n, waves, plan.box);
  const double scale = coulomb_constant / plan.volume;
  Matrix of_row, wave(4 * (waves.most[2] + 1), n), weighted = wave;
  for (std::size_t r = 0; r < waves.rows().size(); ++r) {
    const Row& row = waves.rows()[r];
    phases.of_rows(r, 1, of_row);
    for (int n3 = 0; n3 < row.size(); ++n3)
      for (const int sign : {1, -1}) {
        const KernelWeight& w = (sign > 0 ? row.plus : row.minus)[static_cast<std::size_t>(n3)];
        const double weight = n3 == 0 && sign < 0 ? 0 : row.multiplicity * scale * w.value;
        const Eigen::Index at = 4 * n3 + (sign > 0 ? 0 : 2);
        const auto c = phases.last().row(2 * n3).array(), s = phases.last().row(2 * n3 + 1).array();
        wave.row(at) = of_row.row(0).array() * c - sign * (of_row.row(1).array() * s);
        wave.row(at + 1) = of_row.row(1).array() * c + sign * (of_row.row(0).array() * s);
        weighted.middleRows(at, 2) = weight * wave.middleRows(at, 2);
      }
    const Eigen::Index used = 4 * row.size();
    multiply_tn(wave.topRows(used), weighted.topRows(used), matrix, 1, 1);
  }
}

}  // namespace gapkit
