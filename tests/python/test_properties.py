"""Local properties, and energies with learned charges, in Python."""

import functools
import unittest

import ase.io
import numpy as np

import gapkit
from support import FOLDER, SOURCE, largest_difference, run_program

IONS = SOURCE / "data/ions_xtb"
CONFIGURATION = """\
[data]
use = ["energy", "forces"]
[reference_energies]
mode = "least_squares"
[[long_range]]
kind = "coulomb"
charges = "learned"
[[property]]
name = "charge"
unit = "e"
total = "total_charge"
[[property.term]]
descriptor = "soap"
cutoff = 3.5
n_max = 4
l_max = 2
atom_sigma = 0.5
kernel = "dot_product"
zeta = 2
delta = 0.1
n_sparse = 40
[[term]]
descriptor = "soap"
cutoff = 3.5
n_max = 4
l_max = 2
atom_sigma = 0.5
kernel = "dot_product"
zeta = 2
delta = 1
n_sparse = 40
[regularization]
energy = 0.01
force = 0.1
"""


def frames_of(name, every):
    """Every so many frames as text: ASE would rename the column of the charges."""
    lines, frames = (IONS / name).read_text().splitlines(keepends=True), []
    while lines:
        count = int(lines[0]) + 2
        frames.append("".join(lines[:count]))
        del lines[:count]
    return "".join(frames[::every])


@functools.cache
def model():
    (FOLDER / "ions.xyz").write_text(frames_of("ions_train.xyz", 10))
    (FOLDER / "ions.toml").write_text(CONFIGURATION)
    run_program("gap-fit", "ions.toml", "--train", "ions.xyz", "-o", "ions.h5")
    return gapkit.Model.load(FOLDER / "ions.h5")


def structure(number=0):
    return ase.io.read(IONS / "ions_test.xyz", number)


class Properties(unittest.TestCase):
    def test_prediction(self):
        self.assertEqual(model().properties, {"charge": "e"})
        (FOLDER / "ions_test.xyz").write_text(frames_of("ions_test.xyz", 30))
        run_program("gap-predict", "ions.h5", "ions_test.xyz", "-o", "ions_out.xyz", "--std", "property")
        for k, expected in enumerate(ase.io.read(FOLDER / "ions_out.xyz", ":")):
            prediction = model().predict(structure(30 * k), std="properties")
            self.assertLess(largest_difference(prediction.properties["charge"], expected.arrays["gap_charge"]), 1e-8)
            self.assertLess(largest_difference(prediction.properties_std["charge"], expected.arrays["gap_charge_std"]), 1e-8)
            self.assertAlmostEqual(prediction.property_totals["charge"], expected.info["gap_charge_total"], delta=1e-8)
            self.assertAlmostEqual(prediction.energy, expected.info["gap_energy"], delta=1e-6)

    def test_calculator(self):
        atoms = structure()
        atoms.calc = gapkit.Calculator(model(), std="properties")
        charges = atoms.get_charges()
        self.assertLess(largest_difference(charges, model().predict(atoms).properties["charge"]), 1e-12)
        self.assertTrue((atoms.calc.get_property("charges_std", atoms) > 0).all())


class LearnedCharges(unittest.TestCase):
    def test_total_charge_counts(self):
        atoms = structure()
        atoms.calc = gapkit.Calculator(model(), std=None)
        energies = {}
        for total in (0, 1, -1):
            atoms.info["total_charge"] = total
            energies[total] = atoms.get_potential_energy()
            self.assertAlmostEqual(energies[total], model().predict(atoms).energy, delta=1e-9)
        self.assertGreater(abs(energies[0] - energies[1]), 0.01)
        self.assertGreater(abs(energies[0] - energies[-1]), 0.01)
        del atoms.info["total_charge"]
        self.assertEqual(atoms.get_potential_energy(), energies[0])
        atoms.info["total_charge"] = "plus"
        with self.assertRaisesRegex(gapkit.InputError, "'total_charge' is no finite number"):
            atoms.get_potential_energy()

    def test_forces_are_derivatives(self):
        atoms = structure(3)
        atoms.calc = gapkit.Calculator(model(), std=None)
        forces, step = atoms.get_forces(), 1e-4
        for atom, k in ((0, 0), (1, 2), (len(atoms) - 1, 1)):
            energies = []
            for sign in (1, -1):
                moved = atoms.copy()
                moved.calc = atoms.calc
                moved.positions[atom, k] += sign * step
                energies.append(moved.get_potential_energy())
            self.assertAlmostEqual(forces[atom, k], (energies[1] - energies[0]) / (2 * step), delta=1e-5)
        self.assertLess(np.abs(forces.sum(axis=0)).max(), 1e-8)


if __name__ == "__main__":
    unittest.main()
