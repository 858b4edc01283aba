#include "fit/left_out_groups.hpp"

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <numeric>

namespace gapkit {
namespace {

/// The posterior without a group: the weights u with precision R Rᵀ and moment, orthogonal to some directions.
struct Remaining {
  Matrix factor;      // R
  Vector whitened;    // R⁻¹ b
  Matrix directions;  // Y = B R⁻ᵀ
  Matrix gram;        // Cholesky factor of Y Yᵀ
};

Remaining remaining(Matrix precision, const Vector& moment, Matrix directions) {
  Remaining result;
  result.factor = std::move(precision);
  if (!cholesky(result.factor)) throw NumericalError("the precision without a group of structures is not positive definite");
  result.whitened = solve_lower(result.factor, moment);
  result.directions = std::move(directions);
  solve_lower_rows(result.factor, result.directions);
  result.gram.resize(result.directions.rows(), result.directions.rows());
  multiply_nt(result.directions, result.directions, result.gram);
  if (!cholesky(result.gram)) throw NumericalError("the sparse points of a group of structures are linearly dependent");
  return result;
}

Matrix columns_of(const Matrix& matrix, const std::vector<Eigen::Index>& columns) {
  return static_cast<Eigen::Index>(columns.size()) == matrix.cols() ? matrix : Matrix(matrix(Eigen::all, columns));
}

/// Places in `columns` of those points that are among them.
std::vector<Eigen::Index> places_of(std::vector<Eigen::Index> points, const std::vector<Eigen::Index>& columns) {
  std::vector<Eigen::Index> result;
  std::sort(points.begin(), points.end());
  for (const Eigen::Index point : points) {
    const auto place = std::lower_bound(columns.begin(), columns.end(), point);
    if (place != columns.end() && *place == point) result.push_back(place - columns.begin());
  }
  return result;
}

}  // namespace

LeftOutGroups::LeftOutGroups(const Posterior& posterior, GroupRule rule) : posterior_(posterior), rule_(std::move(rule)) {
  const Eigen::Index points = posterior.factor.rows();
  for (int g = 0; g < rule_.count; ++g) groups_.push_back({SymmetricAccumulator(points), Vector::Zero(points), {}, {}, {}});
}

void LeftOutGroups::add(const KeptRows& structure, const WeightedRows& rows, const Vector& shift, const std::vector<std::size_t>& chosen,
                        const std::vector<double>& sigma) {
  const int number = rule_.group_of(structure);
  group_of_[structure.number] = number;
  Group& group = groups_.at(static_cast<std::size_t>(number));
  group.gram.add_rows(rows.rows);
  group.moment += rows.rows.transpose() * rows.target;
  group.shifts.push_back(shift);
  group.own_points.insert(group.own_points.end(), rows.own_points.begin(), rows.own_points.end());
  if (chosen.empty()) return;
  group.chosen.push_back({structure.number, chosen, sigma, Matrix(), Vector()});
  const std::vector<Eigen::Index> places(chosen.begin(), chosen.end());
  group.chosen.back().x = rows.rows(places, Eigen::all);
  group.chosen.back().target = rows.target(places);
}

int LeftOutGroups::chosen_with(std::int64_t frame) const {
  return static_cast<int>(groups_.at(static_cast<std::size_t>(group_of_.at(frame))).chosen.size());
}

std::map<std::int64_t, std::vector<GroupRow>> LeftOutGroups::predict(const SparseFactor& factor, const std::vector<Eigen::Index>& columns,
                                                                     bool has_jackknife) const {
  const auto size = static_cast<Eigen::Index>(columns.size());
  // A Δ_t = X_tᵀ e_t of all structures: what they add to the moment of a fit without them
  std::vector<Matrix> added(groups_.size());
  for (std::size_t g = 0; has_jackknife && g < groups_.size(); ++g) {
    Matrix shifts(static_cast<Eigen::Index>(groups_[g].shifts.size()), size), half(shifts.rows(), size);
    for (Eigen::Index t = 0; t < shifts.rows(); ++t) shifts.row(t) = groups_[g].shifts[static_cast<std::size_t>(t)].transpose();
    multiply_nn(shifts, posterior_.factor, half);
    multiply_nt(half, posterior_.factor, added[g].setZero(shifts.rows(), size));
  }
  std::map<std::int64_t, std::vector<GroupRow>> result;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    if (group.chosen.empty() || groups_.size() < 2) continue;
    const std::vector<Eigen::Index> own = places_of(group.own_points, columns);
    if (2 * static_cast<Eigen::Index>(own.size()) > size) continue;  // little of the model would be left
    Matrix precision = Matrix::Identity(posterior_.factor.rows(), posterior_.factor.rows());
    Vector moment = Vector::Zero(precision.rows());
    for (std::size_t h = 0; h < groups_.size(); ++h) {
      if (h == g) continue;
      groups_[h].gram.add_lower_to(precision, 1);
      moment += groups_[h].moment;
    }
    if (size < precision.rows()) {
      precision = Matrix(precision(columns, columns));
      moment = Vector(moment(columns));
    }
    const Matrix b = directions_of_points(factor, own);
    const Remaining rest = remaining(std::move(precision), moment, b);
    const Vector bent = solve_lower(rest.gram, rest.directions * rest.whitened);
    std::vector<Matrix> moves;
    for (std::size_t h = 0; has_jackknife && h < groups_.size(); ++h) {
      if (h == g) continue;
      moves.push_back(added[h]);
      solve_lower_rows(rest.factor, moves.back());
    }
    for (const Chosen& chosen : group.chosen) {
      const Matrix x = columns_of(chosen.x, columns);
      Matrix t = x;
      solve_lower_rows(rest.factor, t);
      Matrix w(t.rows(), rest.gram.rows()), along(t.rows(), b.rows());
      multiply_nt(t, rest.directions, w);
      solve_lower_rows(rest.gram, w);
      multiply_nt(x, b, along);
      Vector jackknife = Vector::Zero(t.rows());
      if (has_jackknife) {  // rows orthogonal to the removed directions
        Matrix free = t, bend = w;
        for (Eigen::Index i = 0; i < bend.rows(); ++i) bend.row(i) = solve_lower_transposed(rest.gram, w.row(i).transpose()).transpose();
        multiply_nn(bend, rest.directions, free, -1, 1);
        for (const Matrix& moved : moves) jackknife += (free * moved.transpose()).rowwise().squaredNorm();
      }
      std::vector<GroupRow>& rows = result[chosen.number];
      for (Eigen::Index i = 0; i < t.rows(); ++i) {
        const double sigma = chosen.sigma[static_cast<std::size_t>(i)], square = sigma * sigma;
        const double predicted = t.row(i).dot(rest.whitened) - w.row(i).dot(bent);
        rows.push_back({chosen.rows[static_cast<std::size_t>(i)], sigma * (predicted - chosen.target[i]),
                        square * std::max(0.0, x.row(i).squaredNorm() - along.row(i).squaredNorm()),
                        square * std::max(0.0, t.row(i).squaredNorm() - w.row(i).squaredNorm()), square * jackknife[i]});
      }
    }
  }
  return result;
}

}  // namespace gapkit
