"""Dipoles with covariances and derivatives in Python, and for ASE."""

import functools
import unittest

import ase.io
import numpy as np

import gapkit
from support import FOLDER, SOURCE, dipole_configuration, largest_difference, run_program

WATER = SOURCE / "data/water"


@functools.cache
def model(units="e*angstrom"):
    frames = (WATER / "monomer_train.xyz").read_text().splitlines(keepends=True)[: 5 * 40]
    (FOLDER / "water.xyz").write_text("".join(frames))
    (FOLDER / "water.toml").write_text(dipole_configuration('derivatives = "dipole_derivatives"', "n_sparse = 20", units))
    run_program("gap-fit", "water.toml", "--train", "water.xyz", "-o", "water.h5")
    return gapkit.Model.load(FOLDER / "water.h5")


def molecule(number=0):
    atoms = ase.io.read(WATER / "monomer_test.xyz", number)
    atoms.calc = None
    return atoms


class TensorTest(unittest.TestCase):
    def test_predictions_are_those_of_gap_predict(self):
        self.assertEqual(model().tensors, {"dipole": "e*angstrom"})
        model().save(FOLDER / "water.h5")
        run_program("gap-predict", "water.h5", WATER / "monomer_test.xyz", "-o", "water_out.xyz", "--std", "tensor", "--tensor-derivatives", "--no-forces")
        expected = ase.io.read(FOLDER / "water_out.xyz", ":4")
        for given, found in zip(expected, model().predict([molecule(k) for k in range(4)], std="tensors", derivatives=True)):
            self.assertLess(largest_difference(found.tensors["dipole"], given.info["gap_dipole"]), 1e-7)
            self.assertLess(largest_difference(found.tensors_std["dipole"], given.info["gap_dipole_std"]), 1e-7)
            self.assertLess(largest_difference(found.tensors_covariance["dipole"].ravel(), np.ravel(given.info["gap_dipole_cov"])), 1e-8)
            self.assertLess(largest_difference(found.tensors_derivatives["dipole"].reshape(3, 9), given.arrays["gap_dipole_derivatives"]), 1e-7)
            labels = given.arrays["dipole_derivatives"].reshape(3, 3, 3)
            self.assertLess(np.abs(found.tensors_derivatives["dipole"] - labels).max(), 0.1)
            self.assertAlmostEqual(given.info["gap_dipole_norm"], np.linalg.norm(found.tensors["dipole"]), delta=1e-7)
            self.assertGreater(given.info["gap_dipole_norm_std"], 0)

    def test_without_request_there_are_no_covariances_and_derivatives(self):
        found = model().predict(molecule())
        self.assertEqual(found.tensors["dipole"].shape, (3,))
        self.assertFalse(found.tensors_covariance or found.tensors_std or found.tensors_derivatives)

    def test_calculator(self):
        atoms = molecule()
        atoms.calc = gapkit.Calculator(model(), std="tensors")
        dipole = atoms.get_dipole_moment()
        expected = model().predict(atoms, std="tensors", derivatives=True)
        self.assertLess(largest_difference(dipole, expected.tensors["dipole"]), 1e-12)
        self.assertLess(largest_difference(atoms.calc.results["dipole_std"], expected.tensors_std["dipole"]), 1e-12)
        self.assertLess(largest_difference(atoms.calc.results["dipole_covariance"], expected.tensors_covariance["dipole"]), 1e-12)
        self.assertNotIn("dipole_derivatives", atoms.calc.results)
        slopes, step = atoms.calc.get_property("dipole_derivatives", atoms), 1e-3
        self.assertLess(largest_difference(slopes, expected.tensors_derivatives["dipole"]), 1e-12)
        for k, a in ((0, 0), (2, 1)):
            moments = []
            for sign in (1, -1):
                moved = atoms.copy()
                moved.calc = atoms.calc
                moved.positions[k, a] += sign * step
                moments.append(moved.get_dipole_moment())
            self.assertLess(largest_difference(slopes[k, a], (moments[0] - moments[1]) / (2 * step)), 1e-4)

    def test_energies_alone_compute_no_dipole(self):
        atoms = molecule()
        atoms.calc = gapkit.Calculator(model(), std=None)
        atoms.get_potential_energy()
        self.assertNotIn("dipole", atoms.calc.results)

    def test_dipoles_of_the_calculator_are_in_units_of_ase(self):
        plain = model()
        atoms = molecule()
        atoms.calc = gapkit.Calculator(plain, std="tensors")
        as_it_is = atoms.get_dipole_moment(), atoms.calc.results["dipole_covariance"]
        atoms.calc = gapkit.Calculator(model("debye"), std="tensors")
        self.assertLess(largest_difference(atoms.get_dipole_moment(), 0.20819433 * as_it_is[0]), 1e-9)
        self.assertLess(largest_difference(atoms.calc.results["dipole_covariance"], 0.20819433**2 * as_it_is[1]), 1e-9)
        atoms.calc = gapkit.Calculator(model("furlongs"))
        with self.assertRaisesRegex(gapkit.InputError, "furlongs"):
            atoms.get_dipole_moment()

    def test_charged_structures_are_refused(self):
        atoms = molecule()
        atoms.info["charge"] = 1
        with self.assertRaisesRegex(gapkit.InputError, "origin"):
            model().predict(atoms)


if __name__ == "__main__":
    unittest.main()
