#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/kind_table.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/math/instruction_set.hpp>
#include <numbers>

#include "descriptors/soap.hpp"
#include "descriptors/symmetry_functions.hpp"
#include "descriptors/three_body.hpp"
#include "descriptors/two_body.hpp"

namespace gapkit {
namespace {

using Type = ParameterInfo::Type;

const ParameterInfo cutoff_info{.name = "cutoff",
                                .type = Type::real,
                                .unit = "Å",
                                .description = "distance beyond which neighbours are ignored",
                                .default_value = {},
                                .smallest = 0,
                                .excludes_smallest = true};
const ParameterInfo cutoff_width_info{.name = "cutoff_width",
                                      .type = Type::real,
                                      .unit = "Å",
                                      .description = "width of the smooth transition from 1 to 0 inside the cutoff",
                                      .default_value = 0.5,
                                      .smallest = 0,
                                      .excludes_smallest = true};

std::vector<std::vector<int>> single_elements(std::span<const int> elements) {
  std::vector<std::vector<int>> result;
  for (const int z : elements) result.push_back({z});
  return result;
}

std::vector<std::vector<int>> unordered_pairs(std::span<const int> elements) {
  std::vector<std::vector<int>> result;
  for (std::size_t i = 0; i < elements.size(); ++i)
    for (std::size_t j = i; j < elements.size(); ++j) result.push_back({elements[i], elements[j]});
  return result;
}

DescriptorKind two_body_kind() {
  return {.name = "two_body",
          .description = "distance of a pair of atoms",
          .parameters = {cutoff_info, cutoff_width_info},
          .combinations = unordered_pairs,
          .make = [](const Parameters& p, const std::vector<int>& species, const std::vector<int>&) {
            return std::make_shared<const TwoBody>(p, species);
          }};
}

// Each element as centre with each unordered pair of neighbours.
std::vector<std::vector<int>> centred_pairs(std::span<const int> elements) {
  std::vector<std::vector<int>> result;
  for (const int centre : elements)
    for (const std::vector<int>& pair : unordered_pairs(elements)) result.push_back({centre, pair[0], pair[1]});
  return result;
}

DescriptorKind three_body_kind() {
  return {.name = "three_body",
          .description = "triplet of a centre and two neighbours: sum and squared difference of the two distances, and the third side",
          .parameters = {cutoff_info, cutoff_width_info},
          .combinations = centred_pairs,
          .make = [](const Parameters& p, const std::vector<int>& species, const std::vector<int>&) {
            return std::make_shared<const ThreeBody>(p, species);
          }};
}

DescriptorKind soap_kind() {
  return {
      .name = "soap",
      .description = "smooth overlap of atomic positions: power spectrum of the neighbour density",
      .parameters = {cutoff_info,
                     cutoff_width_info,
                     {.name = "n_max",
                      .type = Type::integer,
                      .unit = "",
                      .description = "radial functions",
                      .default_value = std::int64_t{8},
                      .smallest = 1,
                      .largest = 32},
                     {.name = "l_max",
                      .type = Type::integer,
                      .unit = "",
                      .description = "largest angular momentum",
                      .default_value = std::int64_t{8},
                      .smallest = 0,
                      .largest = 24},
                     {.name = "atom_sigma",
                      .type = Type::real,
                      .unit = "Å",
                      .description = "width of the Gaussian on each neighbour",
                      .default_value = 0.5,
                      .smallest = 0,
                      .excludes_smallest = true},
                     {.name = "radial_weight",
                      .type = Type::integer,
                      .unit = "",
                      .description = "exponent p of the weight (1 - r/cutoff)^p of a neighbour's density; 0: none, as in GAP",
                      .default_value = std::int64_t{1},
                      .smallest = 0,
                      .largest = 8,
                      .earlier_value = std::int64_t{0}},
                     {.name = "central_weight",
                      .type = Type::real,
                      .unit = "",
                      .description = "weight of the centre atom's own density",
                      .default_value = 1.0,
                      .smallest = 0},
                     {.name = "central_reference_all_species",
                      .type = Type::boolean,
                      .unit = "",
                      .description = "the centre atom's density appears in the channels of all species",
                      .default_value = false},
                     {.name = "undivided_spectrum",
                      .type = Type::boolean,
                      .unit = "",
                      .description = "the power spectrum is not divided by √(2l+1), as in potentials that GAP made before February 2015",
                      .default_value = false},
                     {.name = "channels",
                      .type = Type::integer,
                      .unit = "",
                      .description = "channels that the radial functions of all elements are contracted to for each l, by matrices from "
                                     "the training data; 0: no contraction",
                      .default_value = std::int64_t{0},
                      .smallest = 0,
                      .largest = 64},
                     {.name = "mixed_channels",
                      .type = Type::integer,
                      .unit = "",
                      .description = "the same with random weights; 0: no mixing",
                      .default_value = std::int64_t{0},
                      .smallest = 0,
                      .largest = 64},
                     {.name = "mixing_seed",
                      .type = Type::integer,
                      .unit = "",
                      .description = "seed of the random weights of the mixture",
                      .default_value = std::int64_t{0},
                      .smallest = 0}},
      .combinations = single_elements,
      .make = [](const Parameters& p, const std::vector<int>& species, const std::vector<int>& elements) {
        return std::make_shared<const Soap>(p, species, elements);
      }};
}

// A list, so that references to its lines stay valid.
std::list<DescriptorKind>& table() {
  static std::list<DescriptorKind> kinds = {two_body_kind(), three_body_kind(), soap_kind(), symmetry_functions_kind()};
  return kinds;
}

}  // namespace

const std::list<DescriptorKind>& descriptor_kinds() {
  return table();
}

void add_descriptor_kind(DescriptorKind kind) {
  add_kind(table(), std::move(kind), "descriptor");
}

std::vector<int> find_combination(const DescriptorKind& kind, const std::vector<int>& species) {
  if (species.empty()) return {};
  std::vector<int> elements = species, sorted = species;
  std::sort(sorted.begin(), sorted.end());
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  std::vector<int> found;
  for (const std::vector<int>& combination : kind.combinations(elements)) {
    std::vector<int> other = combination;
    std::sort(other.begin(), other.end());
    if (other != sorted) continue;
    if (combination.front() == species.front()) return combination;
    found = combination;
  }
  return found;
}

const DescriptorKind& descriptor_kind(std::string_view name) {
  instruction_set();  // throws here, and not inside a parallel loop, if GAPKIT_ISA is wrong
  return find_kind(descriptor_kinds(), name, "descriptor");
}

double cutoff_value(double distance, double cutoff, double width) {
  if (distance <= cutoff - width) return 1;
  if (distance >= cutoff) return 0;
  return 0.5 * (1 + std::cos(std::numbers::pi * (distance - cutoff + width) / width));
}

double cutoff_derivative(double distance, double cutoff, double width) {
  if (distance <= cutoff - width || distance >= cutoff) return 0;
  return -0.5 * std::numbers::pi / width * std::sin(std::numbers::pi * (distance - cutoff + width) / width);
}

}  // namespace gapkit
