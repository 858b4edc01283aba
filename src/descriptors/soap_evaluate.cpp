// Values of SOAP and the pullback, in packs of neighbours.

#include <cmath>

#include "descriptors/soap_scratch.hpp"
#include "descriptors/soap_tables.hpp"

namespace gapkit {
namespace {

constexpr std::size_t cache_line = 64 / sizeof(double);  // of the cache

template <class Real>
const SoapPacks<Real>& packs() {
  if constexpr (std::is_same_v<Real, float>)
    return soap_loops().single;
  else
    return soap_loops().full;
}

// The polynomial with these values and first two derivatives at 0 and 1, in powers of t − ½; `values`: those at 0, then the coefficients.
void hermite_to_powers(double values[6], const double end[3]) {
  const double g = values[0], d = values[1], c = values[2];
  const double powers[6] = {g,
                            d,
                            c / 2,
                            10 * (end[0] - g) - 6 * d - 4 * end[1] - 1.5 * c + 0.5 * end[2],
                            -15 * (end[0] - g) + 8 * d + 7 * end[1] + 1.5 * c - end[2],
                            6 * (end[0] - g) - 3 * d - 3 * end[1] - 0.5 * c + 0.5 * end[2]};
  for (int k = 0; k < 6; ++k) {
    double binomial = 1, sum = 0, half = 1;
    for (int j = k; j < 6; ++j) {
      sum += powers[j] * binomial * half;
      half /= 2;
      binomial = binomial * (j + 1) / (j + 1 - k);
    }
    values[k] = sum;
  }
}

}  // namespace

// Memory of one thread for one centre.
template <class Real>
struct Soap::PackScratch {
  PackScratch(const Soap& soap, const SoapTables<Real>& given)
      : tables(given),
        memory(static_cast<std::size_t>(packs<Real>().scratch(tables.shape))),
        spectrum(static_cast<std::size_t>(soap_loops().spectrum.scratch(soap.spectrum()))),
        coefficients(static_cast<std::size_t>(soap.coefficients_) + cache_line) {}

  void resize(std::size_t slots) {
    for (auto* v : {&x, &y, &z, &inverse_r, &place, &value, &slope}) v->resize(slots);
    r.resize(slots);
    knot.resize(slots);
    table.resize(slots);
  }

  const SoapTables<Real>& tables;
  Neighborhood neighborhood;
  std::vector<SoapBlock> blocks;
  AlignedVector<Real> x, y, z, inverse_r, place, value, slope;
  std::vector<double> r;
  std::vector<int> knot;
  std::vector<const Real*> table;  // row of the left knot
  AlignedVector<Real> memory;
  AlignedVector<double> spectrum, coefficients, dE_dr;
};

template <class Real>
SoapTables<Real> Soap::make_tables() const {
  SoapTables<Real> result;
  const int l_max = basis_.l_max(), terms = l_max + 1, size = terms * (terms + 1) / 2;
  const bool is_short = last_.front() == l_max && last_.back() < l_max;
  const int higher = is_short ? radial_ - 1 : radial_;
  // A row begins at a line of the cache, and a whole pack can be read beyond its last column.
  constexpr int pack = 64 / sizeof(Real);
  const int columns = radial_ + l_max * higher, row = (columns + pack - 1) / pack * pack;
  // In single precision every second knot suffices: errors grow by 2⁶ (derivative: 2⁵), to 10⁻⁹ of the largest value (3 · 10⁻⁸).
  constexpr bool is_single = std::is_same_v<Real, float>;
  const int step = is_single && basis_.knot_count() % 2 == 1 ? 2 : 1, knots = (basis_.knot_count() - 1) / step + 1;
  result.per_spacing = 1 / (step * basis_.spacing());
  result.last_knot = knots - 2;
  result.origin = is_single ? 0.5 : 0;
  result.rows_of_knot = is_single ? 6 : 3;
  for (std::size_t s = 0; s < std::max<std::size_t>(tables_.size(), 1); ++s) {
    auto& table = result.radial.emplace_back(static_cast<std::size_t>(result.rows_of_knot * knots * row), Real(0));
    for (int knot = 0; knot < (is_single ? knots - 1 : knots); ++knot)
      for (int l = 0, column = 0; l <= l_max; ++l)
        for (int n = 0; n < (l == 0 ? radial_ : higher); ++n, ++column) {
          // g, h g', h² g'' of the knot, or of both ends of the interval
          const double* from = table_of(static_cast<int>(s)) + static_cast<std::ptrdiff_t>(3 * step * knot) * count_ + l * radial_ + n;
          const double* next = from + static_cast<std::ptrdiff_t>(3 * step) * count_;
          double values[6] = {from[0], step * from[count_], step * step * from[2 * count_]};
          if (is_single) {
            const double end[3] = {next[0], step * next[count_], step * step * next[2 * count_]};
            hermite_to_powers(values, end);
          }
          for (int k = 0; k < result.rows_of_knot; ++k)
            table[static_cast<std::size_t>((result.rows_of_knot * knot + k) * row + column)] = static_cast<Real>(values[k]);
        }
  }
  result.beta.assign(static_cast<std::size_t>(size), Real(0));
  std::vector<double> leading(static_cast<std::size_t>(size));  // coefficient of z^(l−m) in d^m P_l / dz^m
  for (int l = 0; l <= l_max; ++l)
    for (int m = 0; m <= l; ++m) {
      const auto i = static_cast<std::size_t>(l * (l + 1) / 2 + m);
      if (l >= 2 && m < l) result.beta[i] = static_cast<Real>(((l - 1.0) * (l - 1) - m * m) / ((2 * l - 1.0) * (2 * l - 3.0)));
      if (l == 0)
        leading[i] = 1;
      else if (m == 0)
        leading[i] = leading[static_cast<std::size_t>((l - 1) * l / 2)] * (2 * l - 1) / l;
      else
        leading[i] = leading[i - 1] * (l - m + 1);
    }
  for (int l = 0; l <= l_max; ++l)
    for (int m = -l; m <= l; ++m) {
      const auto i = static_cast<std::size_t>(l * (l + 1) / 2 + std::abs(m));
      result.factor.push_back(std::abs(prefactor_[i]) * leading[i]);
    }
  result.shape = {.l_max = l_max,
                  .channels = channels_,
                  .n_max = radial_,
                  .n_higher = higher,
                  .columns = columns,
                  .row = row,
                  .beta = result.beta.data(),
                  .factor = result.factor.data()};
  return result;
}

template <class Real>
const SoapTables<Real>& Soap::tables() const {
  if constexpr (std::is_same_v<Real, float>) {
    std::call_once(single_made_, [&] { single_tables_ = std::make_unique<const SoapTables<float>>(make_tables<float>()); });
    return *single_tables_;
  } else {
    std::call_once(full_made_, [&] { full_tables_ = std::make_unique<const SoapTables<double>>(make_tables<double>()); });
    return *full_tables_;
  }
}

SoapSpectrum Soap::spectrum() const {
  const auto view = [](const PairRuns& runs, int first_l, int terms) {
    return SpectrumGroup{first_l,          terms,          runs.pairs,        static_cast<int>(runs.from.size()),
                         runs.from.data(), runs.to.data(), runs.length.data()};
  };
  const int l_max = basis_.l_max(), first = zero_pairs_.pairs > 0 ? 1 : 0;
  return {l_max, channels_, features_, view(zero_pairs_, 0, 1), view(higher_pairs_, first, l_max + 1 - first), feature_weight_.data()};
}

// Leaves the centre's Neighborhood in the scratch.
template <class Real>
SoapNeighbors<Real> Soap::find_neighbors(const Environments& environments, int centre, PackScratch<Real>& s) const {
  const auto block = static_cast<std::size_t>(packs<Real>().block);
  gather(environments, centre, static_cast<int>(block), s.neighborhood);
  const std::size_t slots = s.neighborhood.blocks.size() * block;
  s.resize(slots);
  s.blocks.clear();
  const auto pack = static_cast<std::size_t>(packs<Real>().pack);
  const SoapCutoff cutoff = {basis_.cutoff(), width_, s.tables.per_spacing, s.tables.last_knot, s.tables.origin};
  std::size_t first = 0;
  for (const auto& b : s.neighborhood.blocks) {
    s.blocks.push_back({b.species * radial_, b.count});
    const std::size_t used = first + static_cast<std::size_t>(b.count), end = (used + pack - 1) / pack * pack;
    std::size_t slot = first;
    for (const std::size_t* pair = &s.neighborhood.pair[static_cast<std::size_t>(b.first)]; slot < used; ++slot, ++pair) {
      const Vector3& vector = environments.vector[*pair];
      const double r = environments.distance[*pair];
      const double inverse = r > JacobianBlock::smallest_distance ? 1 / r : 0;  // atoms at one place have no direction
      s.r[slot] = r;
      s.inverse_r[slot] = static_cast<Real>(inverse);
      s.x[slot] = static_cast<Real>(vector.x() * inverse);
      s.y[slot] = static_cast<Real>(vector.y() * inverse);
      s.z[slot] = static_cast<Real>(inverse > 0 ? vector.z() * inverse : 1);
      s.table[slot] = s.tables.of(tables_.size() > 1 ? species_at(environments, *pair) : 0);
    }
    for (; slot < end; ++slot) {  // no neighbour: any unit vector
      s.r[slot] = s.x[slot] = s.y[slot] = s.inverse_r[slot] = 0;
      s.z[slot] = 1;
      s.table[slot] = s.tables.of(0);
    }
    packs<Real>().place(cutoff, static_cast<int>(end - first), &s.r[first], &s.place[first], &s.value[first], &s.slope[first],
                        &s.knot[first]);
    for (slot = first; slot < end; ++slot)
      s.table[slot] += static_cast<std::ptrdiff_t>(s.knot[slot]) * s.tables.rows_of_knot * s.tables.shape.row;
    for (slot = used; slot < end; ++slot) s.value[slot] = s.slope[slot] = 0;
    first += block;
  }
  return {.blocks = s.blocks.data(),
          .block_count = static_cast<int>(s.blocks.size()),
          .x = s.x.data(),
          .y = s.y.data(),
          .z = s.z.data(),
          .inverse_r = s.inverse_r.data(),
          .place = s.place.data(),
          .value = s.value.data(),
          .slope = s.slope.data(),
          .rows = s.table.data(),
          .per_spacing = static_cast<Real>(s.tables.per_spacing)};
}

// Expansion coefficients c[lm][channel] of the density around a centre.
template <class Real>
void Soap::expand(const Environments& environments, int centre, PackScratch<Real>& scratch, double* coefficients) const {
  packs<Real>().expand(scratch.tables.shape, find_neighbors(environments, centre, scratch), coefficients, scratch.memory.data());
  for (int k = 0; k < channels_; ++k) coefficients[k] += centre_[static_cast<std::size_t>(k)];
}

template <class Real>
void Soap::fill_with(const Environments& environments, const std::vector<int>& centre, Derivatives derivatives, Features& out) const {
  BlockOffsets offset;
  if (derivatives == Derivatives::jacobian) offset = make_blocks(environments, centre, out);
  const SoapTables<Real>& numbers = tables<Real>();
#pragma omp parallel if (centre.size() > 1)
  {
    PackScratch<Real> scratch(*this, numbers);
    std::unique_ptr<Scratch> for_jacobian;
    if (derivatives == Derivatives::jacobian) for_jacobian = std::make_unique<Scratch>(*this);
#pragma omp for schedule(dynamic, 2)
    for (std::size_t e = 0; e < centre.size(); ++e) {
      double* x = out.x.row(static_cast<Eigen::Index>(e));
      double* c = derivatives == Derivatives::pullback ? out.workspace.row(static_cast<Eigen::Index>(e)) : scratch.coefficients.data();
      expand(environments, centre[e], scratch, c);
      const double inverse_norm = soap_loops().spectrum.power_spectrum(spectrum(), c, x, scratch.spectrum.data());
      if (derivatives == Derivatives::pullback) c[coefficients_] = inverse_norm;
      if (!for_jacobian) continue;
      gather(environments, centre[e], soap_lanes, scratch.neighborhood);
      fill_jacobian(environments, scratch.neighborhood, {e, c, x, inverse_norm}, offset, out, *for_jacobian);
    }
  }
}

void Soap::fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const {
  if (asked_channels_ > 0 && !channel_basis_) throw Error("soap: the basis of the channels was not made");
  const std::vector<int> centre = centres(environments, begin, end);
  const auto count = centre.size();
  out.x.resize(static_cast<Eigen::Index>(count), features_);
  out.covariance_cutoff.assign(count, 1.0);
  out.partner.assign(count, -1);
  out.centre.resize(count);
  for (std::size_t e = 0; e < count; ++e) out.centre[e] = environments.centre[static_cast<std::size_t>(centre[e])];
  // Coefficients and the factor of normalisation; each row begins at a line of the cache.
  if (derivatives == Derivatives::pullback)
    out.workspace.resize(static_cast<Eigen::Index>(count),
                         static_cast<Eigen::Index>((static_cast<std::size_t>(coefficients_) / cache_line + 2) * cache_line));
  if (out.single_precision && derivatives != Derivatives::jacobian)
    fill_with<float>(environments, centre, derivatives, out);
  else
    fill_with<double>(environments, centre, derivatives, out);
}

// dE/dr of the pairs of one centre from dE/dc.
template <class Real>
void Soap::pull_centre(const Environments& environments, int centre, const double* dE_dc, PackScratch<Real>& scratch,
                       std::span<Vector3> dE_dr) const {
  const SoapNeighbors<Real> neighbors = find_neighbors(environments, centre, scratch);
  const auto block = static_cast<std::size_t>(packs<Real>().block), slots = scratch.blocks.size() * block;
  scratch.dE_dr.resize(3 * slots);
  packs<Real>().pull(scratch.tables.shape, neighbors, dE_dc, scratch.dE_dr.data(), scratch.memory.data());
  const double* out = scratch.dE_dr.data();
  for (const auto& b : scratch.neighborhood.blocks) {
    for (std::size_t k = 0; k < static_cast<std::size_t>(b.count); ++k)
      dE_dr[scratch.neighborhood.pair[static_cast<std::size_t>(b.first) + k]] += Vector3(out[k], out[slots + k], out[2 * slots + k]);
    out += block;
  }
}

template <class Real>
void Soap::pull_with(const Environments& environments, const std::vector<int>& centre, const Features& features,
                     const FeatureGradient& gradient, std::span<Vector3> dE_dr) const {
  const SoapTables<Real>& numbers = tables<Real>();
#pragma omp parallel if (centre.size() > 1)
  {
    PackScratch<Real> scratch(*this, numbers);
#pragma omp for schedule(dynamic, 2)
    for (std::size_t e = 0; e < centre.size(); ++e) {
      const double* x = features.x.row(static_cast<Eigen::Index>(e));
      const double* c = features.workspace.row(static_cast<Eigen::Index>(e));
      const double* g = gradient.dE_dx.data() + static_cast<Eigen::Index>(e) * gradient.dE_dx.outerStride();
      double* dE_dc = scratch.coefficients.data();
      soap_loops().spectrum.coefficient_gradient(spectrum(), c, {x, c[coefficients_], g}, dE_dc, scratch.spectrum.data());
      pull_centre(environments, centre[e], dE_dc, scratch, dE_dr);
    }
  }
}

void Soap::pullback(const Environments& environments, int begin, int end, const Features& features, const FeatureGradient& gradient,
                    std::span<Vector3> dE_dr) const {
  const std::vector<int> centre = centres(environments, begin, end);
  if (features.single_precision)
    pull_with<float>(environments, centre, features, gradient, dE_dr);
  else
    pull_with<double>(environments, centre, features, gradient, dE_dr);
}

std::span<const double> Soap::coefficients(const Features& features, int e) const {
  return {features.workspace.row(e), static_cast<std::size_t>(coefficients_)};
}

double Soap::inverse_norm(const Features& features, int e) const {
  return features.workspace.row(e)[coefficients_];
}

double Soap::features_of(std::span<const double> coefficients, double* x) const {
  AlignedVector<double> c(static_cast<std::size_t>(coefficients_) + cache_line),
      scratch(static_cast<std::size_t>(soap_loops().spectrum.scratch(spectrum())));
  std::copy(coefficients.begin(), coefficients.end(), c.begin());
  return soap_loops().spectrum.power_spectrum(spectrum(), c.data(), x, scratch.data());
}

void Soap::pull_coefficients(const Environments& environments, int begin, int end, const MatrixView& dE_dc,
                             std::span<Vector3> dE_dr) const {
  const std::vector<int> centre = centres(environments, begin, end);
  const SoapTables<double>& numbers = tables<double>();
#pragma omp parallel if (centre.size() > 1)
  {
    PackScratch<double> scratch(*this, numbers);
#pragma omp for schedule(dynamic, 2)
    for (std::size_t e = 0; e < centre.size(); ++e) {
      const double* from = dE_dc.data() + static_cast<Eigen::Index>(e) * dE_dc.outerStride();
      std::copy(from, from + coefficients_, scratch.coefficients.begin());
      pull_centre(environments, centre[e], scratch.coefficients.data(), scratch, dE_dr);
    }
  }
}

void Soap::pull_spectrum(std::span<const double> coefficients, double factor, const double* slope, std::span<double> dE_dc) const {
  AlignedVector<double> c(static_cast<std::size_t>(coefficients_) + cache_line), gradient(c.size()),
      scratch(static_cast<std::size_t>(soap_loops().spectrum.scratch(spectrum())));
  std::copy(coefficients.begin(), coefficients.end(), c.begin());
  const std::vector<double> no_direction(static_cast<std::size_t>(features_));  // nothing is projected out
  soap_loops().spectrum.coefficient_gradient(spectrum(), c.data(), {no_direction.data(), factor, slope}, gradient.data(), scratch.data());
  for (std::size_t i = 0; i < dE_dc.size(); ++i) dE_dc[i] += gradient[i];
}

const ExpandedDensity* expanded_density(const Descriptor& descriptor) {
  return descriptor.contracted_channels() != nullptr ? nullptr : dynamic_cast<const ExpandedDensity*>(&descriptor);
}

}  // namespace gapkit
