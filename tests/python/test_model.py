"""Models and predictions without the calculator."""

import pickle
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import ase.io
import numpy as np

import gapkit
from support import (DATA, FOLDER, QUIP_MODEL, crystal, graded_model, held_out_model, largest_difference, model, model_file,
                     run_program)


class TheModel(unittest.TestCase):
    def test_facts(self):
        m = model()
        self.assertEqual(m.elements, ["Si"])
        self.assertEqual(m.cutoff, 5.0)
        self.assertTrue(m.has_error_bars)
        self.assertEqual(m.seed, 0)
        self.assertEqual(m.terms, ["two_body Si-Si", "soap Si"])
        self.assertEqual(m.sparse_points, len(m.weights))
        self.assertIn("n_sparse = 100", m.configuration)
        self.assertIn("training_errors", m.notes)
        self.assertEqual(set(m.calibration), {"energy", "force", "virial"})
        factors = m.calibration["force"]["default"]
        self.assertGreater(factors["a"], 0)
        self.assertGreater(factors["structures"], 0)
        self.assertLess(abs(m.reference_energies["Si"] + 0.85), 0.01)
        self.assertIn("Si", repr(m))

    def test_saved_and_pickled(self):
        atoms, m = crystal(1), model()
        expected = m.predict(atoms, std="energy,forces")
        m.save(FOLDER / "again.h5")
        for other in (gapkit.Model.load(FOLDER / "again.h5"), pickle.loads(pickle.dumps(m))):
            found = other.predict(atoms, std="energy,forces")
            self.assertEqual(found.energy, expected.energy)
            self.assertTrue(np.array_equal(found.forces_std, expected.forces_std))
            self.assertEqual(other.notes, m.notes)
        with self.assertRaisesRegex(gapkit.InputError, "nowhere"):
            m.save(FOLDER / "nowhere" / "m.h5")

    def test_potential_of_quip(self):
        m = gapkit.Model.load(str(QUIP_MODEL))
        self.assertFalse(m.has_error_bars)
        self.assertIsNone(m.calibration)
        self.assertTrue(any("GAP potential of QUIP" in line for line in m.messages))
        atoms = ase.io.read(QUIP_MODEL.parent / "si_own_2b3bsoap.cases.xyz", 0)
        self.assertGreater(m.predict(atoms, std="energies").energies_variance_quip.min(), 0)
        with self.assertRaisesRegex(gapkit.InputError, "no error bars"):
            m.predict(atoms, std="energy")


class ThePredictions(unittest.TestCase):
    def test_list_equals_one_by_one(self):
        frames = ase.io.read(DATA / "test.xyz", ":12")
        together = model().predict(frames, std="energy,forces,stress,energies")
        self.assertIsInstance(together, gapkit.Predictions)
        atoms = sum(len(frame) for frame in frames)
        self.assertEqual(together.energy.shape, (12,))
        self.assertEqual(together.forces.shape, (atoms, 3))
        self.assertEqual(together.energies.shape, (atoms,))
        self.assertEqual(together.stress.shape, (12, 6))
        self.assertEqual(together.virial.shape, (12, 3, 3))
        self.assertEqual(list(together.first), [0, *np.cumsum([len(frame) for frame in frames])])
        for k, frame in enumerate(frames):
            one = model().predict(frame, std=["energy", "forces", "stress", "energies"])
            part = slice(together.first[k], together.first[k + 1])
            # Sums have another order; the weights of this model are large, and cancel
            for ours, theirs in ((together.energy[k], one.energy), (together.energy_std[k], one.energy_std),
                                 (together.energy_std_epistemic[k], one.energy_std_epistemic), (together.forces[part], one.forces),
                                 (together.forces_std[part], one.forces_std), (together.stress[k], one.stress),
                                 (together.forces_std_epistemic[part], one.forces_std_epistemic),
                                 (together.stress_std[k], one.stress_std), (together.energies[part], one.energies),
                                 (together.stress_std_epistemic[k], one.stress_std_epistemic), (together.virial[k], one.virial),
                                 (together.energies_std[part], one.energies_std), (together[k].forces, one.forces)):
                self.assertLessEqual(largest_difference(ours, theirs), 1e-9)
            self.assertLessEqual(abs(one.energies.sum() - one.energy), 1e-10)
            self.assertLessEqual(largest_difference(one.stress[3], -one.virial[1, 2] / frame.get_volume()), 1e-12)
        self.assertIsNone(model().predict(frames[:2]).energy_std)
        self.assertIsNone(model().predict(frames[:2], forces=False).forces)
        self.assertEqual(len(together[2:5]), 3)
        self.assertEqual(len(model().predict([])), 0)

    def test_thresholds_of_one_composition(self):
        path = FOLDER / "one_composition.toml"
        path.write_text(f'data.train = ["{DATA.parent}/ethanol/train_300K.xyz"]\nreference_energies.mode = "least_squares"\n'
                        '[[term]]\ndescriptor = "two_body"\ncutoff = 3\ndelta = 1\nn_sparse = 5\nselection = "uniform"\n'
                        'kernel = "squared_exponential"\nlength_scale = 1.0\n')
        run_program("gap-fit", path, "-o", "one_composition.h5")
        thresholds = gapkit.Model.load(FOLDER / "one_composition.h5").extrapolation_thresholds
        self.assertEqual(sorted(thresholds), ["C", "H", "O"])
        for threshold in thresholds.values():
            self.assertIsNone(threshold["std"])
            self.assertLess(threshold["novelty"], 10)

    def test_extrapolation_grades(self):
        frames = ase.io.read(DATA / "ood.xyz", ":6")
        graded = graded_model()
        self.assertEqual(list(graded.extrapolation_thresholds), ["Si"])
        threshold = graded.extrapolation_thresholds["Si"]
        self.assertGreater(min(threshold["novelty"], threshold["std"]), 0)
        self.assertGreater(threshold["atoms"], 200)
        together = graded.predict(frames, std="energies,extrapolation")
        atoms = sum(len(frame) for frame in frames)
        self.assertEqual(together.extrapolation.shape, (atoms,))
        squeezed = crystal(1)
        squeezed.set_cell(0.75 * squeezed.cell[:], scale_atoms=True)
        self.assertGreater(graded.predict(squeezed, std="extrapolation").extrapolation.min(), 1)
        for k, frame in enumerate(frames):
            one = graded.predict(frame, std="extrapolation").extrapolation
            self.assertLessEqual(largest_difference(together[k].extrapolation, one), 1e-6 * one.max())
            calc = gapkit.Calculator(graded, std="forces,extrapolation")
            frame.calc = calc
            self.assertLessEqual(largest_difference(calc.get_property("extrapolation", frame), one), 1e-6 * one.max())
        run_program("gap-predict", FOLDER / "graded.h5", DATA / "ood.xyz", "-o", "grades.xyz", "--std", "extrapolation")
        found = np.concatenate([frame.arrays["gap_extrapolation"] for frame in ase.io.read(FOLDER / "grades.xyz", ":6")])
        self.assertLessEqual(largest_difference(found, together.extrapolation), 1e-6 * found.max())
        self.assertIsNone(model().predict(crystal(1), std="energies").extrapolation)

    def test_extrapolation_grades_of_models_without_thresholds_are_refused(self):
        self.assertIsNone(held_out_model().extrapolation_thresholds)
        with self.assertRaisesRegex(gapkit.InputError, "no extrapolation thresholds"):
            held_out_model().predict(crystal(1), std="extrapolation")
        with self.assertRaisesRegex(gapkit.InputError, "no extrapolation thresholds"):
            gapkit.Calculator(held_out_model(), std="extrapolation")
        with self.assertRaisesRegex(gapkit.InputError, "no error bars"):
            gapkit.Model.load(str(QUIP_MODEL)).predict(crystal(1), std="extrapolation")

    def test_mixed_with_molecules(self):
        pair = gapkit.Frame([14, 14], [[0, 0, 0], [0, 0, 2.4]])
        predictions = model().predict([crystal(1), pair])
        self.assertIsNone(predictions[1].stress)
        with self.assertRaisesRegex(gapkit.InputError, "structure 1 .*no stress"):
            predictions.stress
        self.assertEqual(predictions.energy.shape, (2,))

    def test_uncalibrated_and_fewer_points(self):
        atoms = crystal(1)
        calibrated, raw = model().predict(atoms, std="energy"), model().predict(atoms, std="energy", calibrated=False)
        self.assertEqual(calibrated.energy_std_epistemic, raw.energy_std_epistemic)
        self.assertNotEqual(calibrated.energy_std, raw.energy_std)
        few = model().predict(atoms, std="energy", std_points=40)
        self.assertEqual(few.energy, raw.energy)
        self.assertGreater(few.energy_std_epistemic, raw.energy_std_epistemic)

    def test_mistakes(self):
        for frame, text in ((gapkit.Frame([14], [0, 0, 0]), "positions has the shape"), (gapkit.Frame([14], [[0, 0, 0]], pbc=True), "no cell"),
                            (gapkit.Frame([14], [[0, 0, 0]], np.eye(3), [True, False]), "pbc has 2 values"), ([object()], "ase.Atoms"),
                            ([crystal(1), gapkit.Frame([8], [[0, 0, 0]])], "structure 1: atom 1 is O"),
                            (gapkit.Frame([14, 14], [[0, 0, 0], [0, 0, np.inf]]), "finite|inf"), (gapkit.Frame([], []), "no atoms"), (3, "found int"),
                            ("a.xyz", "found 'a.xyz'; ase.io.read")):
            with self.assertRaisesRegex(gapkit.InputError, text):
                model().predict(frame)

    def test_warnings(self):
        close = gapkit.Frame([14, 14], [[0, 0, 0], [0, 0, 0.4]])
        with self.assertWarnsRegex(gapkit.PredictionWarning, "too close"):
            model().predict(close)
        with self.assertWarnsRegex(gapkit.PredictionWarning, "1 of 2 structures \\(first: 1, from 0\\).*too close"):
            model().predict([crystal(1), close])
        zero = np.zeros(2)
        with self.assertWarnsRegex(gapkit.PredictionWarning, "the structure: the sparse set does not span it \\(novelty 70 %"):
            gapkit.model.warn_about([gapkit.Prediction(0.0, zero, novelty=0.7)], stacklevel=2)
        with self.assertWarnsRegex(gapkit.PredictionWarning, "environments of soap O, of which the training data had none"):
            gapkit.model.warn_about([gapkit.Prediction(0.0, zero, unsampled_terms=("soap O",))], stacklevel=2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model().predict(crystal(1), std="energy,forces")


class WithoutAse(unittest.TestCase):
    def test_package_without_ase(self):
        script = f"""
import sys
sys.modules["ase"] = None
import gapkit
model = gapkit.Model.load({str(model_file())!r})
p = model.predict(gapkit.Frame([14, 14], [[0, 0, 0], [1.36, 1.36, 1.36]], [[0, 2.72, 2.72], [2.72, 0, 2.72], [2.72, 2.72, 0]]), std="energy")
assert p.energy_std > 0
try:
    gapkit.Calculator
except ImportError as error:
    assert "python3-ase" in str(error), error
else:
    raise AssertionError("no ImportError")
assert "matplotlib" not in sys.modules
"""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_typed(self):
        self.assertTrue((Path(gapkit.__file__).parent / "py.typed").exists())


if __name__ == "__main__":
    unittest.main()
