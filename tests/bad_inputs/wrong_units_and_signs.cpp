#include <gapkit/core/units.hpp>

#include "bad_inputs/bad_inputs.hpp"
#include "support/pair_potential.hpp"

namespace gapkit::test {
namespace {

void scale_energies(Inputs& in, double factor, const std::string& config_type = "") {
  for (Structure& s : in.frames)
    if (config_type.empty() || s.config_type == config_type) s.set_field("energy", factor * *s.energy);
}

/// As if the code gave total energies, of hundreds of eV per atom.
void shift_energies(Inputs& in, double per_atom) {
  for (Structure& s : in.frames) {
    s.energy = *s.energy + per_atom * s.size();
    s.set_field("energy", *s.energy);
  }
}

void scale_forces(Inputs& in, double factor) {
  for (Structure& s : in.frames) {
    const Positions forces = factor * *s.forces;
    s.set_column("forces", 3, {forces.data(), forces.data() + forces.size()});
  }
}

void set_virials(Inputs& in, double factor) {
  for (Structure& s : in.frames) {
    if (!s.virial) continue;
    const Matrix3 virial = factor * *s.virial;
    s.set_field("virial", std::vector<double>(virial.data(), virial.data() + 9));
  }
}

/// Stress instead of virial, times a factor.
void set_stresses(Inputs& in, double factor) {
  for (Structure& s : in.frames) {
    if (!s.virial) continue;
    std::erase_if(s.fields, [](const Field& f) { return f.key == "virial"; });
    const Matrix3 stress = -factor / s.volume() * *s.virial;
    s.set_field("stress", std::vector<double>(stress.data(), stress.data() + 9));
  }
}

/// The numbers of one under the name of the other.
void exchange_stress_and_virial(Inputs& in, bool is_stress) {
  for (Structure& s : in.frames) {
    if (!s.virial) continue;
    const Matrix3 numbers = is_stress ? Matrix3(-*s.virial / s.volume()) : *s.virial;
    std::erase_if(s.fields, [](const Field& f) { return f.key == "virial"; });
    s.set_field(is_stress ? "virial" : "stress", std::vector<double>(numbers.data(), numbers.data() + 9));
  }
}

void only_frames_without_copies(Inputs& in) {
  in.frames.erase(in.frames.begin() + 4, in.frames.end());
}

}  // namespace

std::vector<BadInput> wrong_units_and_signs() {
  constexpr double gpa = gpa_per_ev_per_cubic_angstrom;
  return {
      {"stress instead of virial, all in order, with a note to keep the row honest",
       [](Inputs& in) {
         set_stresses(in, 1);
         in.frames.push_back(in.frame(4));
       },
       Answer::note, "it counts twice"},
      {"energies in Hartree", [](Inputs& in) { scale_energies(in, 1 / ev_per_hartree); }, Answer::error,
       "the energies seem to be in Hartree, expected eV"},
      {"energies in Rydberg", [](Inputs& in) { scale_energies(in, 2 / ev_per_hartree); }, Answer::error,
       "the energies seem to be in Rydberg, expected eV"},
      {"energies in kJ/mol", [](Inputs& in) { scale_energies(in, 96.4853); }, Answer::error,
       "the energies seem to be in kJ/mol, expected eV"},
      {"forces in Hartree/Bohr", [](Inputs& in) { scale_forces(in, angstrom_per_bohr / ev_per_hartree); }, Answer::error,
       "train.xyz, config type 'md': energy differences of 3 pairs of frames with small displacements are"},
      {"forces in Rydberg/Bohr", [](Inputs& in) { scale_forces(in, 2 * angstrom_per_bohr / ev_per_hartree); }, Answer::error,
       "the forces seem to be in Rydberg/Bohr, expected eV/Å"},
      {"gradients instead of forces", [](Inputs& in) { scale_forces(in, -1); }, Answer::error,
       "the sign of the forces is reversed, expected −dE/dr"},
      {"forces too small by 3", [](Inputs& in) { scale_forces(in, 1.0 / 3); }, Answer::warning,
       "expected 1: energies and their derivatives do not belong together"},
      {"virial of the wrong sign", [](Inputs& in) { set_virials(in, -1); }, Answer::error,
       "times −virial:strain: the sign of the virial is reversed, expected −dE/dstrain"},
      {"stress of the wrong sign", [](Inputs& in) { set_stresses(in, -1); }, Answer::error,
       "times stress·volume:strain: the sign of the stress is reversed, expected positive under tension"},
      {"stress in GPa", [](Inputs& in) { set_stresses(in, gpa); }, Answer::error, "the stress seems to be in GPa, expected eV/Å³"},
      {"stress in kBar", [](Inputs& in) { set_stresses(in, 10 * gpa); }, Answer::error, "the stress seems to be in kBar, expected eV/Å³"},
      {"stress in kBar with the sign of VASP", [](Inputs& in) { set_stresses(in, -10 * gpa); }, Answer::error,
       "the stress seems to be in kBar, expected eV/Å³; moreover, the sign of the stress is reversed"},
      {"stress under the name of virial", [](Inputs& in) { exchange_stress_and_virial(in, true); }, Answer::error,
       "the virials look like stresses in eV/Å³, positive under tension: the factor −volume explains them"},
      {"virial under the name of stress", [](Inputs& in) { exchange_stress_and_virial(in, false); }, Answer::error,
       "the stresses look like virials in eV: the factor −1/volume explains them"},
      {"stress in GPa, nothing to compare it with",
       [](Inputs& in) {
         only_frames_without_copies(in);
         set_stresses(in, gpa);
       },
       Answer::warning, "is the stress in eV/Å³?"},
  };
}

std::vector<BadInput> units_of_some_frames() {
  return {
      {"one config type in Hartree",
       [](Inputs& in) {
         shift_energies(in, -100);
         scale_energies(in, 1 / ev_per_hartree, "strain");
       },
       Answer::error, "train.xyz, config type 'strain': energy differences of 3 pairs of strained copies are"},
      {"one config type in Hartree, nothing to compare it with",
       [](Inputs& in) {
         only_frames_without_copies(in);
         shift_energies(in, -100);
         in.frames.push_back(in.frame(2));
         in.frames.push_back(in.frame(3));
         for (int n : {5, 6}) {
           in.frame(n).positions.col(0).array() += 0.5;
           in.frame(n).set_field("energy", *in.frame(n).energy / ev_per_hartree);
           in.frame(n).set_field("config_type", std::string("other"));
         }
       },
       Answer::warning, "times as much: are the former in Hartree? expected eV"},
      {"reference energies in Hartree",
       [](Inputs& in) {
         shift_energies(in, -100);
         in.configure("mode = \"isolated\"", "mode = \"explicit\"\nexplicit = { Si = -3.7058 }");
       },
       Answer::warning, "the reference energies seem to be in Hartree, expected eV"},
      {"total energies with reference energies of another zero",
       [](Inputs& in) {
         shift_energies(in, -50);
         in.configure("mode = \"isolated\"", "mode = \"explicit\"\nexplicit = { Si = -0.84 }");
       },
       Answer::warning, "are one of them total energies and the others relative to something?"},
  };
}

}  // namespace gapkit::test
