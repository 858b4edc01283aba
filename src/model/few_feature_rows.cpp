// Kernel rows of terms with one to four features. There a product of Jacobian and sparse points would be mostly memory traffic, and an
// environment's neighbours are in many environments: derivatives along r_ij are summed over all environments of a pair before they
// become forces and virial.

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/environment_chunks.hpp>
#include <gapkit/model/row_loops.hpp>

#include "model/kernel_rows_scratch.hpp"

namespace gapkit {
namespace {

constexpr Eigen::Index environments_in_block = 128;  // kernel values of a block and a tile stay in the second-level cache

}  // namespace

/// Whether the environments in `features` can go this way; a descriptor need not say which pair of the source each of its pairs is.
bool KernelRows::has_few_features(std::size_t t) const {
  const Eigen::Index size = terms_[t].descriptor->size();
  if (size > most_row_features || (*gradient_points_)[t].size() != 1 || gradient_points(t, 0).cols() != size) return false;
  if (scratch_->features.blocks.empty()) return true;  // energies only
  const JacobianBlock& block = scratch_->features.blocks[0];
  return block.pair.size() == block.environment.size() &&
         std::all_of(block.projection.begin(), block.projection.end(), [](double p) { return p == 0; });
}

// Which pairs of the source the environments in `features` share, and where the pairs of each environment begin.
void KernelRows::Scratch::collect_pairs(const Environments& environments, int begin, int end) {
  const JacobianBlock& block = features.blocks[0];
  const std::size_t first = environments.begin[static_cast<std::size_t>(begin)];
  slot_of.assign(environments.begin[static_cast<std::size_t>(end)] - first, -1);
  slot.resize(block.pair.size());
  pairs.clear();
  first_pair.assign(static_cast<std::size_t>(features.size()) + 1, 0);
  for (std::size_t q = 0; q < block.pair.size(); ++q) {
    const auto e = static_cast<std::size_t>(block.environment[q]);
    int& place = slot_of.at(block.pair[q] - first);
    if (place < 0) {
      place = static_cast<int>(pairs.size());
      pairs.push_back({features.centre[e], block.neighbor[q], block.vector[q]});
    }
    slot[q] = place;
    first_pair[e + 1] = q + 1;
  }
  for (std::size_t e = 1; e < first_pair.size(); ++e) first_pair[e] = std::max(first_pair[e], first_pair[e - 1]);
}

void KernelRows::add_few_features(std::size_t t, const Environments& environments, int begin, int end, int atoms, const Observables& wanted,
                                  MatrixSlice rows) {
  const Term& term = terms_[t];
  Scratch& s = *scratch_;
  const Features& features = s.features;
  const bool derivatives = wanted.forces || wanted.virial;
  if (derivatives) s.collect_pairs(environments, begin, end);
  const Eigen::Index count = term.sparse.size(), tile = widest_environment_tile, tiles = (count + tile - 1) / tile;
  const Eigen::Index n = features.size(), size = term.descriptor->size();
  const Vector metric = term.kernel->metric(static_cast<int>(size));
  const Matrix points = gradient_points(t, 0).transpose();  // Λz, one row per feature
  const bool has_own_slope = derivatives && term.kernel->has_own_slope();
  Matrix centre = Matrix::Zero(n, size);
  if (term.kernel->is_stationary() || has_own_slope)
    centre = metric.size() > 0 ? Matrix(features.x.view() * metric.asDiagonal()) : Matrix(features.x.view());
  for (std::vector<ReusableMatrix>* scratch : {&s.tile_value, &s.tile_slope, &s.tile_own_slope, &s.gradient})
    scratch->resize(static_cast<std::size_t>(thread_count()));

    // Each thread owns some columns, so sums have a fixed order and need no locks.
#pragma omp parallel for schedule(dynamic, 1) if (tiles > 1)
  for (Eigen::Index i = 0; i < tiles; ++i) {
    const Eigen::Index first = i * tile, width = std::min(tile, count - first);
    double* target = rows.data() + offsets_[t] + first;
    const auto thread = static_cast<std::size_t>(current_thread());
    ReusableMatrix &value = s.tile_value[thread], &slope = s.tile_slope[thread], &own_slope = s.tile_own_slope[thread],
                   &gradient = s.gradient[thread];
    gradient.resize(static_cast<Eigen::Index>(3 * s.pairs.size()), tile);
    if (derivatives) gradient.view().setZero();
    for (Eigen::Index from = 0; from < n; from += environments_in_block) {
      const Eigen::Index length = std::min(environments_in_block, n - from);
      value.resize(length, width);
      slope.resize(length, width);
      own_slope.resize(has_own_slope ? length : 0, width);
      MatrixSlice slopes = slope.view(), own_slopes = own_slope.view();
      term.kernel->compute(
          features.x.view().middleRows(from, length), term.sparse.x.middleRows(first, width),
          {.value = value.view(), .slope = derivatives ? &slopes : nullptr, .own_slope = has_own_slope ? &own_slopes : nullptr});
      if (wanted.energy)
        for (Eigen::Index e = 0; e < length; ++e) {
          const double f = features.cutoff[static_cast<std::size_t>(from + e)];
          for (Eigen::Index m = 0; m < width; ++m) target[m] += f * value(e, m);
        }
      if (derivatives) add_block({t, from, length, width, points.data() + first, points.cols(), centre, value, slope, own_slope}, gradient);
    }
    if (derivatives) spread_gradients(gradient, static_cast<int>(width), atoms, wanted, target, rows.outerStride());
  }
}

// Derivatives of the environments along their pairs.
void KernelRows::add_block(const EnvironmentBlock& part, ReusableMatrix& gradient) const {
  const Scratch& s = *scratch_;
  const JacobianBlock& block = s.features.blocks[0];
  const RowLoops& loops = row_loops();
  const std::vector<double> no_cutoff_gradient(block.cutoff_gradient.empty() ? 3 * block.pair.size() : 0, 0.0);
  const double* cutoff_gradient = block.cutoff_gradient.empty() ? no_cutoff_gradient.data() : block.cutoff_gradient.data();
  RowEnvironment environment{};
  environment.size = static_cast<int>(terms_[part.term].descriptor->size());
  environment.points = part.points;
  environment.points_stride = part.points_stride;
  for (Eigen::Index i = 0; i < part.length; ++i) {
    const auto e = static_cast<std::size_t>(part.from + i);
    const std::size_t q = s.first_pair[e];
    environment.centre = part.centre.data() + (part.from + i) * part.centre.cols();
    environment.value = part.value.row(i);
    environment.slope = part.slope.row(i);
    environment.own_slope = part.own_slope.rows() > 0 ? part.own_slope.row(i) : nullptr;
    environment.cutoff = s.features.cutoff[e];
    environment.pairs = static_cast<int>(s.first_pair[e + 1] - q);
    environment.jacobian = block.values.row(static_cast<Eigen::Index>(3 * q));
    environment.cutoff_gradient = cutoff_gradient + 3 * q;
    environment.slot = s.slot.data() + q;
    loops.add_environment(environment, static_cast<int>(part.width), gradient.row(0));
  }
}

void KernelRows::spread_gradients(const ReusableMatrix& gradient, int width, int atoms, const Observables& wanted, double* target,
                                  Eigen::Index stride) const {
  const RowLoops& loops = row_loops();
  double* forces = wanted.forces ? target + wanted.forces_row() * stride : nullptr;
  double* virial = wanted.virial ? target + wanted.virial_row(atoms) * stride : nullptr;
  for (std::size_t k = 0; k < scratch_->pairs.size(); ++k) {
    const Scratch::Pair& pair = scratch_->pairs[k];
    // An atom and its own image move together: no force, only a virial.
    const bool has_force = forces && pair.centre != pair.neighbor;
    loops.add_gradient(gradient.row(static_cast<Eigen::Index>(3 * k)), pair.vector.data(), width,
                       has_force && pair.neighbor < atoms ? forces + 3 * pair.neighbor * stride : nullptr,
                       has_force && pair.centre < atoms ? forces + 3 * pair.centre * stride : nullptr, virial, stride);
  }
}

}  // namespace gapkit
