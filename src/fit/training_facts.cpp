#include "fit/training_facts.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/frame_fingerprint.hpp>
#include <gapkit/potentials/atom_field.hpp>

#include "fit/shortest_distances.hpp"

namespace gapkit {
namespace {

void count_environments(const TermOptions& term, const std::vector<int>& elements, const Environments& environments,
                        std::map<std::vector<int>, TrainingFacts::Counted>& found) {
  const DescriptorKind& kind = descriptor_kind(term.descriptor);
  for (const std::vector<int>& species : kind.combinations(elements)) {
    TrainingFacts::Counted& counted = found[species];
    if (!counted.descriptor) {
      std::vector<int> own = species;
      std::sort(own.begin(), own.end());
      own.erase(std::unique(own.begin(), own.end()), own.end());
      counted.descriptor = kind.make(term.descriptor_parameters, species, own);
    }
    for (int c = 0; c < environments.size(); ++c) {
      const EnvironmentCount count = counted.descriptor->count(environments, c);
      counted.sum.environments += count.environments;
      counted.sum.pairs += count.pairs;
    }
  }
}

// Before the elements of the data are known.
double cutoff_of(const TermOptions& term) {
  const std::vector<int> hydrogen = {1};
  const DescriptorKind& kind = descriptor_kind(term.descriptor);
  const auto combinations = kind.combinations(hydrogen);
  return kind.make(term.descriptor_parameters, combinations.front(), hydrogen)->cutoff();
}

}  // namespace

TrainingFacts::TrainingFacts(const FitOptions& options) : environments(options.terms.size()), options_(options), regularization_(options) {
  for (const RowGroup& g : regularization_.groups()) groups.push_back({g, 0});
  for (const TermOptions& term : options.terms) cutoff_ = std::max(cutoff_, cutoff_of(term));
}

void TrainingFacts::add(const Structure& s, const StructureEnvironments& near) {
  const NeighborList& list = near.list();
  ++frames;
  atoms += s.size();
  ++config_types[s.config_type];
  std::map<int, int> composition;
  for (const int z : s.atomic_numbers) ++composition[z];
  std::vector<int> elements;
  for (const auto& [z, n] : composition) {
    atoms_of[z] += n;
    elements.push_back(z);
  }
  pairs += static_cast<std::int64_t>(list.pair_count());
  for (std::size_t t = 0; t < options_.terms.size(); ++t) count_environments(options_.terms[t], elements, near.view(), environments[t]);
  if (s.energy || options_.keys.base.is_used()) add_energies(s, list, composition);
  add_frame(checksum, s);
  std::map<int, double> zero;
  for (const int z : s.atomic_numbers) zero[z] = 0;
  const RowTargets targets = regularization_.row_targets(s, zero);
  for (const int g : targets.group)
    if (g != RowTargets::excluded) ++groups[static_cast<std::size_t>(g)].rows;
  if (!targets.group.empty()) keep_shorter(shortest_distances, closest_pairs(s, list));
}

void TrainingFacts::add_energies(const Structure& given, const NeighborList& list, const std::map<int, int>& composition) {
  Structure s = given;
  subtract_base(s, options_.keys.base, options_.use);  // reference energies are those of the difference
  if (!s.energy) return;
  if (s.size() == 1 && list.pair_count() == 0) add_isolated_atom(s);
  add_energy(s, composition);
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
    // An examination of the data has no fitted properties, and does without the energies that depend on them.
    std::vector<PotentialPointer> known;
    for (const PotentialPointer& p : options_.baselines)
      if (missing_property(*p).empty()) known.push_back(p);
    Structure learned = s;
    subtract_potentials(known, learned);
    energy = *learned.energy;
  }
  auto& sum = by_composition[composition];
  sum.first += energy;
  ++sum.second;
}

}  // namespace gapkit
