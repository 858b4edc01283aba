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

std::vector<TargetInfo> make_table() {
  return {
      {.property = Property::energy,
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
       .can_be_fitted = always},
      {.property = Property::force,
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
       .can_be_fitted = always},
      {.property = Property::virial,
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
       .can_be_fitted = has_cell},
  };
}

}  // namespace

const std::vector<TargetInfo>& targets() {
  static const std::vector<TargetInfo> table = [] {
    std::vector<TargetInfo> lines = make_table();
    bool is_in_order = lines.size() == target_count;
    for (std::size_t i = 0; i < lines.size(); ++i) is_in_order = is_in_order && lines[i].property == static_cast<Property>(i);
    if (!is_in_order) throw Error("the table of targets has other lines than Property");
    return lines;
  }();
  return table;
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
  for (const TargetInfo& target : targets()) result[target.property] = target.sigma;
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
