// The Jacobian of the power spectrum, in blocks by the element of the neighbour.

#include <gapkit/math/spherical_harmonics_lanes.hpp>
#include <numbers>

#include "descriptors/soap_scratch.hpp"

namespace gapkit {

Soap::BlockOffsets Soap::make_blocks(const Environments& environments, const std::vector<int>& centre, Features& out) const {
  const auto count = centre.size();
  out.make_blocks(static_cast<std::size_t>(blocks_));
  BlockOffsets offset(out.blocks.size(), std::vector<int>(count + 1, 0));
  Neighborhood neighborhood;
  for (std::size_t e = 0; e < count; ++e) {
    gather(environments, centre[e], soap_lanes, neighborhood);
    for (std::size_t s = 0; s < offset.size(); ++s)
      offset[s][e + 1] = offset[s][e] + static_cast<int>(neighborhood.begin[s + 1] - neighborhood.begin[s]);
  }
  for (std::size_t s = 0; s < out.blocks.size(); ++s) {
    JacobianBlock& block = out.blocks[s];
    const auto pairs = static_cast<std::size_t>(offset[s][count]);
    block.feature = block_features_[s].higher;
    block.radial_feature = block_features_[s].zero;
    block.environment.resize(pairs);
    block.neighbor.resize(pairs);
    block.vector.resize(pairs);
    block.projection.resize(3 * pairs);
    block.values.resize(static_cast<Eigen::Index>(3 * pairs), static_cast<Eigen::Index>(block.feature.size()));
    block.radial.resize(static_cast<Eigen::Index>(pairs), radial_);
    block.direction.resize(static_cast<Eigen::Index>(count) * radial_, static_cast<Eigen::Index>(block.radial_feature.size()));
  }
  return offset;
}

// Radial functions with the cutoff function, and harmonics, of one block of pairs.
void Soap::fill_block(const Environments& environments, const Neighborhood& neighborhood, int block, Scratch& scratch) const {
  const auto& loops = soap_loops();
  const auto& b = neighborhood.blocks[static_cast<std::size_t>(block)];
  const int count = count_;
  const double per_spacing = 1 / basis_.spacing();
  const double* rows[soap_lanes];
  double weight[soap_lanes][6], derivative[soap_lanes][6];
  for (int k = 0; k < soap_lanes; ++k) {
    if (k >= b.count) {  // idle lanes: any unit vector, no weight
      scratch.x[k] = scratch.y[k] = scratch.inverse_r[k] = 0;
      scratch.z[k] = 1;
      rows[k] = table_of(0);
      std::fill(weight[k], weight[k] + 6, 0.0);
      std::fill(derivative[k], derivative[k] + 6, 0.0);
      continue;
    }
    const std::size_t pair = neighborhood.pair[static_cast<std::size_t>(b.first + k)];
    const double r = environments.distance[pair];
    const double inverse = r > JacobianBlock::smallest_distance ? 1 / r : 0;  // atoms at one place have no direction
    scratch.inverse_r[k] = inverse;
    scratch.x[k] = environments.vector[pair].x() * inverse;
    scratch.y[k] = environments.vector[pair].y() * inverse;
    scratch.z[k] = inverse > 0 ? environments.vector[pair].z() * inverse : 1;
    const int knot = std::min(static_cast<int>(r * per_spacing), basis_.knot_count() - 2);
    const int species =
        tables_.size() < 2 ? 0 : species_index(environments.atomic_number[static_cast<std::size_t>(environments.neighbor[pair])]);
    rows[k] = table_of(species) + static_cast<std::ptrdiff_t>(knot) * 3 * count;
    quintic_hermite(r * per_spacing - knot, weight[k], derivative[k]);
    const double fc = cutoff_value(r, basis_.cutoff(), width_), dfc = cutoff_derivative(r, basis_.cutoff(), width_);
    for (int j = 0; j < 6; ++j) {
      derivative[k][j] = dfc * weight[k][j] + fc * per_spacing * derivative[k][j];
      weight[k][j] *= fc;
    }
  }
  for (int k = 0; k < b.count; ++k)
    loops.radial(rows[k], weight[k], derivative[k], count, scratch.radial.data() + k * count, scratch.slope.data() + k * count);
  loops.harmonics(basis_.l_max(), prefactor_.data(), {scratch.x, scratch.y, scratch.z}, scratch.harmonics.data(),
                  scratch.harmonics_gradient.data());
}

SoapPairs Soap::loop_pairs(const Neighborhood::Block& block, const Scratch& scratch) const {
  return {.l_max = basis_.l_max(),
          .n_max = radial_,
          .channels = channels_,
          .offset = block.species * radial_,
          .count = block.count,
          .harmonics = scratch.harmonics.data(),
          .harmonics_gradient = scratch.harmonics_gradient.data(),
          .radial = scratch.radial.data(),
          .slope = scratch.slope.data(),
          .direction = {scratch.x, scratch.y, scratch.z},
          .inverse_r = scratch.inverse_r};
}

void Soap::fill_jacobian(const Environments& environments, const Neighborhood& neighborhood, const Spectrum& spectrum,
                         const BlockOffsets& offset, Features& out, Scratch& scratch) const {
  for (std::size_t s = 0; s < out.blocks.size(); ++s) fill_directions(static_cast<int>(s), spectrum, out.blocks[s], scratch);
  std::size_t species = out.blocks.size(), row = 0;
  for (int b = 0; b < static_cast<int>(neighborhood.blocks.size()); ++b) {
    const auto& pairs = neighborhood.blocks[static_cast<std::size_t>(b)];
    JacobianBlock& block = out.blocks[static_cast<std::size_t>(pairs.species)];
    if (static_cast<std::size_t>(pairs.species) != species) {  // pairs are sorted by species
      species = static_cast<std::size_t>(pairs.species);
      row = static_cast<std::size_t>(offset[species][spectrum.environment]);
      for (std::size_t i = 0; i < block.feature.size(); ++i) scratch.x_block[i] = spectrum.x[block.feature[i]];
    }
    fill_block(environments, neighborhood, b, scratch);
    for (int k = 0; k < pairs.count; ++k, ++row) {
      const std::size_t pair = neighborhood.pair[static_cast<std::size_t>(pairs.first + k)];
      block.environment[row] = static_cast<int>(spectrum.environment);
      block.neighbor[row] = environments.neighbor[pair];
      block.vector[row] = environments.vector[pair];
      fill_pair(pairs, k, row, spectrum, block, scratch);
    }
  }
}

// Three rows of the Jacobian: lane k of the block of pairs in the scratch.
void Soap::fill_pair(const Neighborhood::Block& pairs, int k, std::size_t row, const Spectrum& spectrum, JacobianBlock& block,
                     Scratch& scratch) const {
  double* projection = &block.projection[3 * row];
  const double* slope = scratch.slope.data() + k * count_;
  soap_loops().jacobian(loop_pairs(pairs, scratch), k, {basis_.l_max(), channels_, last_.data(), spectrum.coefficients},
                        {.scale = spectrum.inverse_norm,
                         .x = scratch.x_block.data(),
                         .columns = static_cast<int>(block.values.cols()),
                         .rows = block.values.row(static_cast<Eigen::Index>(3 * row)),
                         .projection = projection,
                         .scratch = scratch.jacobian.data()});
  // l = 0: dc_n/dr_α = R'_n r̂_α Y_00. Atoms at one place have no direction.
  double* radial = block.radial.row(static_cast<Eigen::Index>(row));
  const double scale = scratch.inverse_r[k] > 0 ? spectrum.inverse_norm * scratch.harmonics[static_cast<std::size_t>(k)] : 0;
  double along = 0;
  for (int n = 0; n < radial_; ++n) {
    radial[n] = scale * slope[n];
    along += radial[n] * scratch.direction_x[static_cast<std::size_t>(pairs.species * radial_ + n)];
  }
  projection[0] += scratch.x[k] * along;
  projection[1] += scratch.y[k] * along;
  projection[2] += scratch.z[k] * along;
}

// p(a, b ≤ a, 0) = f c_a c_b with f = 1 or √2 changes by f (dc_a c_b + c_a dc_b): along f (δ_na c_b + δ_nb c_a) for each dc_n. Also fills
// the products of these directions with x.
void Soap::fill_directions(int species, const Spectrum& spectrum, JacobianBlock& block, Scratch& scratch) const {
  const double* c = spectrum.coefficients;
  const BlockFeatures& features = block_features_[static_cast<std::size_t>(species)];
  const int first = species * radial_;
  for (int n = 0; n < radial_; ++n) {
    double* row = block.direction.row(static_cast<Eigen::Index>(spectrum.environment) * radial_ + n);
    double sum = 0;
    for (std::size_t i = 0; i < features.channels.size(); ++i) {
      const auto [a, b] = features.channels[i];
      row[i] = (a == first + n ? c[b] : 0.0) + (b == first + n ? c[a] : 0.0);
      if (a != b) row[i] *= std::numbers::sqrt2;
      sum += row[i] * spectrum.x[features.zero[i]];
    }
    scratch.direction_x[static_cast<std::size_t>(first + n)] = sum;
  }
}

ExpandedDensity::Jacobian Soap::coefficient_jacobian(const Environments& environments, int centre) const {
  Scratch scratch(*this);
  Neighborhood neighborhood;
  gather(environments, centre, soap_lanes, neighborhood);
  Jacobian result;
  result.pair.assign(neighborhood.pair.begin(), neighborhood.pair.begin() + static_cast<std::ptrdiff_t>(neighborhood.begin.back()));
  result.rows = Matrix::Zero(static_cast<Eigen::Index>(3 * result.pair.size()), coefficients_);
  const int size = (basis_.l_max() + 1) * (basis_.l_max() + 1);
  for (int b = 0; b < static_cast<int>(neighborhood.blocks.size()); ++b) {
    const auto& pairs = neighborhood.blocks[static_cast<std::size_t>(b)];
    fill_block(environments, neighborhood, b, scratch);
    for (int k = 0; k < pairs.count; ++k) {
      if (!(scratch.inverse_r[k] > 0)) continue;  // atoms at one place have no direction
      const double unit[3] = {scratch.x[k], scratch.y[k], scratch.z[k]};
      for (int alpha = 0; alpha < 3; ++alpha) {
        double* row = result.rows.row(3 * (pairs.first + k) + alpha).data() + pairs.species * radial_;
        for (int l = 0; l <= basis_.l_max(); ++l) {
          const double* value = scratch.radial.data() + k * count_ + l * radial_;
          const double* slope = scratch.slope.data() + k * count_ + l * radial_;
          for (int lm = l * l; lm < (l + 1) * (l + 1); ++lm) {
            const double along = unit[alpha] * scratch.harmonics[static_cast<std::size_t>(lm * soap_lanes + k)];
            const double across =
                scratch.inverse_r[k] * scratch.harmonics_gradient[static_cast<std::size_t>((alpha * size + lm) * soap_lanes + k)];
            for (int n = 0; n < radial_; ++n) row[lm * channels_ + n] = along * slope[n] + across * value[n];
          }
        }
      }
    }
  }
  return result;
}

}  // namespace gapkit
