"""Built-in potentials, and the script of data/nacl_model on them."""

import subprocess
import sys
import unittest

import ase
import ase.io
import numpy as np

import gapkit
from support import DATA, FOLDER

NACL = DATA.parent / "nacl_model"
CHARGES = {"Na": 1.0, "Cl": -1.0}


def salt():
    return ase.Atoms("NaCl", positions=[[0, 0, 0], [2.82, 0, 0]], cell=[[0, 2.82, 2.82], [2.82, 0, 2.82], [2.82, 2.82, 0]], pbc=True)


class EvaluatePotential(unittest.TestCase):
    def test_coulomb_energy_of_rock_salt(self):
        result = gapkit.evaluate_potential(salt(), "coulomb", charges=CHARGES, accuracy=1e-12)
        self.assertLess(abs(result.energy + 1.7475645946331822 * 14.3996454784 / 2.82), 1e-10)
        self.assertLess(abs(result.forces).max(), 1e-10)
        self.assertLess(abs(np.trace(result.virial) - result.energy), 1e-9)

    def test_charges_of_a_column(self):
        atoms = salt()
        atoms.rattle(0.1, seed=1)
        atoms.set_array("q", np.array([1.0, -1.0]))
        expected = gapkit.evaluate_potential(atoms, "coulomb", charges=CHARGES)
        result = gapkit.evaluate_potential(atoms, "coulomb", charges="given", column="q")
        self.assertLess(abs(result.energy - expected.energy), 1e-12)
        self.assertLess(abs(result.forces - expected.forces).max(), 1e-12)

    def test_other_kinds_and_mistakes(self):
        pair = ase.Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3.8]])
        self.assertLess(gapkit.evaluate_potential(pair, "lennard_jones").energy, 0)
        self.assertLess(gapkit.evaluate_potential(pair, "dispersion", tail=False, cutoff=30).energy, 0)
        for kind, parameters, part in (("colomb", {}, "coulomb"), ("coulomb", {"charges": {"Na": 1.0}}, "no charge of Ar"),
                                       ("coulomb", {"charges": CHARGES, "cutof": 3.0}, "cutof")):
            with self.assertRaises(gapkit.InputError) as caught:
                gapkit.evaluate_potential(pair, kind, **parameters)
            self.assertIn(part, str(caught.exception))


class ModelsWithGivenCharges(unittest.TestCase):
    def test_predictions_follow_the_column(self):
        frames = ase.io.read(NACL / "nacl_train.xyz", ":24")
        for frame in frames:  # ASE calls the column initial_charges
            frame.arrays["charge"] = frame.arrays["initial_charges"].copy()
        model = gapkit.fit(frames, {
            "reference_energies": {"mode": "explicit", "explicit": {"Na": 0.0, "Cl": 0.0}},
            "long_range": [{"kind": "coulomb", "charges": "given"}],
            "term": [{"descriptor": "two_body", "cutoff": 4.5, "kernel": "squared_exponential", "length_scale": 0.6, "delta": 2.0, "n_sparse": 10,
                      "selection": "uniform"}],
            "calibration": {"source": "none"}})
        atoms = frames[3].copy()
        first = model.predict(atoms).energy
        self.assertLess(abs(first - frames[3].get_potential_energy()), 0.5)
        atoms.calc = gapkit.Calculator(model)
        self.assertLess(abs(atoms.get_potential_energy() - first), 1e-9)
        atoms.arrays["charge"] = 0.5 * atoms.arrays["charge"]
        change = atoms.get_potential_energy() - first
        whole = gapkit.evaluate_potential(frames[3], "coulomb", charges=CHARGES).energy
        self.assertLess(abs(change + 0.75 * whole), 1e-6)
        del atoms.arrays["charge"]
        with self.assertRaises(gapkit.InputError) as caught:
            model.predict(atoms)
        self.assertIn("needs the column 'charge'", str(caught.exception))


class TheScriptOfTheData(unittest.TestCase):
    def test_writes_the_files_of_the_folder(self):
        folder = FOLDER / "nacl"
        folder.mkdir()
        subprocess.run([sys.executable, str(NACL / "make_nacl.py"), str(folder)], check=True)
        for name in ("nacl_train.xyz", "nacl_test.xyz"):
            made, shipped = ase.io.read(folder / name, ":"), ase.io.read(NACL / name, ":")
            self.assertEqual(len(made), len(shipped))
            for a, b in zip(made, shipped):
                self.assertLess(abs(a.positions - b.positions).max(), 2e-8)
                self.assertLess(abs(a.get_potential_energy() - b.get_potential_energy()), 1e-8)
                self.assertLess(abs(a.get_forces() - b.get_forces()).max(), 1e-8)
