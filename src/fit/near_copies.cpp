#include "fit/near_copies.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/random_stream.hpp>

namespace gapkit {
namespace {

constexpr std::size_t most_around = 10;      // frames before and after
constexpr std::size_t least_per_frame = 20;  // frames of the config type for each of them: the block is a tenth of these at most

}  // namespace

NearCopies::NearCopies(const Model& model, const DatasetSummary& summary, std::uint64_t seed)
    : model_(model), novelty_(model), seed_(seed) {
  for (std::size_t t = 0; t < model.terms.size(); ++t) {
    const Matrix& lower = model.factor.blocks()[t];
    directions_.push_back(Matrix::Identity(lower.rows(), lower.rows()));
    solve_lower_rows(lower, directions_.back());
    const auto& origins = model.terms[t].sparse.origin;
    for (std::size_t m = 0; m < origins.size(); ++m) {
      auto& of_frame = points_[origins[m].frame];
      of_frame.resize(model.terms.size());
      of_frame[t].push_back(static_cast<int>(m));
    }
  }
  for (const DatasetSummary::Frame& frame : summary.frames) {
    if (frame.atoms < 2) continue;
    type_[frame.number] = frame.config_type;
    frames_[frame.config_type].push_back(frame.number);
  }
}

std::vector<std::int64_t> NearCopies::around(std::int64_t frame) const {
  const auto type = type_.find(frame);
  if (type == type_.end()) return {frame};
  const std::vector<std::int64_t>& all = frames_.at(type->second);
  const std::size_t width = std::min(most_around, all.size() / least_per_frame);
  const auto place = static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), frame) - all.begin());
  const std::size_t first = place - std::min(place, width), last = std::min(all.size(), place + width + 1);
  return {all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(last)};
}

std::vector<std::int64_t> NearCopies::random(std::int64_t frame) const {
  const std::size_t count = around(frame).size();
  std::vector<std::int64_t> result = {frame};
  if (count < 2) return result;
  std::vector<std::int64_t> others = frames_.at(type_.at(frame));
  others.erase(std::lower_bound(others.begin(), others.end(), frame));
  RandomStream stream{.seed = seed_, .stream = static_cast<std::uint64_t>(frame)};
  for (std::size_t i = 0; i + 1 < count; ++i) {
    std::swap(others[i], others[i + stream.below(others.size() - i)]);
    result.push_back(others[i]);
  }
  std::sort(result.begin(), result.end());
  return result;
}

// The rows along the points' directions of each term are orthonormalised by the Cholesky factor of their Gram matrix.
Matrix NearCopies::spanned_without(const std::vector<std::int64_t>& frames, const Matrix& rows) const {
  Matrix spanned = novelty_.spanned(rows);
  for (std::size_t t = 0; t < directions_.size(); ++t) {
    std::vector<int> points;
    for (const std::int64_t frame : frames)
      if (const auto found = points_.find(frame); found != points_.end())
        points.insert(points.end(), found->second[t].begin(), found->second[t].end());
    if (points.empty()) continue;
    const Matrix directions = directions_[t](points, Eigen::all);
    Matrix gram(directions.rows(), directions.rows()), along(rows.rows(), directions.rows());
    multiply_nt(directions, directions, gram);
    if (!cholesky(gram)) throw NumericalError("the sparse points of neighbouring frames are linearly dependent");
    multiply_nt(rows.middleCols(model_.factor.offsets()[t], directions.cols()), directions, along);
    solve_lower_rows(gram, along);
    spanned.col(static_cast<Eigen::Index>(t)) -= along.rowwise().squaredNorm();
  }
  return spanned.cwiseMax(0.0);
}

void NearCopies::add(std::int64_t frame, const Matrix& rows, const Matrix& prior, std::vector<LeftOutAtom>& atoms) const {
  const Matrix near = spanned_without(around(frame), rows), far = spanned_without(random(frame), rows);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    LeftOutAtom& atom = atoms[i];
    atom.relative_around = novelty_.square(atom.element, near.row(row), prior.row(row));
    atom.relative_random = novelty_.square(atom.element, far.row(row), prior.row(row));
    atom.full_around = novelty_.full_square(atom.element, near.row(row), prior.row(row));
    atom.full_random = novelty_.full_square(atom.element, far.row(row), prior.row(row));
  }
}

}  // namespace gapkit
