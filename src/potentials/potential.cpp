#include <algorithm>
#include <cmath>
#include <gapkit/potentials/pair_sums.hpp>
#include <gapkit/potentials/potential.hpp>

namespace gapkit {
namespace {

void check_finite(const Evaluation& evaluation, std::span<const PotentialPointer> potentials, const Structure& structure) {
  if (std::isfinite(evaluation.energy) && evaluation.forces.allFinite() && evaluation.virial.allFinite()) return;
  std::string names;
  for (const PotentialPointer& p : potentials) names += (names.empty() ? "" : ", ") + p->name();
  throw NumericalError(structure.place() + names +
                       ": energy, forces or virial are not finite; two atoms are at the same place or nearly so");
}

}  // namespace

const Parameters& Potential::parameters() const {
  static const Parameters none;
  return none;
}

double largest_cutoff(std::span<const PotentialPointer> potentials) {
  double cutoff = 0;
  for (const PotentialPointer& p : potentials) cutoff = std::max(cutoff, p->cutoff());
  return cutoff;
}

void check_elements(std::span<const PotentialPointer> potentials, const Structure& structure) {
  try {
    for (const PotentialPointer& p : potentials) p->check_elements(structure.atomic_numbers);
  } catch (const InputError& error) {
    throw InputError(structure.place() + error.what());
  }
}

Evaluation evaluate(std::span<const PotentialPointer> potentials, const Structure& structure) {
  check_elements(potentials, structure);
  Evaluation result;
  result.forces = Positions::Zero(structure.size(), 3);
  std::vector<double> local(static_cast<std::size_t>(structure.size()), 0.0);
  if (const double cutoff = largest_cutoff(potentials); cutoff > 0) {
    const StructureEnvironments environments(structure, cutoff);
    std::vector<Vector3> dE_dr(environments.view().neighbor.size(), Vector3::Zero());
    for (const PotentialPointer& p : potentials) p->add(environments.view(), local, dE_dr);
    add_pair_forces(environments.view(), dE_dr, result.forces);
    result.virial = pair_virial(environments.view().vector, dE_dr);
  }
  for (const PotentialPointer& p : potentials)
    if (p->needs_structure()) p->add_structure(structure, {local, &result.forces, &result.virial});
  for (const double energy : local) result.energy += energy;
  check_finite(result, potentials, structure);
  return result;
}

Evaluation evaluate(const Potential& potential, const Structure& structure) {
  const PotentialPointer view(&potential, [](const Potential*) {});  // not owned
  return evaluate({&view, 1}, structure);
}

void subtract_potentials(std::span<const PotentialPointer> potentials, Structure& structure) {
  if (potentials.empty()) return;
  const Evaluation sum = evaluate(potentials, structure);
  if (structure.energy) *structure.energy -= sum.energy;
  if (structure.forces) *structure.forces -= sum.forces;
  if (structure.virial) *structure.virial -= sum.virial;
}

}  // namespace gapkit
