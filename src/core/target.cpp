#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/structure.hpp>
#include <gapkit/core/target.hpp>
#include <gapkit/core/units.hpp>

namespace gapkit {
namespace {

std::vector<double> energy_rows(const Structure& s) {
  return s.energy ? std::vector<double>{*s.energy} : std::vector<double>{};
}

void set_energy(Structure& s, const std::vector<double>& rows) {
  s.energy.reset();
  if (!rows.empty()) s.energy = rows.front();
}

std::vector<double> force_rows(const Structure& s) {
  return s.forces ? std::vector<double>(s.forces->data(), s.forces->data() + s.forces->size()) : std::vector<double>{};
}

void set_forces(Structure& s, const std::vector<double>& rows) {
  s.forces.reset();
  if (!rows.empty()) s.forces = Eigen::Map<const Positions>(rows.data(), static_cast<Eigen::Index>(rows.size() / 3), 3);
}

std::vector<double> virial_rows(const Structure& s) {
  if (!s.virial) return {};
  const Voigt six = voigt_of(*s.virial);
  return {six.data(), six.data() + six.size()};
}

void set_virial(Structure& s, const std::vector<double>& rows) {
  s.virial.reset();
  if (!rows.empty()) s.virial = tensor_of(Eigen::Map<const Voigt>(rows.data()));
}

bool always(const Structure&) {
  return true;
}

bool has_cell(const Structure& s) {
  return s.cell.has_value();
}

TargetInfo energy_target() {
  return {.property = Property::energy,
          .field = AtomicField::energy,
          .functional = Functional::sum,
          .name = "energy",
          .std_names = {"energy"},
          .std_text = "of the frame, eV",
          .sources = {{"energy", "energies", {"energy"}, false, "eV"}},
          .unit = "eV",
          .components = 1,
          .is_per_atom = false,
          .has_mask = false,
          .sigma = 0.001,
          .scales_with_atoms = true,
          .vanishing = 0,
          .shown = {.name = "energy",
                    .plural = "energies",
                    .title = "Energy",
                    .components = "energy",
                    .entry = "frame",
                    .vectors = "",
                    .by_config_type = true,
                    .normalisation = Normalisation::per_atom,
                    .factor = 1,
                    .unit = "eV/atom",
                    .error_factor = 1000,
                    .error_unit = "meV/atom",
                    .digits = 2},
          .rows = energy_rows,
          .set = set_energy,
          .can_be_fitted = always};
}

TargetInfo force_target() {
  return {.property = Property::force,
          .field = AtomicField::energy,
          .functional = Functional::minus_gradient,
          .name = "force",
          .std_names = {"force", "forces"},
          .std_text = "each component, eV/Å",
          .sources = {{"forces", "forces", {"forces", "force"}, true, "eV/Å"}},
          .unit = "eV/Å",
          .components = 3,
          .is_per_atom = true,
          .has_mask = true,
          .sigma = 0.05,
          .scales_with_atoms = false,
          .vanishing = 1e-5,
          .shown = {.name = "forces",
                    .plural = "forces",
                    .title = "Force",
                    .components = "force components",
                    .entry = "component",
                    .vectors = "atoms",
                    .by_config_type = true,
                    .normalisation = Normalisation::none,
                    .factor = 1,
                    .unit = "eV/Å",
                    .error_factor = 1,
                    .error_unit = "eV/Å",
                    .digits = 4},
          .rows = force_rows,
          .set = set_forces,
          .can_be_fitted = always};
}

TargetInfo virial_target() {
  return {.property = Property::virial,
          .field = AtomicField::energy,
          .functional = Functional::minus_strain_derivative,
          .name = "virial",
          .std_names = {"stress", "virial"},
          .std_text = "eV/Å³, and virial, eV",
          .sources = {{"virial", "virials", {"virial", "virials"}, false, "eV"},
                      {"stress", "stresses", {"stress"}, false, "eV/Å³", " (virial = −stress·volume)"}},
          .unit = "eV",
          .components = 6,  // xx yy zz yz xz xy
          .is_per_atom = false,
          .has_mask = false,
          .sigma = 0.05,
          .scales_with_atoms = true,
          .vanishing = 1e-4,
          .shown = {.name = "stress",
                    .plural = "stresses",
                    .title = "Stress",
                    .components = "stress",
                    .entry = "component",
                    .vectors = "",
                    .by_config_type = false,
                    .normalisation = Normalisation::minus_per_volume,
                    .factor = gpa_per_ev_per_cubic_angstrom,
                    .unit = "GPa",
                    .error_factor = 1,
                    .error_unit = "GPa",
                    .digits = 3},
          .rows = virial_rows,
          .set = set_virial,
          .can_be_fitted = has_cell};
}

std::vector<double> value_rows(const Structure& s) {
  return s.local.values;
}

void set_values(Structure& s, const std::vector<double>& rows) {
  s.local.values = rows;
}

std::vector<double> total_rows(const Structure& s) {
  return s.local.total ? std::vector<double>{*s.local.total} : std::vector<double>{};
}

void set_total(Structure& s, const std::vector<double>& rows) {
  s.local.total.reset();
  if (!rows.empty()) s.local.total = rows.front();
}

std::vector<double> dipole_rows(const Structure& s) {
  return s.local.dipole ? std::vector<double>(s.local.dipole->data(), s.local.dipole->data() + 3) : std::vector<double>{};
}

void set_dipole(Structure& s, const std::vector<double>& rows) {
  s.local.dipole.reset();
  if (!rows.empty()) s.local.dipole = Eigen::Map<const Vector3>(rows.data());
}

// Dipoles of periodic cells are defined up to lattice vectors.
bool is_molecule(const Structure& s) {
  return !s.pbc[0] && !s.pbc[1] && !s.pbc[2];
}

/// A target of a local property. Its frames, names and tables are those of PropertyKeys; its unit belongs to the property.
TargetInfo local_target(Property property, Functional functional, const char* name, int components) {
  TargetInfo target{.property = property,
                    .field = AtomicField::property,
                    .functional = functional,
                    .name = name,
                    .std_names = {},
                    .std_text = "",
                    .sources = {},
                    .unit = "",
                    .components = components,
                    .is_per_atom = false,
                    .has_mask = false,
                    .sigma = 0.01,
                    .scales_with_atoms = false,
                    .vanishing = 0,
                    .shown = {.name = name,
                              .plural = name,
                              .title = name,
                              .components = name,
                              .entry = "component",
                              .vectors = "",
                              .by_config_type = false,
                              .normalisation = Normalisation::none,
                              .factor = 1,
                              .unit = "",
                              .error_factor = 1,
                              .error_unit = "",
                              .digits = 4},
                    .rows = nullptr,
                    .set = nullptr,
                    .can_be_fitted = always};
  return target;
}

TargetInfo value_target() {
  TargetInfo target = local_target(Property::value, Functional::value, "value", 1);
  target.is_per_atom = true;
  target.rows = value_rows;
  target.set = set_values;
  return target;
}

TargetInfo total_target() {
  TargetInfo target = local_target(Property::total, Functional::sum, "total", 1);
  target.rows = total_rows;
  target.set = set_total;
  return target;
}

TargetInfo dipole_target() {
  TargetInfo target = local_target(Property::dipole, Functional::first_moment, "dipole", 3);
  target.vanishing = 1e-8;
  target.rows = dipole_rows;
  target.set = set_dipole;
  target.can_be_fitted = is_molecule;
  return target;
}

}  // namespace

const std::vector<TargetInfo>& all_targets() {
  static const std::vector<TargetInfo> table = [] {
    std::vector<TargetInfo> lines = {energy_target(), force_target(), virial_target(), value_target(), total_target(), dipole_target()};
    bool is_in_order = lines.size() == target_count;
    for (std::size_t i = 0; i < lines.size(); ++i) is_in_order = is_in_order && lines[i].property == static_cast<Property>(i);
    if (!is_in_order) throw Error("the table of targets has other lines than Property");
    return lines;
  }();
  return table;
}

const std::vector<TargetInfo>& targets() {
  static const std::vector<TargetInfo> energies = [] {
    std::vector<TargetInfo> lines;
    for (const TargetInfo& target : all_targets())
      if (target.field == AtomicField::energy) lines.push_back(target);
    return lines;
  }();
  return energies;
}

const std::vector<TargetSource>& target_sources() {
  static const std::vector<TargetSource> sources = [] {
    std::vector<TargetSource> all;
    for (const TargetInfo& target : targets()) all.insert(all.end(), target.sources.begin(), target.sources.end());
    return all;
  }();
  return sources;
}

PerTarget<double> default_sigmas() {
  PerTarget<double> result;
  for (const TargetInfo& target : all_targets()) result[target.property] = target.sigma;
  return result;
}

std::optional<double> GivenSigmas::of_row(int row, int components) const {
  if (!component.empty()) return component[static_cast<std::size_t>(row)];
  if (!atom.empty()) return atom[static_cast<std::size_t>(row / components)];
  return frame;
}

bool TargetInfo::is_masked(const Structure& structure, int row) const {
  return has_mask && !structure.force_mask.empty() && structure.force_mask[static_cast<std::size_t>(row / components)];
}

double TargetInfo::noise_scale(int atoms, bool scale_with_atoms) const {
  return scales_with_atoms && scale_with_atoms ? std::sqrt(static_cast<double>(atoms)) : 1.0;
}

std::string TargetInfo::sigma_unit(bool scale_with_atoms) const {
  return std::string(unit) + (scales_with_atoms && scale_with_atoms ? " times √atoms" : "");
}

bool TargetInfo::vanishes(double predicted, double reference, double epistemic) const {
  return std::abs(predicted) < vanishing && std::abs(reference) < vanishing && epistemic < vanishing;
}

std::optional<TargetInfo::Scale> TargetInfo::shown_scale(const Structure& structure) const {
  const int atoms = structure.size();
  const double volume = structure.volume();
  switch (shown.normalisation) {
    case Normalisation::per_atom:
      return atoms > 0 ? std::optional(Scale{static_cast<double>(atoms), shown.factor}) : std::nullopt;
    case Normalisation::minus_per_volume:
      return volume > 0 ? std::optional(Scale{1, -shown.factor / volume}) : std::nullopt;
    case Normalisation::none:
      break;
  }
  return Scale{1, shown.factor};
}

}  // namespace gapkit
