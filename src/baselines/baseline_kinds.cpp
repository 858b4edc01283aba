#include "baselines/baseline_kinds.hpp"

#include <algorithm>

namespace gapkit {

const std::vector<BaselineKind>& baseline_kinds() {
  static const std::vector<BaselineKind> kinds = {zbl_kind(), pair_spline_kind()};
  return kinds;
}

const BaselineKind& baseline_kind(std::string_view name) {
  std::vector<std::string> names;
  for (const BaselineKind& kind : baseline_kinds()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  throw InputError("unknown baseline '" + std::string(name) + "'" + suggestion(name, names));
}

double largest_cutoff(std::span<const NamedBaseline> baselines) {
  double cutoff = 0;
  for (const NamedBaseline& b : baselines) cutoff = std::max(cutoff, b.baseline->cutoff());
  return cutoff;
}

void subtract_baselines(std::span<const NamedBaseline> baselines, Structure& structure) {
  if (baselines.empty()) return;
  const StructureEnvironments owner(structure, largest_cutoff(baselines));
  const Environments& environments = owner.view();
  std::vector<double> local(static_cast<std::size_t>(structure.size()), 0.0);
  std::vector<Vector3> dE_dr(environments.neighbor.size(), Vector3::Zero());
  for (const NamedBaseline& b : baselines) b.baseline->add(environments, local, dE_dr);
  if (structure.energy)
    for (const double e : local) *structure.energy -= e;
  Matrix3 virial = Matrix3::Zero();
  for (int i = 0; i < structure.size(); ++i)
    for (std::size_t p = environments.begin[static_cast<std::size_t>(i)]; p < environments.begin[static_cast<std::size_t>(i) + 1]; ++p) {
      if (structure.forces) {
        structure.forces->row(i) -= dE_dr[p].transpose();
        structure.forces->row(environments.neighbor[p]) += dE_dr[p].transpose();
      }
      virial -= dE_dr[p] * environments.vector[p].transpose();
    }
  if (structure.virial) *structure.virial -= virial;
}

}  // namespace gapkit
