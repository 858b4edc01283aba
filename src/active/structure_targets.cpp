#include <algorithm>
#include <gapkit/active/labeller.hpp>

namespace gapkit {
namespace {

/// Whether a name is a default name of a target (io/targets.hpp).
bool is_target(std::string_view name) {
  for (const std::string_view prefix : {"REF_", "dft_", "DFT_"})
    if (name.starts_with(prefix)) {
      name.remove_prefix(prefix.size());
      break;
    }
  const auto is_one = [&](const TargetSource& s) { return std::find(s.endings.begin(), s.endings.end(), name) != s.endings.end(); };
  return name == "free_energy" || std::any_of(target_sources().begin(), target_sources().end(), is_one);
}

}  // namespace

void remove_targets(Structure& structure) {
  for (const TargetInfo& target : targets()) target.set(structure, {});
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
