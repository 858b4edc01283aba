#include "descriptors/soap.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/spherical_harmonics_lanes.hpp>
#include <numbers>

#include "descriptors/soap_mixing.hpp"

namespace gapkit {
namespace {

// Models of earlier versions do not have all parameters.
int count_of(const Parameters& parameters, const std::string& name) {
  return parameters.has(name) ? static_cast<int>(parameters.integer(name)) : 0;
}

// Without `channels` where it is 0: programs of versions that do not know it read the model.
Parameters without_unused(const Parameters& given) {
  Parameters used;
  for (const auto& [name, value] : given.values())
    if (name != "channels" || count_of(given, name) > 0) used.set(name, value);
  return used;
}

}  // namespace

Soap::Soap(const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& elements)
    : Soap(parameters, species, elements,
           RadialBasis(static_cast<int>(parameters.integer("n_max")), static_cast<int>(parameters.integer("l_max")),
                       parameters.real("atom_sigma"), parameters.real("cutoff"),
                       parameters.has("radial_weight") ? static_cast<int>(parameters.integer("radial_weight")) : 0),
           Form::plain) {}

Soap::Soap(const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& elements, RadialBasis basis, Form form,
           BasisPointer channel_basis)
    : parameters_(without_unused(parameters)),
      species_(species),
      elements_(elements),
      basis_(std::move(basis)),
      width_(parameters.real("cutoff_width")),
      central_weight_(parameters.real("central_weight")),
      central_in_all_(parameters.boolean("central_reference_all_species")),
      asked_channels_(count_of(parameters, "channels")),
      channel_basis_(std::move(channel_basis)) {
  species_of_.assign(static_cast<std::size_t>(elements_.empty() ? 0 : elements_.back() + 1), -1);
  for (std::size_t s = 0; s < elements_.size(); ++s) species_of_[static_cast<std::size_t>(elements_[s])] = static_cast<int>(s);
  if (width_ > basis_.cutoff()) throw InputError("soap: cutoff_width is larger than cutoff");
  if (species_index(species_.at(0)) < 0) throw InputError("soap: the centre element is not among the neighbour elements");
  const int terms = basis_.l_max() + 1;
  const int asked = count_of(parameters, "mixed_channels");
  if (asked > 0 && asked_channels_ > 0)
    throw InputError("soap: mixed_channels and channels are two ways to have fewer channels; use one of them (channels is more accurate)");
  const int mixed = std::min(std::max(asked, asked_channels_), all_channels());  // more channels would add features
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
  if (asked > 0)
    contraction_.assign(static_cast<std::size_t>(terms),
                        random_mixing(radial_, all_channels(), static_cast<std::uint64_t>(parameters.integer("mixing_seed"))));
  if (channel_basis_) {
    check_basis();
    contraction_ = channel_basis_->contraction;
  }
  if (!contraction_.empty()) contract_channels();
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
      if (shortened) zero_pairs_.add(a, b, channels_);
      if (!shortened || last_.back() > 0) higher_pairs_.add(a, b, channels_);
      const double weight = a == b ? 1 : std::numbers::sqrt2;
      feature_weight_.resize(static_cast<std::size_t>(features_), weight);
      feature_weight_[static_cast<std::size_t>(zero_.back())] = weight;
    }
}

void Soap::PairRuns::add(int a, int b, int channels) {
  const int place = a * spectrum_stride(channels) + b;
  if (b == 0 || from.empty() || from.back() + length.back() != place) {
    from.push_back(place);
    to.push_back(pairs);
    length.push_back(0);
  }
  ++length.back();
  ++pairs;
}

EnvironmentCount Soap::count(const Environments& environments, int c) const {
  const auto position = static_cast<std::size_t>(c);
  if (environments.atomic_number[static_cast<std::size_t>(environments.centre[position])] != species_[0]) return {};
  // An upper bound: includes pairs outside the cutoff.
  return {1, static_cast<std::int64_t>(environments.begin[position + 1] - environments.begin[position])};
}

Descriptor::ShortForm Soap::short_form() const {
  std::call_once(short_made_, [&] {
    if (basis_.l_max() == 0 || asked_channels_ > 0 || !contraction_.empty()) return;
    const std::shared_ptr<const Soap> shortened(new Soap(parameters_, species_, elements_, basis_.turned(), Form::shortened));
    if (shortened->features_ == features_) return;
    short_ = {shortened, [shortened, zero = zero_, higher = higher_](const MatrixView& points) {
                return shortened->turned_points(points, zero, higher);
              }};
  });
  return short_;
}

// With C' = H C the spectrum is P' = H P Hᵀ for l ≥ 1, the same for l = 0; features hold √2 P_ab for a ≠ b.
Matrix Soap::turned_points(const MatrixView& points, const std::vector<int>& plain_zero, const std::vector<int>& plain_higher) const {
  const Matrix& h = basis_.rotation();
  const double sqrt_2 = std::sqrt(2.0);
  Matrix result(points.rows(), features_), p(channels_, channels_), half(channels_, channels_);
  for (Eigen::Index m = 0; m < points.rows(); ++m) {
    for (std::size_t pair = 0; pair < zero_.size(); ++pair) result(m, zero_[pair]) = points(m, plain_zero[pair]);
    for (int l = 1; l <= basis_.l_max(); ++l) {
      for (int a = 0, pair = 0; a < channels_; ++a)
        for (int b = 0; b <= a; ++b, ++pair)
          p(a, b) = p(b, a) = points(m, plain_higher[static_cast<std::size_t>(pair)] + l - 1) / (a == b ? 1 : sqrt_2);
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

// Contribution of the centre atom to c_00 of each channel.
std::vector<double> Soap::centre_coefficients() const {
  const int n_max = basis_.n_max(), own = species_index(species_[0]);
  std::vector<double> result(static_cast<std::size_t>(channels_), 0.0);
  if (asked_channels_ > 0 && !channel_basis_) return result;  // not made yet
  for (int s = 0; s < static_cast<int>(elements_.size()); ++s) {
    if (s != own && !central_in_all_) continue;
    for (int n = 0; n < n_max; ++n) {
      const double weight = central_weight_ * basis_.centre()[static_cast<std::size_t>(n)];
      if (contraction_.empty())
        result[static_cast<std::size_t>(s * n_max + n)] += weight;
      else
        for (int q = 0; q < radial_; ++q) result[static_cast<std::size_t>(q)] += contraction_[0](q, s * n_max + n) * weight;
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

void Soap::gather(const Environments& environments, int centre, int block_size, Neighborhood& out) const {
  const std::size_t begin = environments.begin[static_cast<std::size_t>(centre)],
                    end = environments.begin[static_cast<std::size_t>(centre) + 1];
  const auto group_of = [&](std::size_t p) {  // −1: ignored
    if (!(environments.distance[p] < basis_.cutoff())) return -1;
    const int s = species_at(environments, p);
    return blocks_ > 1 || s < 0 ? s : 0;
  };
  out.begin.assign(static_cast<std::size_t>(blocks_) + 1, 0);
  out.pair.resize(end - begin);
  if (blocks_ == 1) {
    std::size_t count = 0;
    for (std::size_t p = begin; p < end; ++p) {
      out.pair[count] = p;
      count += group_of(p) >= 0 ? 1 : 0;
    }
    out.begin[1] = count;
  } else {
    for (std::size_t p = begin; p < end; ++p)
      if (const int s = group_of(p); s >= 0) ++out.begin[static_cast<std::size_t>(s) + 1];
    for (std::size_t s = 1; s < out.begin.size(); ++s) out.begin[s] += out.begin[s - 1];
    for (std::size_t p = begin; p < end; ++p)
      if (const int s = group_of(p); s >= 0) out.pair[out.begin[static_cast<std::size_t>(s)]++] = p;
    for (std::size_t s = out.begin.size() - 1; s > 0; --s) out.begin[s] = out.begin[s - 1];
    out.begin[0] = 0;
  }
  const auto size = static_cast<std::size_t>(block_size);
  out.blocks.clear();
  for (std::size_t s = 0; s + 1 < out.begin.size(); ++s)
    for (std::size_t first = out.begin[s]; first < out.begin[s + 1]; first += size)
      out.blocks.push_back({static_cast<int>(s), static_cast<int>(first), static_cast<int>(std::min(size, out.begin[s + 1] - first))});
}

std::vector<int> Soap::centres(const Environments& environments, int begin, int end) const {
  std::vector<int> found;
  for (int c = begin; c < end; ++c)
    if (environments.atomic_number[static_cast<std::size_t>(environments.centre[static_cast<std::size_t>(c)])] == species_[0])
      found.push_back(c);
  return found;
}

}  // namespace gapkit
