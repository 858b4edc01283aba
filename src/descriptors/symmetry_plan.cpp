#include "descriptors/symmetry_plan.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <map>
#include <numeric>

namespace gapkit {
namespace {

constexpr double largest_power = 256;  // ζ up to which powers are products

int range_of(int atomic_number, const std::vector<int>& elements) {
  if (atomic_number == 0) return static_cast<int>(elements.size());
  const auto found = std::lower_bound(elements.begin(), elements.end(), atomic_number);
  if (found == elements.end() || *found != atomic_number)
    throw InputError("symmetry_functions: a function of " + element_symbol(atomic_number) + ", which is no element of the model");
  return static_cast<int>(found - elements.begin());
}

}  // namespace

int SymmetryPlan::cutoff_index(double cutoff) {
  const auto found = std::find(cutoffs.begin(), cutoffs.end(), cutoff);
  if (found != cutoffs.end()) return static_cast<int>(found - cutoffs.begin());
  cutoffs.push_back(cutoff);
  return static_cast<int>(cutoffs.size()) - 1;
}

int SymmetryPlan::index_in(std::vector<Factor>& factors, const Factor& factor) {
  const auto found = std::find(factors.begin(), factors.end(), factor);
  if (found != factors.end()) return static_cast<int>(found - factors.begin());
  factors.push_back(factor);
  return static_cast<int>(factors.size()) - 1;
}

SymmetryPlan::SymmetryPlan(const std::vector<SymmetryFunction>& all, const std::vector<int>& elements)
    : functions(static_cast<int>(all.size())), columns(elements.size()) {
  std::map<std::pair<int, int>, std::vector<int>> angular;
  for (int f = 0; f < functions; ++f) {
    const SymmetryFunction& function = all[static_cast<std::size_t>(f)];
    const int first = range_of(function.first, elements), second = range_of(function.second, elements);
    ranges.push_back({first});
    if (function.is_angular()) {
      angular[{first, second}].push_back(f);
      if (second != first) ranges.back().push_back(second);
    }
    for (int e = 0; e < static_cast<int>(elements.size()); ++e)
      if (function.is_weighted() || std::find(ranges.back().begin(), ranges.back().end(), e) != ranges.back().end())
        columns[static_cast<std::size_t>(e)].push_back(f);
  }
  for (const auto& [pair, chosen] : angular) add_angular(all, chosen, pair.first, pair.second);
  angular_factors = static_cast<int>(factors.size());
  for (int f = 0; f < functions; ++f) {
    const SymmetryFunction& function = all[static_cast<std::size_t>(f)];
    if (function.is_angular()) continue;
    const Factor factor{function.eta, function.shift, cutoff_index(function.cutoff), function.is_weighted()};
    radial.push_back({f, index_in(factors, factor), ranges[static_cast<std::size_t>(f)].front()});
  }
}

void SymmetryPlan::add_angular(const std::vector<SymmetryFunction>& all, const std::vector<int>& chosen, int range_j, int range_k) {
  std::map<std::pair<double, double>, std::vector<SymmetryMember>> by_shape;
  for (const int f : chosen) {
    const SymmetryFunction& function = all[static_cast<std::size_t>(f)];
    const int cutoff = cutoff_index(function.cutoff);
    const int factor = index_in(factors, {function.eta, function.shift, cutoff, function.is_weighted()});
    const bool is_wide = function.kind == SymmetryFunction::Kind::G5;
    const int side = is_wide ? -1 : index_in(sides, {function.eta, function.shift, cutoff, false});
    by_shape[{function.lambda, function.zeta}].push_back({f, factor, side});
  }
  const int first_group = static_cast<int>(groups.size());
  for (auto& [shape, list] : by_shape) {
    std::sort(list.begin(), list.end(), [](const SymmetryMember& a, const SymmetryMember& b) {
      return std::tuple(a.side, a.factor, a.function) < std::tuple(b.side, b.factor, b.function);
    });
    const auto [lambda, zeta] = shape;
    const bool is_integer = zeta == std::floor(zeta) && zeta <= largest_power;
    const int first = static_cast<int>(members.size());
    members.insert(members.end(), list.begin(), list.end());
    groups.push_back(
        {lambda, zeta, is_integer ? static_cast<int>(zeta) - 1 : -1, std::exp2(1 - zeta), first, static_cast<int>(members.size())});
  }
  const int last_group = static_cast<int>(groups.size());
  const bool is_one = range_j == range_k;
  parts.push_back({range_j, range_k, true, is_one ? 0.5 : 1.0, first_group, last_group});
  if (!is_one) parts.push_back({range_k, range_j, false, 0.0, first_group, last_group});
}

}  // namespace gapkit
