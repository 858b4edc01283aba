#include <algorithm>
#include <array>
#include <gapkit/active/labeller.hpp>

namespace gapkit {
namespace {

/// Whether it is one of the default names of targets (io/targets.hpp).
bool is_target(std::string_view name) {
  for (const std::string_view prefix : {"REF_", "dft_", "DFT_"})
    if (name.starts_with(prefix)) {
      name.remove_prefix(prefix.size());
      break;
    }
  constexpr std::array names = {"energy", "free_energy", "forces", "force", "virial", "virials", "stress"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void remove_targets(Structure& structure) {
  structure.energy.reset();
  structure.forces.reset();
  structure.virial.reset();
  std::erase_if(structure.fields, [](const Field& field) { return is_target(field.key); });
  std::erase_if(structure.columns, [](const Column& column) { return is_target(column.name); });
}

void set_targets(Structure& structure, double energy, const Positions& forces, const std::optional<Matrix3>& virial) {
  remove_targets(structure);
  structure.energy = energy;
  structure.forces = forces;
  structure.virial = virial;
  structure.set_field("energy", energy);
  if (virial) structure.set_field("virial", std::vector<double>(virial->data(), virial->data() + 9));
  structure.set_column("forces", 3, std::vector<double>(forces.data(), forces.data() + forces.size()));
}

}  // namespace gapkit
