#include "bad_inputs/bad_inputs.hpp"
#include "support/pair_potential.hpp"

namespace gapkit::test {
namespace {

void set_all_energies(Inputs& in, double value) {
  for (Structure& s : in.frames) s.set_field("energy", value);
}

void erase_field(Structure& s, const std::string& key) {
  std::erase_if(s.fields, [&](const Field& f) { return f.key == key; });
}

void rename_field(Inputs& in, const std::string& from, const std::string& to) {
  for (Structure& s : in.frames)
    for (Field& f : s.fields)
      if (f.key == from) f.key = to;
}

void rename_column(Inputs& in, const std::string& from, const std::string& to) {
  for (Structure& s : in.frames)
    for (Column& c : s.columns)
      if (c.name == from) c.name = to;
}

void set_forces(Structure& s, const std::function<double(int atom, int axis)>& value) {
  std::vector<double> forces;
  for (int i = 0; i < s.size(); ++i)
    for (int k = 0; k < 3; ++k) forces.push_back(value(i, k));
  s.set_column("forces", 3, forces);
}

}  // namespace

std::vector<BadInput> targets_that_are_no_numbers() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {
      {"energy is NaN", [=](Inputs& in) { in.frame(2).set_field("energy", nan); }, Answer::error,
       "train.xyz:4 (frame 2): key 'energy' is 'nan', expected a finite number"},
      {"energy is a word", [](Inputs& in) { in.frame(2).set_field("energy", std::string("low")); }, Answer::error,
       "train.xyz:4 (frame 2): key 'energy' is 'low', expected a finite number"},
      {"energy is a vector",
       [](Inputs& in) {
         in.frame(2).set_field("energy", std::vector<double>{1, 2});
       },
       Answer::error, "train.xyz:4 (frame 2): key 'energy' is '1.0 2.0', expected a finite number"},
      {"two energies", [](Inputs& in) { in.frame(2).set_field("dft_energy", -1.0); }, Answer::error,
       "train.xyz:4 (frame 2): 'energy' and 'dft_energy' could hold the energy, expected one of them; name it with [data] energy_key or "
       "--energy-key; they differ"},
      {"a stress that is not fitted is NaN",
       [=](Inputs& in) {
         for (Structure& s : in.frames)
           if (s.virial) s.set_field("virial", std::vector<double>(6, nan));
         in.configure("[data]", "[data]\nuse = [\"energy\", \"forces\"]");
       },
       Answer::note, "key 'virial' is 'nan nan nan nan nan nan', expected finite numbers; as it is not fitted, it is left out"},
      {"a force is NaN", [=](Inputs& in) { set_forces(in.frame(2), [=](int i, int k) { return i == 3 && k == 1 ? nan : 0.1; }); },
       Answer::error, "train.xyz:4 (frame 2): column 'forces' has nan as force component 2 of atom 4, expected finite numbers"},
      {"a force is infinite", [](Inputs& in) { set_forces(in.frame(2), [](int, int) { return std::numeric_limits<double>::infinity(); }); },
       Answer::error, "column 'forces' has inf as force component 1 of atom 1"},
      {"forces with two components",
       [](Inputs& in) {
         in.frame(2).columns.clear();
         in.frame(2).set_column("forces", 2, std::vector<double>(16));
       },
       Answer::error, "train.xyz:4 (frame 2): column 'forces' has 2 values per atom, expected 3 real numbers for each of 8 atoms"},
      {"virial is infinite",
       [](Inputs& in) { in.frame(2).set_field("virial", std::vector<double>(9, std::numeric_limits<double>::infinity())); }, Answer::error,
       "train.xyz:4 (frame 2): key 'virial' is"},
      {"virial of five numbers", [](Inputs& in) { in.frame(2).set_field("virial", std::vector<double>(5, 1.0)); }, Answer::error,
       "key 'virial' has 5 numbers, expected 6 (xx yy zz yz xz xy) or 9 (row by row)"},
      {"virial not symmetric",
       [](Inputs& in) {
         in.frame(2).set_field("virial", std::vector<double>{1, 2, 0, 0, 1, 0, 0, 0, 1});
       },
       Answer::error, "train.xyz:4 (frame 2): key 'virial' is not symmetric"},
      {"virial and stress disagree", [](Inputs& in) { in.frame(2).set_field("stress", std::vector<double>(6, 0.5)); }, Answer::error,
       "train.xyz:4 (frame 2): virial ('virial':"},
      {"virial and stress disagree in sign",
       [](Inputs& in) {
         const Structure& s = in.frame(2);
         const Matrix3 stress = *s.virial / s.volume();
         in.frame(2).set_field("stress", std::vector<double>(stress.data(), stress.data() + 9));
       },
       Answer::error, "the sign of the stress is reversed (it must be positive under tension)"},
      {"stress of a molecule", [](Inputs& in) { in.frame(1).set_field("stress", std::vector<double>(6, 0.5)); }, Answer::error,
       "train.xyz:1 (frame 1): key 'stress' is a stress, but the frame has no cell with a volume"},
  };
}

std::vector<BadInput> bad_sigmas_and_masks() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {
      {"energy_sigma 0", [](Inputs& in) { in.frame(2).set_field("energy_sigma", 0.0); }, Answer::error,
       "train.xyz:4 (frame 2): key 'energy_sigma' is 0, expected a number above 0"},
      {"force_sigma negative", [](Inputs& in) { in.frame(2).set_field("force_sigma", -0.1); }, Answer::error,
       "train.xyz:4 (frame 2): key 'force_sigma' is -0.1, expected a number above 0"},
      {"virial_sigma NaN", [=](Inputs& in) { in.frame(2).set_field("virial_sigma", nan); }, Answer::error, "key 'virial_sigma' is 'nan'"},
      {"force_atom_sigma 0",
       [](Inputs& in) {
         in.frame(2).set_column("force_atom_sigma", 1, {1, 1, 1, 0, 1, 1, 1, 1});
       },
       Answer::error, "train.xyz:4 (frame 2): column 'force_atom_sigma' is 0 for atom 4, expected a number above 0"},
      {"force_mask of real numbers", [](Inputs& in) { in.frame(2).set_column("force_mask", 1, std::vector<double>(8, 0.5)); },
       Answer::error, "train.xyz:4 (frame 2): column 'force_mask' is the mask of the forces, expected one logical"},
  };
}

std::vector<BadInput> missing_and_misnamed_targets() {
  return {
      {"a frame without any target",
       [](Inputs& in) {
         erase_field(in.frame(4), "energy");
         erase_field(in.frame(4), "virial");
         in.frame(4).columns.clear();
       },
       Answer::warning, "train.xyz:24 (frame 4): the frame has no energy, forces or virial that is fitted"},
      {"no target at all",
       [](Inputs& in) {
         for (Structure& s : in.frames) {
           erase_field(s, "energy");
           erase_field(s, "virial");
           s.columns.clear();
         }
       },
       Answer::error, "the training data have no target that is used"},
      {"a named energy key that nobody has", [](Inputs& in) { in.configure("[data]", "[data]\nenergy_key = \"Energy\""); }, Answer::error,
       "[data] energy_key names 'Energy', but no frame of 12 has this key; there are 'config_type', 'energy', 'virial'"},
      {"a named column of forces that nobody has", [](Inputs& in) { in.configure("[data]", "[data]\nforces_key = \"dft_forces\""); },
       Answer::error, "[data] forces_key names 'dft_forces', but no frame of 12 has this column; there are 'forces'"},
      {"a named config type key that nobody has", [](Inputs& in) { in.configure("[data]", "[data]\nconfig_type_key = \"kind\""); },
       Answer::error, "[data] config_type_key names 'kind', but no frame of 12 has this key"},
      {"a named mask that nobody has", [](Inputs& in) { in.configure("[data]", "[data]\nforce_mask_key = \"frozen\""); }, Answer::error,
       "[data] force_mask_key names 'frozen', but no frame of 12 has this column"},
      {"forces under an unknown name", [](Inputs& in) { rename_column(in, "forces", "vasp_forces"); }, Answer::warning,
       "no frame of 12 has forces under a known name, but the column 'vasp_forces' looks like the forces; if so, name it with [data] "
       "forces_key = \"vasp_forces\" (or --forces-key vasp_forces)"},
      {"forces under a short name", [](Inputs& in) { rename_column(in, "forces", "f"); }, Answer::warning,
       "[data] forces_key = \"f\" (or --forces-key f)"},
      {"forces under an unknown name in some frames",
       [](Inputs& in) {
         for (Column& c : in.frame(4).columns)
           if (c.name == "forces") c.name = "Force";
       },
       Answer::warning, "1 of 12 frames have no forces under a known name, but the column 'Force' looks like the forces"},
      {"virial under an unknown name", [](Inputs& in) { rename_field(in, "virial", "Virial_eV"); }, Answer::warning,
       "the key 'Virial_eV' looks like the virial; if so, name it with [data] virial_key = \"Virial_eV\""},
      {"energy under an unknown name", [](Inputs& in) { rename_field(in, "energy", "TotEnergy"); }, Answer::error,
       "no frame of 12 has an energy under a known name, but the key 'TotEnergy' looks like the energy; if so, name it with [data] "
       "energy_key = \"TotEnergy\" (or --energy-key TotEnergy)"},
      {"everything under unknown names",
       [](Inputs& in) {
         rename_field(in, "energy", "E");
         rename_field(in, "virial", "Virials_vasp");
         rename_column(in, "forces", "dft_froce");
       },
       Answer::error, "energy_key = \"E\", forces_key = \"dft_froce\", virial_key = \"Virials_vasp\" (or --energy-key E --forces-key "},
      {"energies of atoms instead of frames",
       [](Inputs& in) {
         for (Structure& s : in.frames) {
           erase_field(s, "energy");
           s.set_column("energies", 1, std::vector<double>(static_cast<std::size_t>(s.size()), -1.0));
         }
       },
       Answer::error, "the column 'energies' has one value per atom and is not the energy of the frame"},
  };
}

std::vector<BadInput> improbable_targets() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {
      {"free energy not used",
       [](Inputs& in) {
         for (Structure& s : in.frames) s.set_field("free_energy", -1.0);
       },
       Answer::note, "free_energy is in 12 frames and not used"},
      {"energy 0 as a placeholder", [](Inputs& in) { in.frame(4).set_field("energy", 0.0); }, Answer::warning,
       "train.xyz:24 (frame 4): the energy of 8 atoms is exactly 0"},
      {"more energies 0 than are listed", [](Inputs& in) { set_all_energies(in, 0.0); }, Answer::warning,
       "… and 6 more of this kind (zero energy)"},
      {"forces 0 as placeholders",
       [](Inputs& in) {
         for (Structure& s : in.frames) set_forces(s, [](int, int) { return 0.0; });
       },
       Answer::warning, "train.xyz: the forces of all 11 frames with more than one atom are exactly 0"},
      {"a force of 20000 eV/Å",
       [](Inputs& in) { set_forces(in.frame(4), [](int i, int k) { return k != 0 || i > 1 ? 0.0
                                                                          : i == 0        ? 2e4
                                                                                          : -2e4; }); },
       Answer::warning, "train.xyz:24 (frame 4): a force of 2e+04 eV/Å on atom 1 (Si), more than 1000"},
      {"a net force", [](Inputs& in) { set_forces(in.frame(4), [](int i, int k) { return i == 5 && k == 2 ? 1.5 : 0.0; }); },
       Answer::warning, "train.xyz:24 (frame 4): the forces add up to 1.5 eV/Å, expected 0"},
      {"an isolated atom with a force", [](Inputs& in) { set_forces(in.frame(1), [](int, int) { return 0.1; }); }, Answer::warning,
       "train.xyz:1 (frame 1): a frame of one atom has a force of 0.173 eV/Å, expected 0"},
      {"NaN in a column that is not used", [=](Inputs& in) { in.frame(4).set_column("magmom", 1, std::vector<double>(8, nan)); },
       Answer::note, "train.xyz:24 (frame 4): column 'magmom', which is not used, holds NaN or infinity"},
  };
}

}  // namespace gapkit::test
