"""Dipoles that calculators of ASE hold are labels of a [[tensor]]."""

import unittest

import ase.io
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

import gapkit
from support import FOLDER, SOURCE, dipole_configuration, run_program


class DipoleLabelTest(unittest.TestCase):
    def test_dipoles_of_calculators_are_labels(self):
        water = SOURCE / "data/water"
        frames = []
        for read in ase.io.read(water / "monomer_train.xyz", "50:90"):
            frame = ase.Atoms(read.symbols, read.positions)
            frame.calc = SinglePointCalculator(frame, energy=read.get_potential_energy(), dipole=read.get_dipole_moment())
            frames.append(frame)
        gapkit.fit(frames, dipole_configuration(), seed=1, progress=False).save(FOLDER / "dipole.h5")
        run_program("gap-predict", FOLDER / "dipole.h5", water / "monomer_test.xyz", "-o", FOLDER / "dipole.xyz", "--no-forces")
        found = ase.io.read(FOLDER / "dipole.xyz", ":")
        error = np.array([frame.info["gap_dipole"] - frame.get_dipole_moment() for frame in found])
        self.assertLess(np.sqrt(np.mean(error**2)), 0.05 * np.std([frame.get_dipole_moment() for frame in found]))


if __name__ == "__main__":
    unittest.main()
