#!/usr/bin/env python3
"""Portable models of the KIM API, written by gap-convert --kim, in the stock LAMMPS and in a small simulator, against gap-predict.

usage: run.py BUILD_FOLDER SOURCE_FOLDER WORK_FOLDER [names of tests, as unittest takes them]

Exit code 77: LAMMPS, the KIM API or ASE is missing. The driver and three models are built and installed first.
"""
import importlib.util
import os
import sys
import unittest
import unittest.mock

sys.dont_write_bytecode = True
from kim_support import (BAR, BINARIES, COLLECTION, ENVIRONMENT, WORK, KimTest, checked, lmp, predictions, prepare,
                         write_data)  # noqa: E402

import ase.io  # noqa: E402
import numpy as np  # noqa: E402
from ase import Atoms  # noqa: E402
from ase.build import bulk, surface  # noqa: E402

NUMBERS = "%.17g"


def shaken(atoms, seed, amplitude=0.12):
    """Displaced atoms in a sheared cell, lower triangular, as LAMMPS needs it."""
    random = np.random.default_rng(seed)
    lower = np.tril(random.uniform(-0.04, 0.04, (3, 3)))
    atoms.set_cell(np.linalg.cholesky(atoms.cell.array @ atoms.cell.array.T) @ (np.eye(3) + lower), scale_atoms=True)
    atoms.set_cell(np.tril(atoms.cell.array))
    atoms.positions += random.uniform(-amplitude, amplitude, atoms.positions.shape)
    return atoms


def slab():
    atoms = surface(bulk("Si", cubic=True), (1, 0, 0), 2, vacuum=6)
    atoms.pbc = [True, True, False]
    return shaken(atoms, 3)


def oxide(repeat, seed):
    return shaken(bulk("MgO", "rocksalt", a=4.25, cubic=True) * repeat, seed)


def carbide():
    return shaken(bulk("SiC", "zincblende", a=4.36, cubic=True) * (2, 1, 1), 5)


def close_pair():
    """Mg and O so near that the ZBL baseline acts."""
    return Atoms("MgOMg", [[1, 1, 1], [2.3, 1.4, 1], [1.2, 3.6, 1.9]], cell=[12, 11, 10], pbc=False)


SYSTEMS = {  # name: (model, elements, structure)
    "crystal": ("silicon", ["Si"], shaken(bulk("Si", cubic=True) * (2, 2, 1), 1)),
    "small": ("silicon", ["Si"], shaken(bulk("Si"), 2, 0.05)),
    "slab": ("silicon", ["Si"], slab()),
    "oxide": ("oxide", ["O", "Mg"], oxide((2, 1, 1), 4)),
    "pair": ("oxide", ["Mg", "O"], close_pair()),
    "carbide": ("carbide", ["C", "Si"], carbide()),
}


def single_point(name, newton):
    """Commands of LAMMPS that write the results of a system to NAME.dump and NAME.global."""
    model, elements, atoms = SYSTEMS[name]
    boundary = " ".join("p" if periodic else "f" for periodic in atoms.pbc)
    return f"""
clear
kim init {model.capitalize()} metal
newton {newton}
atom_modify map array
boundary {boundary}
box tilt large
read_data {name}.data
kim interactions {' '.join(elements)}
mass * 20
compute energy all pe/atom
compute stress all stress/atom NULL virial
compute virial all pressure NULL virial
thermo_style custom step pe c_virial[1] c_virial[2] c_virial[3] c_virial[4] c_virial[5] c_virial[6] vol
thermo_modify format float {NUMBERS}
dump all all custom 1 {name}.dump id c_energy fx fy fz c_stress[1] c_stress[2] c_stress[3] c_stress[4] c_stress[5] c_stress[6]
dump_modify all sort id format float {NUMBERS}
variable pe equal pe
variable vol equal vol
run 0
print "$(pe:{NUMBERS}) $(vol:{NUMBERS}) $(c_virial[1]:{NUMBERS}) $(c_virial[2]:{NUMBERS}) $(c_virial[3]:{NUMBERS}) &
$(c_virial[4]:{NUMBERS}) $(c_virial[5]:{NUMBERS}) $(c_virial[6]:{NUMBERS})" file {name}.global
"""


def virial_of(atoms):
    """xx yy zz xy xz yz, as LAMMPS orders them."""
    virial = np.reshape(atoms.info["gap_virial"], (3, 3))
    return virial[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]


def read_dump(path):
    """Rows of the last frame."""
    lines = path.read_text().split("ITEM: ATOMS")[-1].splitlines()[1:]
    return np.array([[float(x) for x in line.split()] for line in lines])


class Lammps(KimTest):

    @classmethod
    def setUpClass(cls):
        cls.expected = {name: predictions(model, [atoms])[0] for name, (model, _, atoms) in SYSTEMS.items()}

    def check_single_points(self, ranks, newton):
        done = lmp("".join(single_point(name, newton) for name in SYSTEMS), ranks)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for name, expected in self.expected.items():
            where = f"{name}, {ranks} ranks, newton {newton}: "
            energy, volume, *pressures = [float(x) for x in (WORK / f"{name}.global").read_text().split()]
            rows = read_dump(WORK / f"{name}.dump")
            self.assert_close([energy], [expected.info["gap_energy"]], where + "energy")
            self.assert_close(rows[:, 1], expected.arrays["gap_local_energy"], where + "energies of atoms")
            self.assert_close(rows[:, 2:5], expected.arrays["gap_forces"], where + "forces")
            virial = virial_of(expected) if "gap_virial" in expected.info else -np.array(pressures)
            if "gap_virial" in expected.info:
                self.assert_close(np.array(pressures) * volume / BAR, virial, where + "virial")
            self.assert_close(-rows[:, 5:].sum(axis=0) / BAR, np.array(pressures) * volume / BAR, where + "virials of atoms")

    def test_single_points_equal_gap_predict(self):
        for ranks in (1, 2):
            for newton in ("on", "off"):
                self.check_single_points(ranks, newton)

    def test_atoms_that_move_between_ranks_restart_and_deformed_box(self):
        head = "kim init Silicon metal\natom_modify map array\n"
        tail = f"""
kim interactions Si
mass 1 28.0855
neigh_modify every 1 delay 0 check yes
fix 1 all nve
thermo_style custom step pe etotal
thermo_modify format float {NUMBERS}
dump 1 all custom 50 moved.*.dump id x y z fx fy fz
dump_modify 1 sort id format float {NUMBERS} first yes
"""
        script = f"""{head}
box tilt large
read_data crystal.data
{tail}
velocity all create 4000 7 loop geom
run 50
write_restart moved.restart
clear
{head}
read_restart moved.restart
{tail}
run 0
change_box all x scale 1.02 xy delta 0.3 remap units box
run 50
print "$(xlo:{NUMBERS}) $(xhi:{NUMBERS}) $(ylo:{NUMBERS}) $(yhi:{NUMBERS}) $(zlo:{NUMBERS}) $(zhi:{NUMBERS}) &
$(xy:{NUMBERS}) $(xz:{NUMBERS}) $(yz:{NUMBERS}) $(pe:{NUMBERS})" file moved.box
"""
        for ranks in (1, 2):
            done = lmp(script, ranks)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            crystal = SYSTEMS["crystal"][2]
            first, last = read_dump(WORK / "moved.50.dump"), read_dump(WORK / "moved.100.dump")
            xlo, xhi, ylo, yhi, zlo, zhi, xy, xz, yz, energy = [float(x) for x in (WORK / "moved.box").read_text().split()]
            cell = [[xhi - xlo, 0, 0], [xy, yhi - ylo, 0], [xz, yz, zhi - zlo]]
            frames = [Atoms("Si" * len(first), first[:, 1:4], cell=crystal.cell, pbc=True),
                      Atoms("Si" * len(last), last[:, 1:4], cell=cell, pbc=True)]
            self.assertGreater(np.abs(frames[0].positions - crystal.positions).max(), 0.3)
            expected = predictions("silicon", frames)
            self.assert_close(first[:, 4:], expected[0].arrays["gap_forces"], "forces after the restart")
            self.assert_close(last[:, 4:], expected[1].arrays["gap_forces"], "forces in the deformed box")
            self.assert_close([energy], [expected[1].info["gap_energy"]], "energy in the deformed box")

    def test_units_real(self):
        kcal = 23.060549  # LAMMPS 2021 and the KIM API convert with slightly different constants, so a loose comparison
        script = single_point("crystal", "on").replace("Silicon metal", "Silicon real")
        done = lmp(script)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = read_dump(WORK / "crystal.dump")
        self.assert_close(rows[:, 1] / kcal, self.expected["crystal"].arrays["gap_local_energy"], "energies", 1e-6)
        self.assert_close(rows[:, 2:5] / kcal, self.expected["crystal"].arrays["gap_forces"], "forces", 1e-6)


class ErrorBars(KimTest):

    def script(self, steps):
        return f"""
kim init Silicon metal
box tilt large
read_data crystal.data
kim interactions Si
mass 1 28.0855
fix 1 all nve
velocity all create 1000 7 loop geom
run {steps}
"""

    def frames(self, ranks):
        """The frames of all ranks together, one for each evaluation."""
        parts = [ase.io.read(WORK / f"std.{rank}.xyz", ":") for rank in range(ranks)]
        self.assertEqual({len(part) for part in parts}, {len(parts[0])})
        for evaluation in zip(*parts):
            self.assertEqual({atoms.info["rank"] for atoms in evaluation}, set(range(ranks)))
            whole = evaluation[0]
            for other in evaluation[1:]:
                self.assertEqual(other.info["evaluation"], whole.info["evaluation"])
                whole = whole + other
            whole.set_cell(SYSTEMS["crystal"][2].cell)
            whole.pbc = True
            yield evaluation[0].info["evaluation"], whole

    def compare(self, ranks, kinds, every, numbers):
        for old in WORK.glob("std.*.xyz"):
            old.unlink()
        done = lmp(self.script(max(numbers)), ranks, GAPKIT_KIM_STD="std", GAPKIT_KIM_STD_EVERY=str(every), GAPKIT_KIM_STD_OF=kinds)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(sorted(path.name for path in WORK.glob("std.*.xyz")), [f"std.{rank}.xyz" for rank in range(ranks)])
        found = list(self.frames(ranks))
        self.assertEqual([number for number, _ in found], numbers)
        # Tolerances: an epistemic variance is a small difference of large numbers.
        columns = {"gap_local_energy": 1e-9, "gap_local_energy_std_epistemic": 1e-6}
        columns |= {"gap_extrapolation": 1e-5} if "extrapolation" in kinds else {}
        # Those of forces have products in single precision.
        columns |= {"gap_forces_std": 1e-5, "gap_forces_std_epistemic": 1e-5} if "force" in kinds else {}
        for (_, atoms), expected in zip(found, predictions("silicon", [atoms for _, atoms in found], "--std", kinds)):
            self.assertEqual(len(atoms), len(SYSTEMS["crystal"][2]))
            self.assertEqual("gap_forces_std" in atoms.arrays, "force" in kinds)
            self.assertEqual("gap_extrapolation" in atoms.arrays, "extrapolation" in kinds)
            for column, tolerance in columns.items():
                self.assert_close(atoms.arrays[column], expected.arrays[column], f"{column}, {ranks} ranks", tolerance)
            ratio = atoms.info["gap_shortest_distance_ratio"]
            if ranks == 1:
                self.assert_close([ratio], [expected.info["gap_shortest_distance_ratio"]], "ratio")

    def test_side_files_equal_gap_predict(self):
        self.compare(1, "local", 2, [0, 2, 4])
        self.compare(2, "local,force", 3, [0, 3])
        self.compare(1, "local,extrapolation", 3, [0, 3])
        self.compare(2, "local,extrapolation,force", 3, [0, 3])

    def test_later_models_of_a_process_add_to_the_file(self):
        done = lmp(self.script(0) + "clear" + self.script(0), GAPKIT_KIM_STD="added")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(ase.io.read(WORK / "added.0.xyz", ":")), 2)
        self.assertEqual(lmp(self.script(0), GAPKIT_KIM_STD="added").returncode, 0)
        self.assertEqual(len(ase.io.read(WORK / "added.0.xyz", ":")), 1)  # a new process begins anew

    def test_mistakes_end_the_run_with_a_sentence(self):
        carbide = self.script(0).replace("Silicon", "Carbide")
        for script, environment, message in (
                (self.script(0), {"GAPKIT_KIM_STD": "no/such/folder/std"}, "no/such/folder/std.0.xyz (GAPKIT_KIM_STD): cannot write the file"),
                (self.script(0), {"GAPKIT_KIM_STD": "std", "GAPKIT_KIM_STD_EVERY": "0"}, "GAPKIT_KIM_STD_EVERY is '0', expected"),
                (self.script(0), {"GAPKIT_KIM_STD": "std", "GAPKIT_KIM_STD_EVERY": "2x"}, "GAPKIT_KIM_STD_EVERY is '2x', expected"),
                (self.script(0), {"GAPKIT_KIM_STD": "std", "GAPKIT_KIM_STD_OF": "energy"}, "GAPKIT_KIM_STD_OF is 'energy', expected"),
                (self.script(0), {"GAPKIT_KIM_STD": "std", "GAPKIT_KIM_STD_OF": "local,"}, "GAPKIT_KIM_STD_OF is 'local,', expected"),
                (self.script(0), {"GAPKIT_KIM_STD_OF": "local"}, "GAPKIT_KIM_STD_EVERY and GAPKIT_KIM_STD_OF need GAPKIT_KIM_STD"),
                (carbide, {"GAPKIT_KIM_STD": "std"}, "GAPKIT_KIM_STD asks for error bars, and the portable model 'Carbide' has none")):
            done = lmp(script, **environment)
            self.assertNotEqual(done.returncode, 0, message)
            self.assertIn("gapkit: error: ", done.stderr)
            self.assertIn(message, done.stderr)


class OtherSimulators(KimTest):

    def test_results_equal_gap_predict_in_both_units(self):
        for name, (model, _, atoms) in SYSTEMS.items():
            atoms = atoms if atoms.pbc.all() else Atoms(atoms.symbols, atoms.positions)
            expected, = predictions(model, [atoms], *([] if model == "carbide" else ["--std", "local"]))
            text = f"{len(atoms)} " + " ".join(repr(float(x)) for x in np.ravel(atoms.cell.array)) + "\n"
            text += "".join(f"{s} {' '.join(repr(float(x)) for x in p)}\n" for s, p in zip(atoms.symbols, atoms.positions))
            (WORK / "structure").write_text(text)
            for units in ("metal", "atomic"):
                done = checked(["sh", "-c", f"{BINARIES}/kim_client {model.capitalize()} {units} < structure"])
                lines = [np.array([float(x) for x in line.split()]) for line in done.stdout.splitlines()]
                where, rows = f"{name}, {units}: ", np.array(lines[1:])
                self.assert_close(lines[0][:1], [expected.info["gap_energy"]], where + "energy")
                self.assert_close(rows[:, 0], expected.arrays["gap_local_energy"], where + "energies of atoms")
                self.assert_close(rows[:, 1:4], expected.arrays["gap_forces"], where + "forces")
                self.assert_close(rows[:, 4:].sum(axis=0), lines[0][1:], where + "virials of atoms")
                if "gap_virial" in expected.info:
                    virial = np.reshape(expected.info["gap_virial"], (3, 3))
                    self.assert_close(lines[0][1:], -virial[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]], where + "virial")


@unittest.skipUnless(importlib.util.find_spec("kimpy"), "this Python has no kimpy")
class Ase(KimTest):

    def test_calculator_of_ase(self):
        from ase.calculators.kim import KIM
        with unittest.mock.patch.dict(os.environ, ENVIRONMENT):
            for atoms in (oxide((2, 1, 1), 6), close_pair()):
                expected, = predictions("oxide", [atoms])
                atoms.calc = KIM("Oxide")
                self.assert_close([atoms.get_potential_energy()], [expected.info["gap_energy"]], "energy")
                self.assert_close(atoms.get_forces(), expected.arrays["gap_forces"], "forces")
                if atoms.pbc.all():
                    self.assert_close(atoms.get_stress(), expected.info["gap_stress"], "stress")


class Installation(KimTest):

    def test_missing_or_changed_model_file_is_named(self):
        path = COLLECTION / "Oxide/Oxide.h5"
        content = path.read_bytes()
        script = "kim init Oxide metal\n"
        try:
            path.write_bytes(content + b"x")
            done = lmp(script)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(f"Oxide.h5: the file has {len(content) + 1} bytes, expected {len(content)}", done.stderr)
            path.unlink()
            done = lmp(script)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("install the portable model 'Oxide' again", done.stderr)
        finally:
            path.write_bytes(content)

    def test_element_that_the_model_does_not_know(self):
        done = lmp("kim init Silicon metal\nread_data oxide.data\nkim interactions O Mg\n")
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    prepare()
    os.chdir(WORK)  # the KIM API leaves kim.log in the current folder
    for name, (_, elements, atoms) in SYSTEMS.items():
        write_data(WORK / f"{name}.data", atoms, elements)
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
