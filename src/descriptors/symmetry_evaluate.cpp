// Values of symmetry functions, their Jacobian and pullback.

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>

#include "descriptors/symmetry_functions.hpp"

namespace gapkit {
namespace {

std::size_t in_packs(std::size_t count) {
  return (count + widest_pack - 1) / widest_pack * widest_pack;
}

}  // namespace

/// Work space of a thread: the neighbours of one centre in slots, and tables of factors over them.
struct SymmetryFunctions::Scratch {
  std::vector<int> first, count;  // slots of each range
  std::size_t slots = 0;
  std::vector<std::size_t> pair;  // [slots] of the environments, in the slots that are in use
  AlignedVector<double> r, unit, inverse_r, atomic_number;
  AlignedVector<double> cutoff_value, cutoff_slope;  // [cutoffs, slots]
  AlignedVector<double> g, dg, rows, side, dside, memory;
  std::vector<double> side_r, side_value, side_cutoff, side_slope;  // of pairs of neighbours
  std::vector<std::size_t> side_place;
  AlignedVector<double> values, derivatives;
};

/// Row of the first pair of each environment in the blocks, by block.
struct SymmetryFunctions::Offsets {
  std::vector<int> block;                // by element, −1: no functions of it
  std::vector<std::vector<int>> offset;  // by block
};

EnvironmentCount SymmetryFunctions::count(const Environments& environments, int c) const {
  const auto position = static_cast<std::size_t>(c);
  if (environments.atomic_number[static_cast<std::size_t>(environments.centre[position])] != species_[0]) return {};
  std::int64_t pairs = 0;
  for (std::size_t p = environments.begin[position]; p < environments.begin[position + 1]; ++p)
    pairs += environments.distance[p] < cutoff_ ? 1 : 0;
  return {1, pairs};
}

std::vector<int> SymmetryFunctions::centres(const Environments& environments, int begin, int end) const {
  std::vector<int> found;
  for (int c = begin; c < end; ++c)
    if (environments.atomic_number[static_cast<std::size_t>(environments.centre[static_cast<std::size_t>(c)])] == species_[0])
      found.push_back(c);
  return found;
}

int SymmetryFunctions::element_at(const Environments& environments, std::size_t pair) const {
  if (!(environments.distance[pair] < cutoff_)) return -1;
  const int z = environments.atomic_number[static_cast<std::size_t>(environments.neighbor[pair])];
  const auto found = std::lower_bound(elements_.begin(), elements_.end(), z);
  if (found == elements_.end() || *found != z) return -1;
  const auto element = static_cast<std::size_t>(found - elements_.begin());
  return plan_.columns[element].empty() ? -1 : static_cast<int>(element);
}

void SymmetryFunctions::gather(const Environments& environments, int centre, Scratch& s) const {
  const auto position = static_cast<std::size_t>(centre);
  const std::size_t begin = environments.begin[position], end = environments.begin[position + 1], elements = elements_.size();
  s.count.assign(elements + 1, 0);
  s.first.assign(elements + 1, 0);
  for (std::size_t p = begin; p < end; ++p)
    if (const int e = element_at(environments, p); e >= 0) ++s.count[static_cast<std::size_t>(e)];
  s.slots = 0;
  for (std::size_t e = 0; e < elements; ++e) {
    s.first[e] = static_cast<int>(s.slots);
    s.slots += in_packs(static_cast<std::size_t>(s.count[e]));
    s.count[e] = 0;
  }
  s.count[elements] = static_cast<int>(s.slots);
  s.pair.assign(s.slots, 0);
  s.r.assign(s.slots, 0);
  s.inverse_r.assign(s.slots, 0);
  s.atomic_number.assign(s.slots, 0);
  s.unit.assign(3 * s.slots, 0);
  for (std::size_t p = begin; p < end; ++p) {
    const int e = element_at(environments, p);
    if (e < 0) continue;
    const auto element = static_cast<std::size_t>(e);
    const auto slot = static_cast<std::size_t>(s.first[element] + s.count[element]++);
    const double r = environments.distance[p], inverse = r > JacobianBlock::smallest_distance ? 1 / r : 0;
    s.pair[slot] = p;
    s.r[slot] = r;
    s.inverse_r[slot] = inverse;
    s.atomic_number[slot] = elements_[element];
    for (std::size_t d = 0; d < 3; ++d) s.unit[d * s.slots + slot] = inverse * environments.vector[p][static_cast<Eigen::Index>(d)];
  }
}

// g of all factors, and what the angular loops need of it.
void SymmetryFunctions::fill_factors(bool with_slopes, Scratch& s) const {
  const std::size_t slots = s.slots, factors = plan_.factors.size();
  s.cutoff_value.resize(plan_.cutoffs.size() * slots);
  s.cutoff_slope.resize(plan_.cutoffs.size() * slots);
  for (std::size_t c = 0; c < plan_.cutoffs.size(); ++c)
    for (std::size_t i = 0; i < slots; ++i) {
      const auto [value, slope] = s.atomic_number[i] > 0 ? cutoff_function_.at(s.r[i], plan_.cutoffs[c]) : SymmetryCutoff::Value{0, 0};
      s.cutoff_value[c * slots + i] = value;
      s.cutoff_slope[c * slots + i] = slope;
    }
  s.g.resize(factors * slots);
  s.dg.resize(with_slopes ? factors * slots : 0);
  for (std::size_t f = 0; f < factors; ++f) {
    const auto& [eta, shift, cutoff, weighted] = plan_.factors[f];
    for (std::size_t i = 0; i < slots; ++i) s.g[f * slots + i] = -eta * (s.r[i] - shift) * (s.r[i] - shift);
  }
  symmetry_loops().exponentials(s.g.data(), static_cast<int>(factors * slots));
  for (std::size_t f = 0; f < factors; ++f) {
    const auto& factor = plan_.factors[f];
    const double *value = &s.cutoff_value[static_cast<std::size_t>(factor.cutoff) * slots],
                 *slope = &s.cutoff_slope[static_cast<std::size_t>(factor.cutoff) * slots];
    for (std::size_t i = 0; i < slots; ++i) {
      const double exponential = factor.weighted ? s.atomic_number[i] * s.g[f * slots + i] : s.g[f * slots + i];
      s.g[f * slots + i] = exponential * value[i];
      if (with_slopes) s.dg[f * slots + i] = exponential * (slope[i] - 2 * factor.eta * (s.r[i] - factor.shift) * value[i]);
    }
  }
  const auto angular = static_cast<std::size_t>(plan_.angular_factors);
  s.rows.resize(4 * angular * slots);
  for (std::size_t i = 0; i < slots; ++i)
    for (std::size_t f = 0; f < angular; ++f) {
      double* row = &s.rows[4 * (i * angular + f)];
      row[0] = s.g[f * slots + i];
      for (std::size_t d = 0; d < 3; ++d) row[1 + d] = row[0] * s.unit[d * slots + i];
    }
}

// h(r_jk) of all pairs of neighbours, each computed once.
void SymmetryFunctions::fill_sides(bool with_slopes, Scratch& s) const {
  const std::size_t slots = s.slots, table = slots * slots, sides = plan_.sides.size();
  s.side.assign(sides * table, 0);
  s.dside.assign(with_slopes ? sides * table : 0, 0);
  s.side_r.clear();
  s.side_place.clear();
  const auto place = [&](std::size_t i, std::size_t d) { return s.r[i] * s.unit[d * slots + i]; };
  const double farthest = sides > 0 ? *std::max_element(plan_.cutoffs.begin(), plan_.cutoffs.end()) : 0;
  for (std::size_t i = 0; i < slots && sides > 0; ++i)
    for (std::size_t k = i + 1; k < slots; ++k) {
      if (s.atomic_number[i] == 0 || s.atomic_number[k] == 0) continue;
      const double x = place(i, 0) - place(k, 0), y = place(i, 1) - place(k, 1), z = place(i, 2) - place(k, 2);
      const double r = std::sqrt(x * x + y * y + z * z);
      if (!(r < farthest)) continue;
      s.side_r.push_back(r);
      s.side_place.push_back(i * slots + k);
    }
  const std::size_t pairs = s.side_r.size();
  s.side_value.resize(pairs);
  for (std::size_t f = 0; f < sides; ++f) {
    const auto& factor = plan_.sides[f];
    for (std::size_t q = 0; q < pairs; ++q) s.side_value[q] = -factor.eta * (s.side_r[q] - factor.shift) * (s.side_r[q] - factor.shift);
    symmetry_loops().exponentials(s.side_value.data(), static_cast<int>(pairs));
    const double cutoff = plan_.cutoffs[static_cast<std::size_t>(factor.cutoff)];
    for (std::size_t q = 0; q < pairs; ++q) {
      const double r = s.side_r[q], inverse = r > JacobianBlock::smallest_distance ? 1 / r : 0;
      const auto [value, slope] = cutoff_function_.at(r, cutoff);
      const std::size_t one = f * table + s.side_place[q], other = f * table + s.side_place[q] % slots * slots + s.side_place[q] / slots;
      s.side[one] = s.side[other] = s.side_value[q] * value;
      if (with_slopes) s.dside[one] = s.dside[other] = s.side_value[q] * (slope - 2 * factor.eta * (r - factor.shift) * value) * inverse;
    }
  }
}

// Values to s.values; dG/dr_ij to `derivatives` [functions, 3, slots], only in slots of the ranges of a function.
void SymmetryFunctions::evaluate(bool with_derivatives, Scratch& s, double* derivatives) const {
  fill_factors(with_derivatives, s);
  fill_sides(with_derivatives, s);
  const std::size_t slots = s.slots;
  s.values.assign(static_cast<std::size_t>(plan_.functions), 0);
  for (const auto& [function, factor, range] : plan_.radial) {
    const auto first = static_cast<std::size_t>(s.first[static_cast<std::size_t>(range)]),
               end = first + static_cast<std::size_t>(s.count[static_cast<std::size_t>(range)]);
    const double* g = s.g.data() + static_cast<std::size_t>(factor) * slots;
    double sum = 0;
    for (std::size_t i = first; i < end; ++i) sum += g[i];
    s.values[static_cast<std::size_t>(function)] = sum;
    if (!with_derivatives) continue;
    const double* dg = s.dg.data() + static_cast<std::size_t>(factor) * slots;
    for (std::size_t d = 0; d < 3; ++d)
      for (std::size_t i = first; i < end; ++i)
        derivatives[(3 * static_cast<std::size_t>(function) + d) * slots + i] = dg[i] * s.unit[d * slots + i];
  }
  s.memory.resize(static_cast<std::size_t>(symmetry_loops().memory(static_cast<int>(slots))));
  const SymmetrySlots in{.slots = static_cast<int>(slots),
                         .first = s.first.data(),
                         .count = s.count.data(),
                         .r = s.r.data(),
                         .unit = s.unit.data(),
                         .inverse_r = s.inverse_r.data(),
                         .g = s.g.data(),
                         .dg = with_derivatives ? s.dg.data() : nullptr,
                         .rows = s.rows.data(),
                         .side = s.side.data(),
                         .dside = s.dside.data()};
  if (slots > 0) symmetry_loops().angular(plan_.lists(), in, s.values.data(), derivatives, s.memory.data());
}

double SymmetryFunctions::put_features(const Scratch& s, double* x) const {
  const Eigen::Index count = plan_.functions;
  double square = 0;
  for (Eigen::Index i = 0; i < count; ++i) {
    x[i] = (s.values[static_cast<std::size_t>(i)] - scale_.offset[i]) * scale_.factor[i];
    square += x[i] * x[i];
  }
  if (sphere_ <= 0) return 1;
  x[count] = sphere_ * std::sqrt(static_cast<double>(count));
  const double on_sphere = 1 / std::sqrt(square + x[count] * x[count]);
  for (Eigen::Index i = 0; i <= count; ++i) x[i] *= on_sphere;
  return on_sphere;
}

SymmetryFunctions::Offsets SymmetryFunctions::make_blocks(const Environments& environments, const std::vector<int>& centre,
                                                          Features& out) const {
  Offsets result;
  std::vector<std::size_t> element;
  for (std::size_t e = 0; e < elements_.size(); ++e) {
    result.block.push_back(plan_.columns[e].empty() ? -1 : static_cast<int>(element.size()));
    if (!plan_.columns[e].empty()) element.push_back(e);
  }
  out.make_blocks(element.size());
  result.offset.assign(element.size(), std::vector<int>(1, 0));
  for (const int c : centre) {
    for (auto& offset : result.offset) offset.push_back(offset.back());
    for (std::size_t p = environments.begin[static_cast<std::size_t>(c)]; p < environments.begin[static_cast<std::size_t>(c) + 1]; ++p)
      if (const int e = element_at(environments, p); e >= 0)
        ++result.offset[static_cast<std::size_t>(result.block[static_cast<std::size_t>(e)])].back();
  }
  for (std::size_t b = 0; b < element.size(); ++b) {
    JacobianBlock& block = out.blocks[b];
    const auto pairs = static_cast<std::size_t>(result.offset[b].back());
    const std::vector<int>& columns = plan_.columns[element[b]];
    if (static_cast<int>(columns.size()) < size()) block.feature = columns;
    block.environment.resize(pairs);
    block.neighbor.resize(pairs);
    block.vector.resize(pairs);
    block.projection.assign(3 * pairs, 0.0);
    block.values.resize(static_cast<Eigen::Index>(3 * pairs), static_cast<Eigen::Index>(columns.size()));
  }
  return result;
}

// Rows of environment e in the blocks.
void SymmetryFunctions::put_rows(const Environments& environments, const Scratch& s, std::size_t e, double on_sphere,
                                 const Offsets& offsets, Features& out) const {
  const double* x = out.x.row(static_cast<Eigen::Index>(e));
  for (std::size_t element = 0; element < elements_.size(); ++element) {
    if (offsets.block[element] < 0) continue;
    const auto b = static_cast<std::size_t>(offsets.block[element]);
    JacobianBlock& block = out.blocks[b];
    const std::vector<int>& columns = plan_.columns[element];
    const auto start = static_cast<std::size_t>(offsets.offset[b][e]), first = static_cast<std::size_t>(s.first[element]);
    const auto count = static_cast<std::size_t>(s.count[element]), width = columns.size();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t p = s.pair[first + i];
      block.environment[start + i] = static_cast<int>(e);
      block.neighbor[start + i] = environments.neighbor[p];
      block.vector[start + i] = environments.vector[p];
    }
    double* rows = block.values.row(static_cast<Eigen::Index>(3 * start));
    for (std::size_t column = 0; column < width; ++column) {
      const auto f = static_cast<std::size_t>(columns[column]);
      const double factor = scale_.factor[columns[column]] * on_sphere;
      for (std::size_t d = 0; d < 3; ++d) {
        const double* from = &s.derivatives[(3 * f + d) * s.slots + first];
        for (std::size_t i = 0; i < count; ++i) rows[(3 * i + d) * width + column] = factor * from[i];
      }
    }
    if (sphere_ <= 0) continue;
    for (std::size_t row = 0; row < 3 * count; ++row) {
      double along = 0;
      for (std::size_t column = 0; column < width; ++column) along += rows[row * width + column] * x[columns[column]];
      block.projection[3 * start + row] = along;
    }
  }
}

void SymmetryFunctions::fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const {
  if (!set_) throw Error("symmetry_functions: the functions were not chosen");
  const std::vector<int> centre = centres(environments, begin, end);
  const auto count = centre.size();
  out.x.resize(static_cast<Eigen::Index>(count), size());
  out.covariance_cutoff.assign(count, 1.0);
  out.partner.assign(count, -1);
  out.centre.resize(count);
  for (std::size_t e = 0; e < count; ++e) out.centre[e] = environments.centre[static_cast<std::size_t>(centre[e])];
  Offsets offsets;
  if (derivatives == Derivatives::jacobian) offsets = make_blocks(environments, centre, out);
  const auto numbers = 3 * static_cast<std::size_t>(plan_.functions);
  if (derivatives == Derivatives::pullback) {  // the derivatives, and the factor of the sphere
    std::size_t most = 0;
    for (const int c : centre) {
      const auto pairs = environments.begin[static_cast<std::size_t>(c) + 1] - environments.begin[static_cast<std::size_t>(c)];
      most = std::max(most, in_packs(pairs) + elements_.size() * widest_pack);
    }
    out.workspace.resize(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(numbers * most + widest_pack));
  }
#pragma omp parallel if (count > 1)
  {
    Scratch s;
#pragma omp for schedule(dynamic, 2)
    for (std::size_t e = 0; e < count; ++e) {
      const auto row = static_cast<Eigen::Index>(e);
      gather(environments, centre[e], s);
      double* to = derivatives == Derivatives::pullback ? out.workspace.row(row) : nullptr;
      if (derivatives == Derivatives::jacobian) {
        s.derivatives.resize(numbers * s.slots);
        to = s.derivatives.data();
      }
      evaluate(derivatives != Derivatives::none, s, to);
      const double on_sphere = put_features(s, out.x.row(row));
      if (derivatives == Derivatives::pullback) to[numbers * s.slots] = on_sphere;
      if (derivatives == Derivatives::jacobian) put_rows(environments, s, e, on_sphere, offsets, out);
    }
  }
}

void SymmetryFunctions::pullback(const Environments& environments, int begin, int end, const Features& features,
                                 const FeatureGradient& gradient, std::span<Vector3> dE_dr) const {
  const std::vector<int> centre = centres(environments, begin, end);
  const auto functions = static_cast<std::size_t>(plan_.functions);
#pragma omp parallel if (centre.size() > 1)
  {
    Scratch s;
    std::vector<double> weight(functions);
    AlignedVector<double> sum;
#pragma omp for schedule(dynamic, 2)
    for (std::size_t e = 0; e < centre.size(); ++e) {
      const auto row = static_cast<Eigen::Index>(e);
      gather(environments, centre[e], s);
      const std::size_t slots = s.slots;
      const double *derivatives = features.workspace.row(row), *x = features.x.row(row);
      const double on_sphere = derivatives[3 * functions * slots];
      const double along = sphere_ > 0 ? gradient.dE_dx.row(row).dot(features.x.view().row(row)) : 0;
      for (std::size_t f = 0; f < functions; ++f) {
        const auto column = static_cast<Eigen::Index>(f);
        weight[f] = (gradient.dE_dx(row, column) - along * x[f]) * on_sphere * scale_.factor[column];
      }
      sum.assign(3 * slots, 0);
      for (std::size_t f = 0; f < functions; ++f)
        for (const int range : plan_.ranges[f]) {
          const auto first = static_cast<std::size_t>(s.first[static_cast<std::size_t>(range)]),
                     last = first + static_cast<std::size_t>(s.count[static_cast<std::size_t>(range)]);
          for (std::size_t d = 0; d < 3; ++d) {
            const double* from = derivatives + (3 * f + d) * slots;
            for (std::size_t i = first; i < last; ++i) sum[d * slots + i] += weight[f] * from[i];
          }
        }
      for (std::size_t element = 0; element < elements_.size(); ++element)
        for (int i = 0; i < s.count[element]; ++i) {
          const auto slot = static_cast<std::size_t>(s.first[element] + i);
          dE_dr[s.pair[slot]] += Vector3(sum[slot], sum[slots + slot], sum[2 * slots + slot]);
        }
    }
  }
}

}  // namespace gapkit
