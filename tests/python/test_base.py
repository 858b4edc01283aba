"""Models on top of another one, which an ASE calculator or columns of the frames bring."""

import json
import pickle
import unittest
import warnings

import ase
import ase.io
import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.lj import LennardJones
from ase.calculators.singlepoint import SinglePointCalculator
from ase.optimize import BFGS

import gapkit
from support import CONFIGURATION, DATA, FOLDER, crystal, largest_difference, run_program

SIZES = {"sigma": 2.1, "epsilon": 0.05, "rc": 4.0, "smooth": True}


def base(**changes):
    return LennardJones(**{**SIZES, **changes})


class Energies(Calculator):
    """A base that gives energies alone."""

    implemented_properties = ["energy"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results["energy"] = 0.1 * len(atoms)


def raised(atoms, calculator):
    """With the values of the calculator in columns, and added to the labels."""
    new = ase.Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    new.info["config_type"] = atoms.info["config_type"]
    at = new.copy()
    at.calc = calculator
    new.info.update(lj_energy=at.get_potential_energy(), lj_stress=at.get_stress())
    new.arrays["lj_forces"] = at.get_forces()
    results = atoms.calc.results
    stress = np.array(results["stress"]) + new.info["lj_stress"]
    new.calc = SinglePointCalculator(new, energy=results["energy"] + new.info["lj_energy"],
                                     forces=results["forces"] + new.arrays["lj_forces"], stress=stress)
    return new


def training():
    return ase.io.read(DATA / "train.xyz", "::6")


CONFIG = CONFIGURATION.replace('mode = "isolated"', 'mode = "least_squares"').replace("[calibration]\nholdout = 0.2\n", "")
COLUMNS = '\n[[baseline]]\nkind = "columns"\nenergy = "lj_energy"\nforces = "lj_forces"\nstress = "lj_stress"\n'


class OnCalculator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.frames = [a for a in training() if len(a) > 1]
        cls.raised = [raised(a, base()) for a in cls.frames]
        cls.steps = []
        cls.plain = gapkit.fit(cls.frames, CONFIG, progress=False)
        cls.model = gapkit.fit(cls.raised, CONFIG, base=base(), progress=cls.steps.append)
        cls.of_columns = gapkit.fit(cls.raised, CONFIG + COLUMNS, progress=False)

    def test_the_difference_is_learned(self):
        for model in (self.model, self.of_columns):
            self.assertLessEqual(largest_difference(model.weights, self.plain.weights), 1e-6)
        self.assertEqual([s.done for s in self.steps if s.phase == "base"], list(range(1, len(self.frames) + 1)))
        self.assertEqual(self.model.base["name"], "LennardJones")
        self.assertEqual(self.of_columns.base, {"name": "", "columns": {"energy": "lj_energy", "forces": "lj_forces", "stress": "lj_stress"}})
        self.assertIsNone(self.plain.base)

    def test_predictions_are_of_the_sum(self):
        atoms = crystal(1)
        at = atoms.copy()
        at.calc = base()
        learned = self.plain.predict(atoms, std="energy,forces,stress")
        found = self.model.predict(atoms, std="energy,forces,stress", base=base())
        self.assertAlmostEqual(found.energy, learned.energy + at.get_potential_energy(), 6)
        self.assertLessEqual(largest_difference(found.forces, learned.forces + at.get_forces()), 1e-6)
        self.assertLessEqual(largest_difference(found.stress, learned.stress + at.get_stress()), 1e-6)
        self.assertLessEqual(largest_difference(found.forces_std, learned.forces_std), 1e-6)
        self.assertAlmostEqual(sum(found.energies), learned.energy, 6)
        several = self.model.predict([atoms, crystal(1, seed=2)], base=base())
        self.assertAlmostEqual(several.energy[0], found.energy, 9)
        with_columns = atoms.copy()
        with_columns.info.update(lj_energy=at.get_potential_energy(), lj_stress=at.get_stress())
        with_columns.arrays["lj_forces"] = at.get_forces()
        self.assertAlmostEqual(self.of_columns.predict(with_columns).energy, found.energy, 6)

        calculator = gapkit.Calculator(self.model, base=base())
        atoms.calc = calculator
        self.assertAlmostEqual(atoms.get_potential_energy(), found.energy, 9)
        self.assertLessEqual(largest_difference(atoms.get_forces(), found.forces), 1e-9)
        self.assertLessEqual(largest_difference(atoms.get_stress(), found.stress), 1e-9)
        self.assertLessEqual(largest_difference(calculator.results["forces_std"], found.forces_std), 1e-5)  # some products are in single precision
        step = 1e-4  # the sum is a potential
        moved = [atoms.copy() for _ in range(2)]
        for sign, m in zip((1, -1), moved):
            m.positions[1, 0] += sign * step
            m.calc = calculator
        slope = (moved[0].get_potential_energy() - moved[1].get_potential_energy()) / (2 * step)
        self.assertAlmostEqual(-slope, found.forces[1, 0], 5)
        BFGS(atoms, logfile=None).run(fmax=0.05, steps=30)
        self.assertLess(np.abs(atoms.get_forces()).max(), np.abs(found.forces).max())

    def test_a_prediction_without_the_base_is_refused(self):
        for call in (lambda: self.model.predict(crystal(1)), lambda: self.model.predict([crystal(1)]),
                     lambda: gapkit.Calculator(self.model), lambda: self.of_columns.predict(crystal(1))):
            with self.assertRaisesRegex(gapkit.InputError, "gives the difference from .*base=calculator"):
                call()
        with self.assertRaisesRegex(gapkit.InputError, "sits on no other model"):
            self.plain.predict(crystal(1), base=base())
        with self.assertRaisesRegex(gapkit.InputError, "sits on no other model"):
            gapkit.Calculator(self.plain, base=base())
        partly = crystal(1)
        partly.info["lj_energy"] = 1.0
        with self.assertRaisesRegex(gapkit.InputError, "no column 'lj_forces' with the forces of the base"):
            self.of_columns.predict(partly)
        partly.arrays["lj_forces"] = np.full((len(partly), 3), np.nan)
        with self.assertRaisesRegex(gapkit.InputError, "'lj_forces' has nan"):
            self.of_columns.predict(partly)
        self.assertEqual(len(gapkit.choose_batch(self.model, [crystal(1), crystal(1, seed=2)], 1)), 1)  # error bars need no base

    def test_a_base_of_another_name_is_said(self):
        class Other(LennardJones):
            pass
        with self.assertWarnsRegex(gapkit.BaseWarning, "fitted on 'LennardJones', the base is 'Other'"):
            self.model.predict(crystal(1), base=Other(**SIZES))
        with self.assertWarnsRegex(gapkit.BaseWarning, "fitted on columns of frames"):
            gapkit.Calculator(self.of_columns, base=base())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.model.predict(crystal(1), base=base())

    def test_errors_have_those_of_the_base_alone(self):
        table = gapkit.errors(self.model, self.raised, base=base())
        plain = gapkit.errors(self.plain, self.frames)
        for target in ("energy", "forces", "stress"):
            self.assertAlmostEqual(table["all"][target]["rmse"], plain["all"][target]["rmse"], 4)
            self.assertEqual(table["base_alone"][target]["count"], table["all"][target]["count"])
        self.assertNotIn("base_alone", plain)
        labels = np.concatenate([a.calc.results["forces"] for a in self.frames])
        self.assertAlmostEqual(table["base_alone"]["forces"]["rmse"], np.sqrt((labels**2).mean()), 6)
        self.assertEqual(json.loads(self.model.notes["training_errors"])["base_alone"]["forces"], table["base_alone"]["forces"])

    def test_the_model_keeps_its_base(self):
        path = FOLDER / "on_base.h5"
        self.model.save(path)
        for again in (gapkit.Model.load(path), pickle.loads(pickle.dumps(self.model))):
            self.assertEqual(again.base, self.model.base)
            with self.assertRaises(gapkit.InputError):
                again.predict(crystal(1))
        self.assertIn("LennardJones", run_program("gap-info", path))
        refit = gapkit.fit(self.raised, self.model.configuration, base=base(), progress=False)
        self.assertLessEqual(largest_difference(refit.weights, self.model.weights), 1e-9)

    def test_gap_predict_reads_columns(self):
        path, given = FOLDER / "columns.h5", FOLDER / "columns.xyz"
        self.of_columns.save(path)
        ase.io.write(given, self.raised[:3])
        frames = ase.io.read(given, ":")
        out = run_program("gap-predict", path, given, "-o", "columns_predicted.xyz")
        self.assertIn("base alone: energy", out)
        for atoms, predicted in zip(frames, ase.io.read(FOLDER / "columns_predicted.xyz", ":")):
            self.assertAlmostEqual(predicted.info["gap_energy"], self.of_columns.predict(atoms).energy, 8)


class Charged(LennardJones):
    """A base that depends on charges and magnetic moments."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results["energy"] += 10 * self.atoms.get_initial_charges().sum() + self.atoms.get_initial_magnetic_moments().sum()


class Changes(unittest.TestCase):
    def test_a_base_sees_charges_and_magnetic_moments(self):
        model = gapkit.fit([raised(a, base()) for a in training() if len(a) > 1], CONFIG, base=Charged(**SIZES), progress=False)
        atoms = crystal(1)
        atoms.calc = gapkit.Calculator(model, std=None, base=Charged(**SIZES))
        before = atoms.get_potential_energy()
        atoms.set_initial_charges([1] + [0] * (len(atoms) - 1))
        self.assertAlmostEqual(atoms.get_potential_energy(), before + 10, 9)
        atoms.set_initial_magnetic_moments([2] + [0] * (len(atoms) - 1))
        self.assertAlmostEqual(atoms.get_potential_energy(), before + 12, 9)

    def test_append_and_ensembles_take_the_base(self):
        frames = [raised(a, base()) for a in training() if len(a) > 1]
        model = gapkit.fit(frames[:-3], CONFIG, base=base(), keep_statistics=True, progress=False)
        more = gapkit.append(model, frames[-3:], base=base(), progress=False)
        self.assertLess(gapkit.errors(more, frames, base=base())["all"]["forces"]["rmse"],
                        1.2 * gapkit.errors(model, frames, base=base())["all"]["forces"]["rmse"])
        ensemble = gapkit.Ensemble(more, 2)
        predicted = ensemble.predict(crystal(1), base=base())
        for member, calculator in enumerate(ensemble.calculators(base=base())):
            atoms = crystal(1)
            atoms.calc = calculator
            self.assertAlmostEqual(atoms.get_potential_energy(), predicted.energy[member], 9)


class Refused(unittest.TestCase):
    def test_columns_and_a_calculator(self):
        with self.assertRaisesRegex(gapkit.InputError, "'columns' and base is given"):
            gapkit.fit(training(), CONFIG + COLUMNS, base=base())

    def test_files(self):
        with self.assertRaisesRegex(gapkit.InputError, "ase.io.read"):
            gapkit.fit(DATA / "train.xyz", CONFIG, base=base())

    def test_a_calculator_that_fails(self):
        class Broken(LennardJones):
            def calculate(self, *arguments, **keywords):
                raise RuntimeError("no convergence")
        with self.assertRaisesRegex(gapkit.InputError, "frame 1: the base Broken gave no energy: RuntimeError: no convergence"):
            gapkit.fit(training(), CONFIG, base=Broken(**SIZES))

    def test_what_is_no_calculator(self):
        with self.assertRaisesRegex(gapkit.InputError, "gives no energy"):
            gapkit.fit(training(), CONFIG, base="xtb")

    def test_a_calculator_without_forces(self):
        with self.assertRaisesRegex(gapkit.InputError, "the frame has forces, but the base Energies .* has none"):
            gapkit.fit(training(), CONFIG, base=Energies())
        config = 'data.use = ["energy"]\n' + CONFIG
        model = gapkit.fit([a for a in training() if len(a) > 1], config, base=Energies(), progress=False)
        prediction = model.predict(crystal(1), base=Energies())
        self.assertIsNone(prediction.forces)
        self.assertIsNone(prediction.stress)
        self.assertTrue(np.isfinite(prediction.energy))


if __name__ == "__main__":
    unittest.main()
