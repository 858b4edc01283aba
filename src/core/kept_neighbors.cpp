#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <gapkit/core/cell_frame.hpp>
#include <gapkit/core/kept_neighbors.hpp>
#include <numeric>

namespace gapkit {
namespace {

/// Rows are zero in directions that are not periodic: no shift occurs there.
Matrix3 periodic_cell(const Structure& structure) {
  Matrix3 cell = Matrix3::Zero();
  for (int d = 0; d < 3; ++d)
    if (structure.cell && structure.pbc[static_cast<std::size_t>(d)]) cell.row(d) = structure.cell->row(d);
  return cell;
}

}  // namespace

const Environments& KeptNeighbors::update(const Structure& structure, double cutoff, double skin) {
  if (!(skin > 0) || !is_good(structure, cutoff)) make_list(structure, cutoff + std::max(skin, 0.0));
  select_pairs(structure, cutoff);
  return view_;
}

bool KeptNeighbors::is_good(const Structure& structure, double cutoff) const {
  if (!(reach_ > cutoff) || structure.atomic_numbers != reference_.atomic_numbers || structure.pbc != reference_.pbc ||
      structure.cell.has_value() != reference_.cell.has_value())
    return false;
  const Matrix3 now = periodic_cell(structure), before = periodic_cell(reference_);
  // r → r F, in the frame of all three directions
  Matrix3 strain = Matrix3::Identity();
  double smallest = 1;  // singular value
  if ((now.array() != before.array()).any()) {
    strain = make_cell_frame(reference_).inverse * make_cell_frame(structure).basis;
    smallest = Eigen::JacobiSVD<Eigen::Matrix3d>(strain).singularValues()[2];
  }
  const double most = 0.5 * (smallest * reach_ - cutoff);
  if (!(most > 0)) return false;
  for (Eigen::Index i = 0; i < structure.size(); ++i)
    if (!((structure.positions.row(i) - reference_.positions.row(i) * strain).squaredNorm() <= most * most)) return false;  // NaN too
  return true;
}

void KeptNeighbors::make_list(const Structure& structure, double reach) {
  reach_ = 0;
  const NeighborList list(structure, reach);
  list_begin_ = list.begin();
  list_index_ = list.index();
  list_shift_ = list.shift();
  reference_.cell = structure.cell;
  reference_.pbc = structure.pbc;
  reference_.atomic_numbers = structure.atomic_numbers;
  reference_.positions = structure.positions;
  centre_.resize(structure.atomic_numbers.size());
  std::iota(centre_.begin(), centre_.end(), 0);
  reach_ = reach;
  ++lists_made_;
}

void KeptNeighbors::select_pairs(const Structure& structure, double cutoff) {
  const Matrix3 cell = periodic_cell(structure);
  const double limit = cutoff * cutoff * (1 + 1e-12);
  neighbor_.clear();
  vector_.clear();
  distance_.clear();
  begin_.assign(1, 0);
  for (std::size_t i = 0; i + 1 < list_begin_.size(); ++i) {
    const Vector3 from = structure.positions.row(static_cast<Eigen::Index>(i)).transpose();
    for (std::size_t p = list_begin_[i]; p < list_begin_[i + 1]; ++p) {
      // As NeighborList computes it
      const std::array<int, 3>& s = list_shift_[p];
      const Vector3 vector = (structure.positions.row(list_index_[p]).transpose() - from) + cell.transpose() * Vector3(s[0], s[1], s[2]);
      const double square = vector.squaredNorm();
      if (!(square <= limit)) continue;
      const double distance = std::sqrt(square);
      if (!(distance < cutoff)) continue;
      neighbor_.push_back(list_index_[p]);
      vector_.push_back(vector);
      distance_.push_back(distance);
    }
    begin_.push_back(neighbor_.size());
  }
  view_ = {centre_, reference_.atomic_numbers, begin_, neighbor_, vector_, distance_, cutoff};
}

}  // namespace gapkit
