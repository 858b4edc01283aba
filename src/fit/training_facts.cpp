#include "fit/training_facts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

#include "fit/frame_fingerprint.hpp"
#include "fit/shortest_distances.hpp"

namespace gapkit {
namespace {

// Pairs (from both ends) or triplets (unordered, by centre) within a term's cutoff.
void count_environments(const Structure& s, const NeighborList& list, double cutoff, std::size_t arity,
                        std::map<std::vector<int>, std::int64_t>& counts) {
  std::array<std::int64_t, largest_atomic_number + 1> near{};
  std::vector<int> species;  // of the neighbours of one atom
  for (std::size_t i = 0; i < s.atomic_numbers.size(); ++i) {
    const int centre = s.atomic_numbers[i];
    species.clear();
    for (std::size_t p = list.begin()[i]; p < list.begin()[i + 1]; ++p) {
      if (!(list.distance()[p] < cutoff)) continue;
      const int z = s.atomic_numbers[static_cast<std::size_t>(list.index()[p])];
      if (near[static_cast<std::size_t>(z)]++ == 0) species.push_back(z);
    }
    std::sort(species.begin(), species.end());
    const auto number = [&](std::size_t k) { return near[static_cast<std::size_t>(species[k])]; };
    for (std::size_t j = 0; j < species.size(); ++j) {
      if (arity == 2) counts[{std::min(centre, species[j]), std::max(centre, species[j])}] += number(j);
      for (std::size_t k = j; arity == 3 && k < species.size(); ++k) {
        const std::int64_t triplets = j == k ? number(j) * (number(j) - 1) / 2 : number(j) * number(k);
        if (triplets > 0) counts[{centre, species[j], species[k]}] += triplets;
      }
    }
    for (const int z : species) near[static_cast<std::size_t>(z)] = 0;
  }
}

std::size_t arity_of(const TermOptions& term) {
  const std::vector<int> hydrogen = {1};
  return descriptor_kind(term.descriptor).combinations(hydrogen).at(0).size();
}

}  // namespace

TrainingFacts::TrainingFacts(const FitOptions& options) : environments(options.terms.size()), options_(options), regularization_(options) {
  for (const RowGroup& g : regularization_.groups()) groups.push_back({g, 0});
  for (const TermOptions& term : options.terms) cutoff_ = std::max(cutoff_, term.descriptor_parameters.real("cutoff"));
}

void TrainingFacts::add(const Structure& s, const NeighborList& list) {
  ++frames;
  atoms += s.size();
  ++config_types[s.config_type];
  std::map<int, int> composition;
  for (const int z : s.atomic_numbers) ++composition[z];
  for (const auto& [z, n] : composition) atoms_of[z] += n;
  pairs += static_cast<std::int64_t>(list.pair_count());
  for (std::size_t t = 0; t < options_.terms.size(); ++t) {
    const std::size_t arity = arity_of(options_.terms[t]);
    if (arity > 1) count_environments(s, list, options_.terms[t].descriptor_parameters.real("cutoff"), arity, environments[t]);
  }
  if (s.size() == 1 && list.pair_count() == 0 && s.energy) add_isolated_atom(s);
  if (s.energy) add_energy(s, composition);
  add_frame(checksum, s);
  std::map<int, double> zero;
  for (const int z : s.atomic_numbers) zero[z] = 0;
  const RowTargets targets = regularization_.row_targets(s, zero);
  for (const int g : targets.group)
    if (g != RowTargets::excluded) ++groups[static_cast<std::size_t>(g)].rows;
  if (!targets.group.empty()) keep_shorter(shortest_distances, closest_pairs(s, list));
}

void TrainingFacts::add_isolated_atom(const Structure& s) {
  const int z = s.atomic_numbers[0];
  const auto [entry, is_new] = isolated.try_emplace(z, *s.energy, s.source);
  if (!is_new && std::abs(entry->second.first - *s.energy) > 1e-6 &&
      options_.reference_energies.mode == ReferenceEnergyOptions::Mode::isolated)
    throw InputError(s.source + ": a second isolated " + element_symbol(z) + " atom with energy " + std::to_string(*s.energy) +
                     " eV, but " + entry->second.second + " has " + std::to_string(entry->second.first) +
                     " eV; keep one of them or give [reference_energies] explicit values");
}

void TrainingFacts::add_energy(const Structure& s, const std::map<int, int>& composition) {
  double energy = *s.energy;
  if (!options_.baselines.empty() && options_.reference_energies.mode == ReferenceEnergyOptions::Mode::least_squares) {
    Structure learned = s;
    subtract_baselines(options_.baselines, learned);
    energy = *learned.energy;
  }
  auto& sum = by_composition[composition];
  sum.first += energy;
  ++sum.second;
}

}  // namespace gapkit
