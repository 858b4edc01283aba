"""Files that only ASE reads: in gap-fit and gap-predict through a Python that runs beside them, in the package in the same process."""

import functools
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import ase.db
import ase.io
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

import gapkit
from support import BUILD, DATA, FOLDER, SOURCE, crystal, largest_difference, model, model_file

PAIRS = """\
[reference_energies]
mode = "isolated"
[[term]]
descriptor = "two_body"
cutoff = 4.0
kernel = "squared_exponential"
length_scale = 1.0
n_sparse = 10
"""


@functools.cache
def frames():
    """With results that have more digits than ASE writes into extended XYZ."""
    random = np.random.default_rng(3)
    result = []
    for atoms in ase.io.read(DATA / "train.xyz", ":")[::2]:
        results = {"energy": atoms.get_potential_energy() + 1e-9 * random.random(), "forces": atoms.get_forces() + 1e-9 * random.random((len(atoms), 3))}
        if atoms.cell.rank == 3:
            results["stress"] = atoms.get_stress() + 1e-12 * random.random(6)
        frame = ase.Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, info={"config_type": atoms.info["config_type"]})
        frame.calc = SinglePointCalculator(frame, **results)
        result.append(frame)
    return result


@functools.cache
def file(name):
    path = FOLDER / name
    if name.endswith((".db", ".json")):
        with ase.db.connect(path) as database:
            for frame in frames():
                database.write(frame, config_type=frame.info["config_type"])
    else:
        ase.io.write(path, frames())
    return path


@functools.cache
def from_memory():
    return gapkit.fit(frames(), PAIRS, progress=False)


def outcar(frames):
    """The lines of VASP's output that ASE looks at."""
    def numbers(values):
        return " ".join(f"{x:14.8f}" for x in values)
    text = " vasp.6.3.0\n POTCAR:    PAW_PBE Si 05Jan2001\n POTCAR:    PAW_PBE Si 05Jan2001\n   ISPIN  =      1\n   LSORBIT =      F\n" \
           f"   ions per type =            {len(frames[0])}\n"
    for k, atoms in enumerate(frames):
        s = atoms.get_stress() / -0.0006241509125883258  # eV/Å³ → kB, positive under compression
        text += f"--------------------------------------- Iteration {k + 1:6d}(   1)  ---------------------------------------\n"
        text += "  in kB " + numbers([s[0], s[1], s[2], s[5], s[3], s[4]]) + "\n"
        text += "      direct lattice vectors                 reciprocal lattice vectors\n"
        text += "".join(f" {numbers(a)}  {numbers(b)}\n" for a, b in zip(atoms.cell, atoms.cell.reciprocal()))
        text += " POSITION                                       TOTAL-FORCE (eV/Angst)\n " + "-" * 80 + "\n"
        text += "".join(f" {numbers(r)} {numbers(f)}\n" for r, f in zip(atoms.positions, atoms.get_forces())) + " " + "-" * 80 + "\n"
        text += "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n  ---------------------------------------------------\n"
        text += f"  free  energy   TOTEN  = {atoms.get_potential_energy() - 0.01:18.8f} eV\n\n"
        text += f"  energy  without entropy= {atoms.get_potential_energy():18.8f}  energy(sigma->0) = {atoms.get_potential_energy():18.8f}\n"
    return text


def run(name, *arguments, environment=None):
    return subprocess.run([str(BUILD / "bin" / name), *map(str, arguments)], cwd=FOLDER, capture_output=True, text=True,
                          env={**os.environ, **(environment or {})})


class GapFit(unittest.TestCase):
    def setUp(self):
        (FOLDER / "pairs_for_ase.toml").write_text(PAIRS)

    def test_fit_of_files_equals_the_fit_from_memory(self):
        for name in ("train.traj", "train.db", "train.json"):
            with tempfile.TemporaryDirectory() as temporary, self.subTest(name=name):
                done = run("gap-fit", "pairs_for_ase.toml", "--train", file(name), "-o", "ase.h5", environment={"TMPDIR": temporary})
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(os.listdir(temporary), [])
                self.assertEqual(done.stderr.count(f"{name}: was read through ASE (/usr/bin/python3)"), 1, done.stderr)
                self.assertEqual(largest_difference(gapkit.Model.load(FOLDER / "ase.h5").weights, from_memory().weights), 0)

    def test_without_configuration(self):
        done = run("gap-fit", file("train.traj"), "--time", "2s", "-o", "chosen_by_ase.h5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(gapkit.Model.load(FOLDER / "chosen_by_ase.h5").has_error_bars)
        self.assertIn("train.traj", (FOLDER / "chosen_by_ase.toml").read_text())
        dry = run("gap-fit", "chosen_by_ase.toml", "--dry-run")  # the configuration names the file itself
        self.assertEqual(dry.returncode, 0, dry.stderr)

    def test_append(self):
        gapkit.fit(frames()[:20], PAIRS, keep_statistics=True, progress=False).save(FOLDER / "half.h5")
        ase.io.write(FOLDER / "half.traj", frames()[20:])
        done = run("gap-fit", "--append", "half.h5", "half.traj", "-o", "whole.h5")
        self.assertEqual(done.returncode, 0, done.stderr)
        ours = gapkit.append(FOLDER / "half.h5", frames()[20:], progress=False)
        self.assertEqual(largest_difference(gapkit.Model.load(FOLDER / "whole.h5").weights, ours.weights), 0)

    def test_messages_name_the_file_and_the_frame(self):
        wrong = [frame.copy() for frame in frames()[:3]]
        for frame, given in zip(wrong, frames()):
            frame.calc = SinglePointCalculator(frame, energy=given.get_potential_energy(), forces=given.get_forces())
        wrong[2].calc.results["forces"] = np.full((len(wrong[2]), 3), np.nan)
        ase.io.write(FOLDER / "wrong.traj", wrong)
        done = run("gap-fit", "pairs_for_ase.toml", "--train", "wrong.traj", "-o", "none.h5")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, "error: .*wrong.traj \\(frame 3\\): .*forces")
        self.assertFalse((FOLDER / "none.h5").exists())

    def test_what_ase_cannot_read(self):
        (FOLDER / "damaged.traj").write_bytes(file("train.traj").read_bytes()[:500])
        (FOLDER / "unknown.bin").write_bytes(b"\x01\x02 nobody knows\n" * 10)
        ase.io.write(FOLDER / "bare.traj", [crystal(1)])
        for name, text in (("damaged.traj", "a trajectory of ASE, .*reading it through ASE failed: "),
                           ("unknown.bin", "does not begin with a number of atoms as extended XYZ does; reading it through ASE failed: .*does not know the format"),
                           ("bare.traj", "no frame.*target|energies|forces")):
            done = run("gap-fit", "pairs_for_ase.toml", "--train", name, "-o", "none.h5")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr.splitlines()[-1], text)

    def test_without_python_or_ase(self):
        bare = FOLDER / "python-without-ase"
        bare.write_text("#!/bin/sh\nexec /usr/bin/python3 -S -E \"$@\"\n")
        bare.chmod(0o755)
        for python, text in ((bare, f"needs ASE, which {bare} does not have: install python3-ase, or name a Python that has it .*GAPKIT_PYTHON"),
                             ("nowhere-python", "needs Python: GAPKIT_PYTHON: there is no program 'nowhere-python'")):
            for command in (("gap-fit", "pairs_for_ase.toml", "--train", file("train.traj"), "-o", "none.h5"), ("gap-fit", file("train.traj"), "-o", "none.h5"),
                            ("gap-predict", model_file(), file("train.traj"), "-o", "none.xyz")):
                done = run(*command, environment={"GAPKIT_PYTHON": str(python)})
                self.assertEqual(done.returncode, 2, done.stderr)
                lines = done.stderr.splitlines()
                self.assertRegex(lines[-1], "error: .*train.traj: the file is a trajectory of ASE, expected extended XYZ; reading it through ASE " + text)
                self.assertEqual(len(lines), 1, done.stderr)

    def test_gap_predict(self):
        done = run("gap-predict", model_file(), file("train.traj"), "-o", "predicted.xyz", "--std", "energy")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("RMSE", done.stdout.upper())
        predicted = ase.io.read(FOLDER / "predicted.xyz", ":")
        expected = model().predict(frames(), std="energy")
        self.assertLessEqual(largest_difference([atoms.info["gap_energy"] for atoms in predicted], expected.energy), 1e-9)
        ase.io.write(FOLDER / "POSCAR", crystal(1))
        done = run("gap-predict", model_file(), "POSCAR", "-o", "predicted_poscar.xyz")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(abs(ase.io.read(FOLDER / "predicted_poscar.xyz").info["gap_energy"] - model().predict(crystal(1)).energy), 1e-6)


class InThePackage(unittest.TestCase):
    def test_output_of_vasp(self):
        cells = [atoms for atoms in ase.io.read(DATA / "train.xyz", ":") if len(atoms) == 8][:6]
        for name in ("OUTCAR", "run.outcar"):
            (FOLDER / name).write_text(outcar(cells))
            found, expected = gapkit.errors(model(), FOLDER / name), gapkit.errors(model(), cells)
            for target, count in (("energy", 6), ("forces", 144), ("stress", 36)):
                self.assertEqual(found["all"][target]["count"], count)
                self.assertLessEqual(abs(found["all"][target]["rmse"] / expected["all"][target]["rmse"] - 1), 1e-4)
        done = run("gap-fit", "OUTCAR", "--dry-run", "--time", "1s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("free_energy is present in 6 frames and not used", done.stderr)

    def test_files(self):
        for name in ("train.traj", "train.db", "train.json"):
            self.assertEqual(largest_difference(gapkit.fit(file(name), PAIRS, progress=False).weights, from_memory().weights), 0, name)
        both = gapkit.fit([file("train.traj"), DATA / "test.xyz"], PAIRS, progress=False)  # with extended XYZ
        self.assertGreater(largest_difference(both.weights, from_memory().weights), 0)
        of_file = gapkit.errors(model(), file("train.traj"))
        self.assertEqual(of_file["all"], gapkit.errors(model(), frames())["all"])
        chosen = gapkit.fit(file("train.traj"), time=2, progress=False)
        self.assertTrue(chosen.has_error_bars)

    def test_a_file_that_changes_is_read_again(self):
        path = FOLDER / "changing.traj"
        ase.io.write(path, frames()[:5])
        self.assertEqual(gapkit.errors(model(), path)["all"]["frames"], 5)
        ase.io.write(path, frames()[:7])
        self.assertEqual(gapkit.errors(model(), path)["all"]["frames"], 7)

    def test_mistakes(self):
        (FOLDER / "damaged.json").write_text("{")
        with self.assertRaisesRegex(gapkit.InputError, "damaged.json: the file is JSON, .*reading it through ASE failed: "):
            gapkit.errors(model(), FOLDER / "damaged.json")
        script = f"""
import sys
sys.modules["ase"] = None
import gapkit
try:
    gapkit.errors(gapkit.Model.load({str(model_file())!r}), {str(file("train.traj"))!r})
except gapkit.InputError as error:
    assert "train.traj" in str(error) and "needs ASE" in str(error) and "python3-ase" in str(error), error
else:
    raise AssertionError("no error")
"""
        done = subprocess.run([sys.executable, "-c", script], cwd=FOLDER, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


class Converted(unittest.TestCase):
    def text(self, atoms):
        from gapkit._ase_read import frame_text
        return frame_text(atoms)

    def test_every_value_returns(self):
        atoms = crystal(1)
        atoms.info.update({"note": "two words", "number": 3, "truth": True, "list": [1, 2], "virial": np.arange(9.0).reshape(3, 3), "quote": 'a"b',
                           "nothing": None, "table": {"a": 1}, "odd key": 1, "config_type": "bulk"})
        atoms.new_array("magnetic_moments", np.linspace(0, 1 / 3, 8))
        atoms.new_array("labels", np.array(["a b"] * 8))
        atoms.pbc = [True, False, True]
        atoms.calc = SinglePointCalculator(atoms, energy=1 / 3, free_energy=1 / 7, forces=np.full((8, 3), 1 / 9))
        (FOLDER / "every.xyz").write_text(self.text(atoms))
        back = ase.io.read(FOLDER / "every.xyz")
        self.assertTrue(np.array_equal(back.positions, atoms.positions) and np.array_equal(back.cell.array, atoms.cell.array))
        self.assertEqual(list(back.pbc), [True, False, True])
        self.assertEqual((back.get_potential_energy(), back.calc.results["free_energy"]), (1 / 3, 1 / 7))
        self.assertTrue(np.array_equal(back.get_forces(), np.full((8, 3), 1 / 9)))
        self.assertTrue(np.array_equal(back.arrays["magnetic_moments"], np.linspace(0, 1 / 3, 8)))
        self.assertEqual((back.info["note"], back.info["number"], back.info["truth"], back.info["config_type"]), ("two words", 3, True, "bulk"))
        for name in ("quote", "nothing", "table", "odd key", "labels"):
            self.assertNotIn(name, {**back.info, **back.arrays})

    def test_two_values_of_a_target(self):
        atoms = crystal(1)
        atoms.calc = SinglePointCalculator(atoms, energy=1.0)
        atoms.info["energy"] = 1.0
        self.assertEqual(self.text(atoms).count("energy="), 1)
        atoms.info["energy"] = 1.1
        with self.assertRaisesRegex(ValueError, "'energy' in info and the energy of the calculator differ"):
            self.text(atoms)

    def test_molecule_with_one_atom(self):
        (FOLDER / "atom.xyz").write_text(self.text(ase.Atoms("Si")))
        back = ase.io.read(FOLDER / "atom.xyz")
        self.assertEqual((len(back), back.cell.rank, list(back.pbc)), (1, 0, [False] * 3))

    def test_the_program_is_the_module(self):
        self.assertEqual((BUILD / "share/gapkit/gapkit_ase_read.py").read_text(), (SOURCE / "python/gapkit/_ase_read.py").read_text())


if __name__ == "__main__":
    unittest.main()
