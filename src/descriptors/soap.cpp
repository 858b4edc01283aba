#include "descriptors/soap.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/spherical_harmonics_lanes.hpp>
#include <numbers>

#include "descriptors/soap_mixing.hpp"
#include "descriptors/soap_scratch.hpp"

namespace gapkit {

Soap::Soap(const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& elements)
    : Soap(parameters, species, elements,
           RadialBasis(static_cast<int>(parameters.integer("n_max")), static_cast<int>(parameters.integer("l_max")),
                       parameters.real("atom_sigma"), parameters.real("cutoff"),
                       parameters.has("radial_weight") ? static_cast<int>(parameters.integer("radial_weight")) : 0),
           Form::plain) {}

Soap::Soap(const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& elements, RadialBasis basis, Form form)
    : parameters_(parameters),
      species_(species),
      elements_(elements),
      basis_(std::move(basis)),
      width_(parameters.real("cutoff_width")),
      central_weight_(parameters.real("central_weight")),
      central_in_all_(parameters.boolean("central_reference_all_species")) {
  if (width_ > basis_.cutoff()) throw InputError("soap: cutoff_width is larger than cutoff");
  if (species_index(species_.at(0)) < 0) throw InputError("soap: the centre element is not among the neighbour elements");
  const int terms = basis_.l_max() + 1;
  // Models of earlier versions do not have this parameter.
  const auto asked = parameters.has("mixed_channels") ? static_cast<int>(parameters.integer("mixed_channels")) : 0;
  const int mixed = std::min(asked, static_cast<int>(elements_.size()) * basis_.n_max());  // more channels would add features
  radial_ = mixed > 0 ? mixed : basis_.n_max();
  blocks_ = mixed > 0 ? 1 : static_cast<int>(elements_.size());
  count_ = radial_ * terms;
  channels_ = blocks_ * radial_;
  order_features(form == Form::shortened);
  coefficients_ = terms * terms * channels_;
  prefactor_.resize(static_cast<std::size_t>(terms * (terms + 1) / 2));
  harmonics::fill_prefactors(basis_.l_max(), prefactor_.data(), [](double v) { return std::sqrt(v); });
  const bool undivided = parameters.has("undivided_spectrum") && parameters.boolean("undivided_spectrum");
  if (undivided) tables_.push_back(table_without_division());
  if (mixed > 0) mix_channels(static_cast<std::uint64_t>(parameters.integer("mixing_seed")));
  centre_ = centre_coefficients();
  for (int s = 0; s < blocks_; ++s) {
    BlockFeatures block;
    for (int a = 0, pair = 0; a < channels_; ++a)
      for (int b = 0; b <= a; ++b, ++pair) {
        if (a / radial_ != s && b / radial_ != s) continue;
        const auto p = static_cast<std::size_t>(pair);
        block.channels.emplace_back(a, b);
        block.zero.push_back(zero_[p]);
        for (int l = 1; l <= last_[p]; ++l) block.higher.push_back(higher_[p] + l - 1);
      }
    block_features_.push_back(std::move(block));
  }
}

// All l of one pair of channels, then of the next. In the short form first l = 0 of all pairs, then l ≥ 1 of the pairs without the last
// channel of an element.
void Soap::order_features(bool shortened) {
  const auto has_zero_only = [&](int channel) { return shortened && channel % radial_ == radial_ - 1; };
  features_ = shortened ? channels_ * (channels_ + 1) / 2 : 0;
  for (int a = 0; a < channels_; ++a)
    for (int b = 0; b <= a; ++b) {
      zero_.push_back(shortened ? static_cast<int>(zero_.size()) : features_++);
      higher_.push_back(features_);
      last_.push_back(has_zero_only(a) || has_zero_only(b) ? 0 : basis_.l_max());
      features_ += last_.back();
    }
}

SoapCoefficients Soap::loop_coefficients(const double* c) const {
  return {basis_.l_max(), channels_, {zero_.data(), higher_.data(), last_.data()}, c};
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

EnvironmentCount Soap::count(const Environments& environments, int c) const {
  const auto position = static_cast<std::size_t>(c);
  if (environments.atomic_number[static_cast<std::size_t>(environments.centre[position])] != species_[0]) return {};
  // An upper bound: includes pairs outside the cutoff.
  return {1, static_cast<std::int64_t>(environments.begin[position + 1] - environments.begin[position])};
}

Descriptor::ShortForm Soap::short_form() const {
  std::call_once(short_made_, [&] {
    if (basis_.l_max() == 0 || mixing_.size() > 0) return;
    const std::shared_ptr<const Soap> shortened(new Soap(parameters_, species_, elements_, basis_.turned(), Form::shortened));
    if (shortened->features_ == features_) return;
    short_ = {shortened, [shortened, places = std::array{zero_, higher_}](const MatrixView& points) {
                return shortened->turned_points(points, {places[0].data(), places[1].data(), nullptr});
              }};
  });
  return short_;
}

// With C' = H C the spectrum is P' = H P Hᵀ for l ≥ 1, the same for l = 0; features hold √2 P_ab for a ≠ b.
Matrix Soap::turned_points(const MatrixView& points, const SoapFeatures& plain) const {
  const Matrix& h = basis_.rotation();
  const double sqrt_2 = std::sqrt(2.0);
  Matrix result(points.rows(), features_), p(channels_, channels_), half(channels_, channels_);
  for (Eigen::Index m = 0; m < points.rows(); ++m) {
    for (std::size_t pair = 0; pair < zero_.size(); ++pair) result(m, zero_[pair]) = points(m, plain.zero[pair]);
    for (int l = 1; l <= basis_.l_max(); ++l) {
      for (int a = 0, pair = 0; a < channels_; ++a)
        for (int b = 0; b <= a; ++b, ++pair) p(a, b) = p(b, a) = points(m, plain.higher[pair] + l - 1) / (a == b ? 1 : sqrt_2);
      for (int s = 0; s < channels_; s += radial_) half.middleCols(s, radial_).noalias() = p.middleCols(s, radial_) * h;
      for (int s = 0; s < channels_; s += radial_) p.middleRows(s, radial_).noalias() = h.transpose() * half.middleRows(s, radial_);
      for (int a = 0, pair = 0; a < channels_; ++a)
        for (int b = 0; b <= a; ++b, ++pair)
          if (const auto i = static_cast<std::size_t>(pair); l <= last_[i]) result(m, higher_[i] + l - 1) = p(a, b) * (a == b ? 1 : sqrt_2);
    }
  }
  return result;
}

// Coefficients that are larger by (2l+1)^(1/4) cancel the division of their products by √(2l+1).
std::vector<double> Soap::table_without_division() const {
  std::vector<double> table(basis_.table(), basis_.table() + static_cast<std::ptrdiff_t>(basis_.knot_count()) * 3 * basis_.count());
  table.resize(table.size() + soap_lanes, 0.0);
  for (int row = 0; row < 3 * basis_.knot_count(); ++row)
    for (int i = 0; i < basis_.count(); ++i)
      table[static_cast<std::size_t>(row) * static_cast<std::size_t>(basis_.count()) + static_cast<std::size_t>(i)] *=
          std::sqrt(std::sqrt(2.0 * (i / basis_.n_max()) + 1));
  return table;
}

// Radial functions of each element as mixtures of its n_max: Σ_n W_q,(s,n) g_nl(r) for channel q. All other code then works with one
// element that has one radial function for each channel.
void Soap::mix_channels(std::uint64_t seed) {
  const int n_max = basis_.n_max(), species = static_cast<int>(elements_.size());
  mixing_ = random_mixing(radial_, species * n_max, seed);
  std::vector<std::vector<double>> mixed;
  const double* plain = table_of(0);
  const int plain_count = basis_.count();
  for (int s = 0; s < species; ++s) {
    std::vector<double> table(static_cast<std::size_t>(basis_.knot_count()) * 3 * static_cast<std::size_t>(count_) + soap_lanes, 0.0);
    for (int row = 0; row < 3 * basis_.knot_count(); ++row)
      for (int l = 0; l <= basis_.l_max(); ++l)
        for (int q = 0; q < radial_; ++q) {
          double sum = 0;
          for (int n = 0; n < n_max; ++n)
            sum += mixing_(q, s * n_max + n) * plain[static_cast<std::ptrdiff_t>(row) * plain_count + l * n_max + n];
          table[static_cast<std::size_t>(row) * static_cast<std::size_t>(count_) + static_cast<std::size_t>(l * radial_ + q)] = sum;
        }
    mixed.push_back(std::move(table));
  }
  tables_ = std::move(mixed);
}

// Contribution of the centre atom to c_00 of each channel.
std::vector<double> Soap::centre_coefficients() const {
  const int n_max = basis_.n_max(), own = species_index(species_[0]);
  std::vector<double> result(static_cast<std::size_t>(channels_), 0.0);
  for (int s = 0; s < static_cast<int>(elements_.size()); ++s) {
    if (s != own && !central_in_all_) continue;
    for (int n = 0; n < n_max; ++n) {
      const double weight = central_weight_ * basis_.centre()[static_cast<std::size_t>(n)];
      if (mixing_.size() == 0)
        result[static_cast<std::size_t>(s * n_max + n)] += weight;
      else
        for (int q = 0; q < radial_; ++q) result[static_cast<std::size_t>(q)] += mixing_(q, s * n_max + n) * weight;
    }
  }
  return result;
}

const double* Soap::table_of(int species) const {
  if (tables_.empty()) return basis_.table();
  return tables_[tables_.size() > 1 ? static_cast<std::size_t>(species) : 0].data();
}

int Soap::species_index(int z) const {
  const auto found = std::lower_bound(elements_.begin(), elements_.end(), z);
  return found != elements_.end() && *found == z ? static_cast<int>(found - elements_.begin()) : -1;
}

void Soap::gather(const Environments& environments, int centre, Neighborhood& out) const {
  out.by_species.resize(static_cast<std::size_t>(blocks_));
  for (auto& list : out.by_species) list.clear();
  const auto c = static_cast<std::size_t>(centre);
  for (std::size_t p = environments.begin[c]; p < environments.begin[c + 1]; ++p) {
    if (!(environments.distance[p] < basis_.cutoff())) continue;
    const int s = species_index(environments.atomic_number[static_cast<std::size_t>(environments.neighbor[p])]);
    if (s >= 0) out.by_species[static_cast<std::size_t>(blocks_ > 1 ? s : 0)].push_back(p);
  }
  out.pair.clear();
  out.blocks.clear();
  for (std::size_t s = 0; s < out.by_species.size(); ++s) {
    const auto& list = out.by_species[s];
    for (std::size_t first = 0; first < list.size(); first += soap_lanes)
      out.blocks.push_back({static_cast<int>(s), static_cast<int>(out.pair.size() + first),
                            static_cast<int>(std::min<std::size_t>(soap_lanes, list.size() - first))});
    out.pair.insert(out.pair.end(), list.begin(), list.end());
  }
}

// Radial functions with the cutoff function, and harmonics, of one block of pairs. For `pullback` the radial functions are [count][lanes],
// else [lanes][count].
void Soap::fill_block(const Environments& environments, const Neighborhood& neighborhood, int block, Derivatives derivatives,
                      Scratch& scratch) const {
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
  if (derivatives == Derivatives::pullback)
    loops.radial_lanes(rows, weight, derivative, count, scratch.radial.data(), scratch.slope.data());
  else
    for (int k = 0; k < b.count; ++k)
      loops.radial(rows[k], weight[k], derivative[k], count, scratch.radial.data() + k * count,
                   derivatives == Derivatives::jacobian ? scratch.slope.data() + k * count : nullptr);
  loops.harmonics(basis_.l_max(), prefactor_.data(), {scratch.x, scratch.y, scratch.z}, scratch.harmonics.data(),
                  derivatives == Derivatives::none ? nullptr : scratch.harmonics_gradient.data());
}

// Expansion coefficients c[lm][channel] of the density around a centre; leaves the centre's Neighborhood in the scratch.
void Soap::expand(const Environments& environments, int centre, Scratch& scratch, double* coefficients) const {
  std::copy(centre_.begin(), centre_.end(), coefficients);
  std::fill(coefficients + channels_, coefficients + coefficients_, 0.0);
  gather(environments, centre, scratch.neighborhood);
  for (int b = 0; b < static_cast<int>(scratch.neighborhood.blocks.size()); ++b) {
    fill_block(environments, scratch.neighborhood, b, Derivatives::none, scratch);
    soap_loops().accumulate(loop_pairs(scratch.neighborhood.blocks[static_cast<std::size_t>(b)], scratch), coefficients);
  }
}

std::vector<int> Soap::centres(const Environments& environments, int begin, int end) const {
  std::vector<int> found;
  for (int c = begin; c < end; ++c)
    if (environments.atomic_number[static_cast<std::size_t>(environments.centre[static_cast<std::size_t>(c)])] == species_[0])
      found.push_back(c);
  return found;
}

void Soap::fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const {
  const std::vector<int> centre = centres(environments, begin, end);
  const auto count = centre.size();
  out.x.resize(static_cast<Eigen::Index>(count), features_);
  out.covariance_cutoff.assign(count, 1.0);
  out.partner.assign(count, -1);
  out.centre.resize(count);
  for (std::size_t e = 0; e < count; ++e) out.centre[e] = environments.centre[static_cast<std::size_t>(centre[e])];
  if (derivatives == Derivatives::pullback) out.workspace.resize(static_cast<Eigen::Index>(count), coefficients_ + soap_lanes);
  BlockOffsets offset;
  if (derivatives == Derivatives::jacobian) offset = make_blocks(environments, centre, out);

  const auto& loops = soap_loops();
#pragma omp parallel if (count > 1)
  {
    Scratch scratch(*this);
#pragma omp for schedule(dynamic, 2)
    for (std::size_t e = 0; e < count; ++e) {
      double* x = out.x.row(static_cast<Eigen::Index>(e));
      double* c = derivatives == Derivatives::pullback ? out.workspace.row(static_cast<Eigen::Index>(e)) : scratch.coefficients.data();
      expand(environments, centre[e], scratch, c);
      const double norm = std::sqrt(loops.power_spectrum(loop_coefficients(c), x));
      const double inverse_norm = norm > 0 ? 1 / norm : 0;  // no neighbours and central_weight = 0: the zero vector
      for (int i = 0; i < features_; ++i) x[i] *= inverse_norm;
      if (derivatives == Derivatives::pullback) c[coefficients_] = inverse_norm;
      if (derivatives == Derivatives::jacobian) fill_jacobian(environments, {e, c, x, inverse_norm}, offset, out, scratch);
    }
  }
}

void Soap::pullback(const Environments& environments, int begin, int end, const Features& features, const FeatureGradient& gradient,
                    std::span<Vector3> dE_dr) const {
  const std::vector<int> centre = centres(environments, begin, end);
  const auto& loops = soap_loops();
#pragma omp parallel if (centre.size() > 1)
  {
    Scratch scratch(*this);
#pragma omp for schedule(dynamic, 2)
    for (std::size_t e = 0; e < centre.size(); ++e) {
      const double* x = features.x.row(static_cast<Eigen::Index>(e));
      const double* c = features.workspace.row(static_cast<Eigen::Index>(e));
      const double* g = gradient.dE_dx.data() + static_cast<Eigen::Index>(e) * gradient.dE_dx.outerStride();
      double along = 0;
      for (int i = 0; i < features_; ++i) along += x[i] * g[i];
      for (int i = 0; i < features_; ++i) scratch.feature_gradient[static_cast<std::size_t>(i)] = c[coefficients_] * (g[i] - along * x[i]);
      double* dE_dc = scratch.coefficients.data();
      loops.coefficient_gradient(loop_coefficients(c), scratch.feature_gradient.data(), dE_dc, scratch.channel_gradient.data());
      gather(environments, centre[e], scratch.neighborhood);
      for (int b = 0; b < static_cast<int>(scratch.neighborhood.blocks.size()); ++b) {
        const auto& block = scratch.neighborhood.blocks[static_cast<std::size_t>(b)];
        fill_block(environments, scratch.neighborhood, b, Derivatives::pullback, scratch);
        double out[3 * soap_lanes];
        loops.pair_gradient(loop_pairs(block, scratch), dE_dc, out);
        for (int k = 0; k < block.count; ++k)
          dE_dr[scratch.neighborhood.pair[static_cast<std::size_t>(block.first + k)]] +=
              Vector3(out[k], out[soap_lanes + k], out[2 * soap_lanes + k]);
      }
    }
  }
}

}  // namespace gapkit
