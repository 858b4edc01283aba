"""gapkit.append(), refit() and merge(), against whole fits and gap-fit; statistics in models."""

import functools
import json
import pickle
import unittest
import warnings

import ase.io
import numpy as np

import gapkit
from support import CONFIGURATION, DATA, FOLDER, QUIP_MODEL, crystal, largest_difference, model, run_program


def setUpModule():
    # Pairs cannot describe these data; the tests are about other things.
    warnings.filterwarnings("ignore", "the model does not explain|virials of |forces of |energies of ", gapkit.FitWarning)


def configuration(**more):
    """Everything that a fit to a part of the data and a fit to all of them have in common: sparse points and reference energies."""
    points = FOLDER / "distances.txt"
    if not points.exists():
        points.write_text("\n".join(f"{distance:.4f}" for distance in np.linspace(1.6, 3.9, 12)) + "\n")
    return {"reference_energies": {"mode": "explicit", "explicit": {"Si": -0.85}}, "regularization": {"energy": 0.003, "force": 0.2, "virial": 0.2},
            "term": [{"name": "pair", "descriptor": "two_body", "cutoff": 4.0, "kernel": "squared_exponential", "length_scale": 1.0,
                      "delta": 1.0, "selection": "file", "sparse_file": points}], "calibration": {"source": "none"}, **more}


@functools.cache
def frames():
    return ase.io.read(DATA / "train.xyz", ":")


@functools.cache
def fitted(part):
    """Of the first 30 frames, those behind, or all."""
    return gapkit.fit({"first": frames()[:30], "second": frames()[30:], "all": frames()}[part], configuration(), keep_statistics=True,
                      progress=False)


def differences(ours, other):
    p, q = (m.predict(crystal(), std="energy,forces,stress") for m in (ours, other))
    return max(largest_difference(getattr(p, name), getattr(q, name))
               for name in ("energy", "forces", "stress", "energy_std", "forces_std", "stress_std"))


class Append(unittest.TestCase):
    def test_equals_the_fit_to_all(self):
        before = fitted("first").weights.copy()
        appended = gapkit.append(fitted("first"), frames()[30:], progress=False)
        self.assertLessEqual(largest_difference(appended.weights, fitted("all").weights), 1e-8)
        self.assertLessEqual(differences(appended, fitted("all")), 1e-8)
        self.assertGreater(differences(fitted("first"), fitted("all")), 1e-4)  # the new frames matter
        self.assertTrue(np.array_equal(fitted("first").weights, before))
        self.assertTrue(appended.has_statistics)
        self.assertEqual(appended.configuration, fitted("first").configuration)

    def test_equals_the_program_with_frames_and_with_files(self):
        fitted("first").save(FOLDER / "first.h5")
        ase.io.write(FOLDER / "second.xyz", frames()[30:])  # eight decimals
        new = ase.io.read(FOLDER / "second.xyz", ":")
        run_program("gap-fit", "--append", "first.h5", "second.xyz", "--validation", DATA / "test.xyz", "-o", "appended.h5")
        program = gapkit.Model.load(FOLDER / "appended.h5")
        for data in (new, FOLDER / "second.xyz"):
            ours = gapkit.append(FOLDER / "first.h5", data, validation=DATA / "test.xyz", progress=False)
            self.assertEqual(largest_difference(ours.weights, program.weights), 0)
            self.assertEqual(ours.calibration, program.calibration)
            self.assertEqual(set(ours.notes), set(program.notes))
            self.assertEqual(json.loads(ours.notes["validation_errors"]), json.loads(program.notes["validation_errors"]))

    def test_one_frame_after_the_other(self):
        grown = fitted("first")
        for frame in frames()[30:34]:
            grown = gapkit.append(grown, frame, progress=False)
        together = gapkit.append(fitted("first"), frames()[30:34], progress=False)
        self.assertLessEqual(largest_difference(grown.weights, together.weights), 1e-8)

    def test_other_names(self):
        new = [frame.copy() for frame in frames()[30:40]]
        for frame, given in zip(new, frames()[30:40]):
            frame.info.clear()
            frame.info.update({"E": given.get_potential_energy(), "config_type": given.info["config_type"]})
            frame.arrays["F"] = given.get_forces()
        renamed = gapkit.append(fitted("first"), new, energy_key="E", forces_key="F", virial_key="none", progress=False)
        for frame in new:
            frame.info["energy"] = frame.info.pop("E")
            frame.arrays["forces"] = frame.arrays.pop("F")
        self.assertEqual(largest_difference(renamed.weights, gapkit.append(fitted("first"), new, progress=False).weights), 0)
        again = gapkit.append(renamed, frames()[40:42], progress=False)  # by the names of the fit
        self.assertTrue(again.has_statistics)

    def test_calibration(self):
        calibrated = gapkit.fit(frames()[:30], configuration(calibration={"holdout": 0.2}), keep_statistics=True, progress=False)
        seen = []
        kept = gapkit.append(calibrated, frames()[30:], progress=seen.append)
        self.assertEqual(kept.calibration, calibrated.calibration)
        self.assertTrue(any("keep the calibration" in p.message for p in seen))
        self.assertIn("append", {p.phase for p in seen})
        with self.assertWarnsRegex(gapkit.FitWarning, "calibration .* was dropped; gapkit.recalibrate .* or validation=frames"):
            self.assertIsNone(gapkit.refit(calibrated, sigma_force=0.4, progress=False).calibration)
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "the calibration")
            anew = gapkit.refit(calibrated, sigma_force=0.4, validation=ase.io.read(DATA / "test.xyz", ":"), progress=False)
        self.assertNotEqual(anew.calibration, calibrated.calibration)
        self.assertIn("validation_errors", anew.notes)

    def test_recalibrate(self):
        grown = gapkit.refit(gapkit.append(fitted("first"), frames()[30:], progress=False), sigma_force=0.4, progress=False)
        self.assertIsNone(grown.calibration)
        anew = gapkit.recalibrate(grown, frames(), progress=False)
        self.assertIn("force", anew.calibration)
        self.assertEqual(largest_difference(anew.weights, grown.weights), 0)
        cautious = gapkit.recalibrate(anew, frames(), cautious=True, memory=0.5, progress=False)
        self.assertNotEqual(cautious.calibration, anew.calibration)
        with self.assertRaisesRegex(gapkit.InputError, "name all of its data"):
            gapkit.recalibrate(grown, frames()[:30], progress=False)
        with self.assertRaisesRegex(gapkit.InputError, "memory is nan"):
            gapkit.recalibrate(grown, frames(), memory=float("nan"), progress=False)

    def test_mistakes(self):
        bare = [crystal(1)]
        for data, text in ((bare, "no target that is used"), ([], "no target that is used"), ("nothing.xyz", "nothing.xyz"), (None, "list of them"),
                           (3, "list of them is expected, found int"), ([None], "frame 1: ase.Atoms .* found NoneType"),
                           ([bare[0], "file.xyz"], "files and frames are in one list")):
            with self.subTest(text=text), self.assertRaisesRegex(gapkit.InputError, text):
                gapkit.append(fitted("first"), data, progress=False)
        foreign = frames()[31].copy()
        foreign.info["energy"] = 1.0
        foreign.numbers[0] = 6
        with self.assertRaisesRegex(gapkit.InputError, "frame 1.* C"):
            gapkit.append(fitted("first"), [foreign], progress=False)
        foreign.numbers[0] = 14
        foreign.positions[1, 1] = np.nan
        with self.assertRaisesRegex(gapkit.InputError, "frame 1.*(finite|nan)"):
            gapkit.append(fitted("first"), [foreign], progress=False)
        with self.assertRaisesRegex(gapkit.InputError, "append: the model has no statistics .*keep_statistics=True"):
            gapkit.append(model(), frames()[:2], progress=False)
        with self.assertRaisesRegex(gapkit.InputError, "si_own_2b3bsoap.xml has no statistics"):
            gapkit.append(QUIP_MODEL, frames()[:2], progress=False)


class Refit(unittest.TestCase):
    def test_equals_the_program(self):
        fitted("all").save(FOLDER / "all.h5")
        run_program("gap-fit", "--refit", "all.h5", "--sigma-force", "0.05", "--delta", "pair=2.5", "-o", "sigma.h5")
        ours = gapkit.refit(fitted("all"), sigma_force=0.05, delta={"pair": 2.5}, progress=False)
        self.assertEqual(largest_difference(ours.weights, gapkit.Model.load(FOLDER / "sigma.h5").weights), 0)
        self.assertGreater(largest_difference(ours.weights, fitted("all").weights), 1e-3)
        by_class = gapkit.refit(fitted("all"), sigma_force={"default": 0.05}, delta={"pair": 2.5}, progress=False)
        self.assertEqual(largest_difference(by_class.weights, ours.weights), 0)
        back = gapkit.refit(ours, sigma_force=0.2, delta={"pair": 1.0}, progress=False)
        self.assertLessEqual(differences(back, fitted("all")), 1e-10)

    def test_optimized(self):
        optimized = gapkit.refit(fitted("all"), optimize="evidence", progress=False)
        note = json.loads(optimized.notes["optimization"])
        self.assertGreater(note["after"]["log_evidence"], note["before"]["log_evidence"])

    def test_mistakes(self):
        for arguments, text in (({}, "nothing is to change"), ({"optimize": "none"}, "nothing is to change"), ({"optimize": "evidnce"}, "mean 'evidence'"),
                                ({"sigma_force": -1}, "sigma_force: 'default' is -1"), ({"sigma_energy": float("nan")}, "'default' is nan"),
                                ({"sigma_virial": "x"}, "'default' is 'x'"), ({"sigma_force": {"liquid": 0.1}}, "no rows of .*'liquid'"),
                                ({"delta": {"pear": 1.0}}, "mean 'pair'"), ({"delta": {"pair": 0}}, "delta: 'pair' is 0"),
                                ({"optimize": "cross_validation"}, "fold"), ({"delta": "pair"}, "delta: a dictionary"), ({"optimize": 3}, "unknown objective '3'"),
                                ({"sigma_force": {3: 0.1}}, "no rows of .*'3'")):
            with self.subTest(text=text), self.assertRaisesRegex(gapkit.InputError, text):
                gapkit.refit(fitted("all"), progress=False, **arguments)


class Merge(unittest.TestCase):
    def test_equals_the_fit_to_all(self):
        fitted("second").save(FOLDER / "part.h5")
        for others in (fitted("second"), [FOLDER / "part.h5"]):
            merged = gapkit.merge(fitted("first"), others, progress=False)
            self.assertLessEqual(largest_difference(merged.weights, fitted("all").weights), 1e-8)
            self.assertLessEqual(differences(merged, fitted("all")), 1e-8)

    def test_mistakes(self):
        other = gapkit.fit(frames()[30:], configuration(reference_energies={"mode": "explicit", "explicit": {"Si": -0.8}}), keep_statistics=True,
                           progress=False)
        for others, text in (([], "no other model"), (3, "model: .* found int"), ([3], "model: .* found int"), (fitted("first"), "model 1: .*same data"), ([fitted("second"), other], "model 2: .*reference energies"),
                             (model(), "merge: the model has no statistics")):
            with self.subTest(text=text), self.assertRaisesRegex(gapkit.InputError, text):
                gapkit.merge(fitted("first"), others, progress=False)


class Statistics(unittest.TestCase):
    def test_survive_saving_loading_and_pickling(self):
        self.assertTrue(fitted("first").has_statistics)
        self.assertFalse(model().has_statistics)
        fitted("first").save(FOLDER / "once.h5")
        gapkit.Model.load(FOLDER / "once.h5").save(FOLDER / "twice.h5")
        twice = gapkit.Model.load(FOLDER / "twice.h5")
        expected = gapkit.append(fitted("first"), frames()[30:], progress=False).weights
        for other in (twice, pickle.loads(pickle.dumps(twice))):
            self.assertEqual(largest_difference(gapkit.append(other, frames()[30:], progress=False).weights, expected), 0)
        run_program("gap-fit", "--refit", "twice.h5", "--sigma-force", "0.1", "-o", "refitted.h5")
        twice.save(FOLDER / "twice.h5")  # over itself
        self.assertTrue(gapkit.Model.load(FOLDER / "twice.h5").has_statistics)

    def test_left_in_the_file_on_request(self):
        fitted("first").save(FOLDER / "with.h5")
        without = gapkit.Model.load(FOLDER / "with.h5", statistics=False)
        self.assertFalse(without.has_statistics)
        without.save(FOLDER / "without.h5")
        self.assertFalse(gapkit.Model.load(FOLDER / "without.h5").has_statistics)
        self.assertLess((FOLDER / "without.h5").stat().st_size, (FOLDER / "with.h5").stat().st_size)
        self.assertFalse(gapkit.Calculator(FOLDER / "with.h5").model.has_statistics)


if __name__ == "__main__":
    unittest.main()
