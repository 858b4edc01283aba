// Kernel rows of forces and virial of terms with many features: products of the Jacobian with the sparse points, in double or single
// precision, and their sums over pairs.

#include <algorithm>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/single_products.hpp>
#include <gapkit/model/row_loops.hpp>

#include "model/kernel_rows_scratch.hpp"

namespace gapkit {
namespace {

constexpr Eigen::Index cached_columns = 128;

template <class Real>
using RowsAt = Eigen::Map<MatrixOf<Real>, 0, Eigen::OuterStride<>>;

// Memory that never shrinks; the loops read up to seven numbers after the end.
template <class Real>
RowsAt<Real> room(AlignedVector<Real>& memory, Eigen::Index rows, Eigen::Index cols) {
  constexpr std::size_t beyond = 7;
  const auto needed = static_cast<std::size_t>(rows * cols) + beyond;
  if (memory.size() < needed) memory.resize(needed);
  return {memory.data(), rows, cols, Eigen::OuterStride<>(cols)};
}

}  // namespace

// Once for a term.
void KernelRows::fill_single_points(std::size_t t) const {
  auto& of_terms = scratch_->single_points;
  of_terms.resize(terms_.size());
  if (!of_terms[t].empty()) return;
  for (std::size_t b = 0; b < (*gradient_points_)[t].size(); ++b) of_terms[t].emplace_back(gradient_points(t, b));
}

// Products of the Jacobian and of the radial directions with Λ z.
template <class Real>
void KernelRows::contract(const PairRange& range) const {
  const JacobianBlock& block = range.jacobian();
  PairScratch<Real>& s = scratch_->of_thread<Real>(static_cast<std::size_t>(current_thread()));
  const Eigen::Index first = range.tile.first, width = range.tile.width;
  const auto begin = static_cast<Eigen::Index>(3 * range.begin), rows = static_cast<Eigen::Index>(3 * (range.end - range.begin));
  const auto jacobian = block.values.view().middleRows(begin, rows);
  RowsAt<Real> contraction = room(s.contraction, rows, width);
  if constexpr (std::is_same_v<Real, float>) {
    RowsAt<float> copy = room(s.jacobian, rows, jacobian.cols());
    const SinglePoints& points = scratch_->single_points[range.tile.term][range.block];
    row_loops().copy_to_single({jacobian.data(), jacobian.outerStride(), static_cast<int>(rows), static_cast<int>(jacobian.cols()),
                                points.directions.size() > 0 ? points.directions.data() : nullptr, copy.data(),
                                room(s.leading, rows, leading_directions).data()});
    points.rest.multiply(copy, first, contraction);
  } else {
    multiply_nt(jacobian, gradient_points(range.tile.term, range.block).middleRows(first, width), contraction);
  }
  const Eigen::Index directions = block.radial.cols();
  if (directions == 0) return;
  const Eigen::Index from = directions * range.first_environment();
  const Eigen::Index count = directions * (block.environment[range.end - 1] + 1) - from;
  multiply_nt(block.direction.view().middleRows(from, count),
              (*gradient_points_)[range.tile.term][range.block].radial.middleRows(first, width), room(s.radial, count, width));
}

template <class Real>
void KernelRows::fill_pairs(const PairRange& range, const StructureRows& out) const {
  const JacobianBlock& block = range.jacobian();
  PairScratch<Real>& s = scratch_->of_thread<Real>(static_cast<std::size_t>(current_thread()));
  double* forces = out.forces(offsets_[range.tile.term] + range.tile.first);
  s.pairs.resize(range.end - range.begin);
  const bool has_leading = std::is_same_v<Real, float> && scratch_->single_points[range.tile.term][range.block].directions.size() > 0;
  for (std::size_t q = range.begin; q < range.end; ++q) {
    RowPairOf<Real>& pair = s.pairs[q - range.begin];
    pair.contraction = s.contraction.data() + 3 * static_cast<Eigen::Index>(q - range.begin) * range.tile.width;
    pair.stride = range.tile.width;
    pair.leading = has_leading ? s.leading.data() + 3 * static_cast<Eigen::Index>(q - range.begin) * leading_directions : nullptr;
    pair.radial = block.radial.row(static_cast<Eigen::Index>(q));
    pair.radial_count = static_cast<int>(block.radial.cols());
    const Vector3 unit = block.unit(q);
    for (std::size_t a = 0; a < 3; ++a) {
      pair.unit[a] = unit[static_cast<Eigen::Index>(a)];
      pair.projection[a] = block.projection[3 * q + a];
      pair.own_contraction[a] = scratch_->own_contraction[range.block][3 * q + a];
      pair.cutoff_gradient[a] = block.cutoff_gradient.empty() ? 0.0 : block.cutoff_gradient[3 * q + a];
      pair.vector[a] = block.vector[q][static_cast<Eigen::Index>(a)];
    }
    const Eigen::Index centre = range.tile.features.centre[static_cast<std::size_t>(block.environment[q])], neighbor = block.neighbor[q];
    // An atom and its own image move together: no force, only a virial.
    pair.moves_centre = centre != neighbor;
    pair.force = forces && pair.moves_centre && neighbor < out.atoms ? forces + 3 * neighbor * out.stride : nullptr;
  }
}

template <class Real>
void KernelRows::add_pairs(const PairRange& range, const StructureRows& out) const {
  const JacobianBlock& block = range.jacobian();
  const Scratch& s = *scratch_;
  const PairScratch<Real>& own = scratch_->of_thread<Real>(static_cast<std::size_t>(current_thread()));
  const Eigen::Index first = range.tile.first, width = range.tile.width, directions = block.radial.cols();
  double* forces = out.forces(offsets_[range.tile.term] + first);
  double* virial = out.virial(offsets_[range.tile.term] + first);
  const SinglePoints* points = std::is_same_v<Real, float> ? &s.single_points[range.tile.term][range.block] : nullptr;
  // Few columns at a time, so that their force rows stay in the second-level cache.
  for (Eigen::Index from = 0; from < width; from += cached_columns)
    for (std::size_t q = range.begin, next = q; q < range.end; q = next) {
      const int e = block.environment[q];
      while (next < range.end && block.environment[next] == e) ++next;
      const auto position = static_cast<std::size_t>(e);
      const Eigen::Index atom = range.tile.features.centre[position];
      const RowCentre centre{s.value.row(e) + first,
                             s.slope.row(e) + first,
                             s.has_own_slope ? s.own_slope.row(e) + first : nullptr,
                             s.is_projected ? s.inner.row(e) + first : nullptr,
                             own.radial.data() + directions * (e - range.first_environment()) * width,
                             points ? points->leading.data() + first : nullptr,
                             points ? points->rest.cols() : 0,
                             range.tile.features.covariance_cutoff[position],
                             forces && atom < out.atoms ? forces + 3 * atom * out.stride : nullptr};
      const RowColumns columns{static_cast<int>(from), static_cast<int>(std::min(cached_columns, width - from)), virial, out.stride};
      const RowPairOf<Real>* pairs = &own.pairs[q - range.begin];
      if constexpr (std::is_same_v<Real, float>)
        row_loops().add_single_pairs(centre, pairs, static_cast<int>(next - q), columns);
      else
        row_loops().add_pairs(centre, pairs, static_cast<int>(next - q), columns);
    }
}

template <class Real>
void KernelRows::add_pair_rows(const Tile& tile, const StructureRows& out) const {
  for (std::size_t b = 0; b < tile.features.blocks.size(); ++b) {
    const std::size_t all_pairs = tile.features.blocks[b].environment.size();
    for (std::size_t begin = 0, end = 0; begin < all_pairs; begin = end) {
      end = std::min(all_pairs, begin + tile.pairs_in_chunk);
      const PairRange range{tile, b, begin, end};
      contract<Real>(range);
      fill_pairs<Real>(range, out);
      add_pairs<Real>(range, out);
    }
  }
}

template void KernelRows::add_pair_rows<double>(const Tile& tile, const StructureRows& out) const;
template void KernelRows::add_pair_rows<float>(const Tile& tile, const StructureRows& out) const;

}  // namespace gapkit
