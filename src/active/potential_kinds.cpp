#include "active/potential_kinds.hpp"

#include <cmath>

namespace gapkit {

const std::vector<PotentialKind>& potential_kinds() {
  static const std::vector<PotentialKind> kinds = {stillinger_weber_kind(), lennard_jones_kind()};
  return kinds;
}

std::shared_ptr<const Potential> make_potential(std::string_view kind, const Parameters& parameters) {
  std::vector<std::string> names;
  for (const PotentialKind& k : potential_kinds()) {
    if (k.name == kind) return k.make(complete_parameters(parameters, k.parameters, k.name));
    names.push_back(k.name);
  }
  throw InputError("unknown potential '" + std::string(kind) + "'" + suggestion(kind, names));
}

void check_evaluation(const Evaluation& evaluation, const char* potential, const Structure& structure) {
  if (std::isfinite(evaluation.energy) && evaluation.forces.allFinite() && evaluation.virial.allFinite()) return;
  throw NumericalError((structure.source.empty() ? "" : structure.source + ": ") + std::string(potential) +
                       ": energy, forces or virial are not finite; two atoms are at the same place or nearly so");
}

}  // namespace gapkit
