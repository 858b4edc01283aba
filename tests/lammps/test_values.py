"""Energies, forces, virials and error bars in LAMMPS against those of gap-predict."""

import numpy as np
from support import FOLDER, KCAL_PER_MOL, LAMMPS, PLUGIN, PRESSURE, ROCKSALT, LammpsTest, model, predict, random_frame, read_dump, run_lammps, silicon, vectors

ERROR_BARS = ["--std", "local,force"]


def slab(seed):
    frame = silicon((2, 1, 1), seed)
    frame.cell[2] *= 2.0
    frame.positions[:, 2] += 0.2 * frame.cell[2, 2]
    frame.pbc = (True, True, False)
    return frame


def small_cell(seed):
    return random_frame(["Si"] * 2, 2.72 * (1 - np.eye(3)), [[0, 0, 0], [.25, .25, .25]], (1, 1, 1), seed)


def oxide(seed):
    """With two atoms so close that the repulsion of the nuclei matters."""
    frame = random_frame(["Mg"] * 4 + ["O"] * 4, 4.25 * np.eye(3), ROCKSALT, (2, 1, 1), seed)
    vector = frame.positions[4] - frame.positions[1]
    frame.positions[4] = frame.positions[1] + 0.95 * vector / np.linalg.norm(vector)
    return frame


# Name → (model, elements of the types, frame)
CASES = {
    "triclinic": ("si", ["Si"], silicon((1, 1, 2), 1)),
    "larger": ("si", ["Si"], silicon((2, 2, 2), 2)),
    "small": ("si", ["Si"], small_cell(3)),
    "slab": ("si", ["Si"], slab(4)),
    "network": ("network", ["Si"], silicon((1, 1, 2), 6)),
    "oxide": ("mgo", ["O", "Mg"], oxide(5)),
}


def evaluation(name, newton, units="metal"):
    """Input for LAMMPS that writes all results of a case to files."""
    model_name, elements, frame = CASES[name]
    return f"""clear
{f"include {PLUGIN}/gapkit.lmp" if not LAMMPS else ""}
units {units}
newton {newton}
{frame.data_file(name, elements)}
pair_style gapkit
pair_coeff * * {model(model_name)} {' '.join(elements)}
compute e all pe/atom
compute s all stress/atom NULL virial
compute local all gapkit/std
compute force all gapkit/std force points all
compute novelty all gapkit/std force epistemic points all
compute w all pressure NULL virial
thermo_style custom step pe c_w[1] c_w[2] c_w[3] c_w[4] c_w[5] c_w[6] c_local c_force vol
dump d all custom 1 {name}.dump id x y z fx fy fz c_e c_s[*] c_local c_force[*] c_novelty[*]
dump_modify d sort id format float %.17g
run 0
print "$(pe:%.17g) $(c_w[1]:%.17g) $(c_w[2]:%.17g) $(c_w[3]:%.17g) $(c_w[4]:%.17g) $(c_w[5]:%.17g) $(c_w[6]:%.17g) $(c_local:%.17g) &
$(c_force:%.17g) $(vol:%.17g)" file {name}.txt screen no
"""


class Values(LammpsTest):
    """Each case in one run of LAMMPS for each way to run it."""

    @classmethod
    def setUpClass(cls):
        cls.expected = {}
        for name in ("si", "network", "mgo"):
            cases = [case for case, (model_name, _, _) in CASES.items() if model_name == name]
            results = predict(model(name), [CASES[case][2] for case in cases], *ERROR_BARS)
            cls.expected.update(zip(cases, results))

    def compare(self, ranks, newton, threads=1, units="metal"):
        run_lammps("".join(evaluation(name, newton, units) for name in CASES), ranks=ranks, threads=threads)
        unit = {"metal": 1, "real": KCAL_PER_MOL}[units]
        pressure = {"metal": PRESSURE, "real": 68568.415}[units]
        for name, expected in self.expected.items():
            with self.subTest(case=name):
                (atoms,) = read_dump(FOLDER / f"{name}.dump")
                numbers = [float(word) for word in (FOLDER / f"{name}.txt").read_text().split()]
                energy, local_largest, force_largest, volume = numbers[0], *numbers[7:]
                virial = np.array(numbers[1:7]) * volume / pressure / unit
                self.assert_close(energy / unit, expected["gap_energy"][0], name="energy")
                forces = vectors(atoms, "fx", "fy", "fz") / unit
                self.assertGreater(np.abs(forces).max(), 0.5)
                self.assert_close(forces, expected["gap_forces"], name="forces")
                self.assert_close(virial, expected["gap_virial"][[0, 4, 8, 1, 2, 5]], name="virial")
                self.assert_close(atoms["c_e"] / unit, expected["gap_local_energy"][:, 0], name="atom energies")
                self.assert_close(atoms["c_e"].sum(), energy, name="sum of energies")
                shares = vectors(atoms, *(f"c_s[{k}]" for k in range(1, 7))).sum(axis=0) / pressure / unit
                self.assert_close(-shares, virial, name="sum of virials")
                local = atoms["c_local"] / unit
                force = vectors(atoms, *(f"c_force[{d}]" for d in (1, 2, 3))) / unit
                novelty = vectors(atoms, *(f"c_novelty[{d}]" for d in (1, 2, 3))) / unit
                # Differences of nearly equal numbers: fewer digits than the mean; those of forces come from single precision
                self.assert_close(local, expected["gap_local_energy_std_epistemic"][:, 0], 1e-6, "std of atom energies")
                self.assert_close(force, expected["gap_forces_std"], 1e-4, "std of forces")
                self.assert_close(novelty, expected["gap_forces_std_epistemic"], 1e-4, "epistemic std of forces")
                self.assert_close(local_largest / unit, local.max(), 1e-14, "largest std of atom energies")
                self.assert_close(force_largest / unit, force.max(), 1e-14, "largest std of forces")

    def test_one_rank(self):
        self.compare(1, "on")

    def test_one_rank_with_newton_off_and_two_threads(self):
        self.compare(1, "off", threads=2)

    def test_two_ranks(self):
        self.compare(2, "on")

    def test_four_ranks_with_newton_off(self):
        self.compare(4, "off")

    def test_units_real(self):
        self.compare(1, "on", units="real")

    def test_the_cases_are_the_ones_they_claim_to_be(self):
        self.assertNotEqual(CASES["triclinic"][2].cell[1, 0], 0)
        self.assertLess(np.linalg.det(CASES["small"][2].cell), 50)  # far smaller than the cutoff's sphere
        oxide_frame = CASES["oxide"][2]
        distances = np.linalg.norm(oxide_frame.positions[:, None] - oxide_frame.positions[None], axis=2) + 9 * np.eye(len(oxide_frame))
        self.assertLess(distances.min(), 1.0)  # where the repulsion of the nuclei acts fully: from 1.4 Å on
