"""Models with [[long_range]] in LAMMPS: refused as they are; the short range alone with the sums of LAMMPS for fixed charges."""

import numpy as np
from support import BUILD, FOLDER, LAMMPS, PLUGIN, SOURCE, LammpsTest, predict, random_frame, read_dump, run_lammps, run_program, start_lammps, vectors, ROCKSALT


def nacl():
    """A quick model of data/nacl_model with charges of ±1, and its short range."""
    if not (FOLDER / "nacl-short.h5").exists():
        (FOLDER / "nacl.toml").write_text(f"""data.train = ["{SOURCE}/data/nacl_model/nacl_train.xyz"]
reference_energies.mode = "explicit"
reference_energies.explicit = {{ Na = 0.0, Cl = 0.0 }}
[[long_range]]
kind = "coulomb"
charges = {{ Na = 1.0, Cl = -1.0 }}
[[term]]
descriptor = "two_body"
cutoff = 4.5
kernel = "squared_exponential"
length_scale = 0.6
delta = 2.0
n_sparse = 20
selection = "uniform"
""")
        run_program([BUILD / "bin/gap-fit", "nacl.toml", "-o", "nacl.h5"])
        run_program([BUILD / "bin/gap-convert", "nacl.h5", "nacl-short.h5", "--short-range"])


def ions(seed):
    return random_frame(["Na"] * 4 + ["Cl"] * 4, 5.6 * np.eye(3), ROCKSALT, (2, 1, 1), seed)


class LongRange(LammpsTest):
    def test_a_model_with_long_range_is_refused(self):
        nacl()
        frame = ions(1)
        done = start_lammps(f"""{f"include {PLUGIN}/gapkit.lmp" if not LAMMPS else ""}
units metal
{frame.data_file("refused", ["Na", "Cl"])}
pair_style gapkit
pair_coeff * * {FOLDER}/nacl.h5 Na Cl
run 0
""")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("coulomb", done.stdout + done.stderr)

    def test_short_range_with_kspace_is_the_model(self):
        nacl()
        frame = ions(2)
        expected = predict(FOLDER / "nacl.h5", [frame])[0]
        for solver, energy_tolerance, force_tolerance in (("ewald 1e-8", 1e-6, 1e-5), ("pppm 1e-6", 1e-5, 1e-4)):
            with self.subTest(solver):
                energy, forces = self.run_with(frame, solver)
                self.assertLessEqual(abs(energy - expected["gap_energy"][0]), energy_tolerance * abs(expected["gap_energy"][0]))
                self.assertLessEqual(np.abs(forces - expected["gap_forces"]).max(), force_tolerance)

    def run_with(self, frame, solver):
        """Energy and forces of LAMMPS with this kspace_style."""
        run_lammps(f"""{f"include {PLUGIN}/gapkit.lmp" if not LAMMPS else ""}
units metal
{frame.data_file("ions", ["Na", "Cl"], {"Na": 1.0, "Cl": -1.0})}
pair_style hybrid/overlay gapkit coul/long 10.0
pair_coeff * * gapkit {FOLDER}/nacl-short.h5 Na Cl
pair_coeff * * coul/long
kspace_style {solver}
thermo_style custom step pe
dump d all custom 1 ions.dump id x y z fx fy fz
dump_modify d sort id format float %.17g
run 0
print "$(pe:%.17g)" file ions.txt screen no
""")
        return float((FOLDER / "ions.txt").read_text()), vectors(read_dump(FOLDER / "ions.dump")[0], "fx", "fy", "fz")
