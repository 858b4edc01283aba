"""gapkit.fit() and gapkit.errors(), against gap-fit and gap-predict."""

import json
import os
import signal
import threading
import unittest
import warnings

import ase.io
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

import gapkit
from gapkit._progress import Reporter
from gapkit._toml import to_toml
from support import CONFIGURATION, DATA, FOLDER, SOURCE, configuration_file, crystal, largest_difference, model, model_file, run_program

# Two bodies only: fits in a tenth of a second
PAIRS = {"term": [{"descriptor": "two_body", "cutoff": 4.0, "kernel": "squared_exponential", "length_scale": 1.0, "n_sparse": 10}]}


class Fits(unittest.TestCase):
    def test_equal_to_gap_fit(self):
        program = model()
        ours = gapkit.fit(config=configuration_file(), progress=False)
        self.assertEqual(largest_difference(ours.weights, program.weights), 0)
        self.assertEqual(ours.calibration, program.calibration)
        self.assertEqual(ours.reference_energies, program.reference_energies)
        self.assertEqual(set(ours.notes), set(program.notes))
        for note in ("training_errors", "validation_errors", "target_keys", "sparse_config_types"):
            self.assertEqual(json.loads(ours.notes[note]), json.loads(program.notes[note]), note)
        prediction, expected = (m.predict(crystal(1), std="energy,forces") for m in (ours, program))
        self.assertEqual(prediction.energy, expected.energy)
        self.assertTrue(np.array_equal(prediction.forces_std, expected.forces_std))
        ours.save(FOLDER / "ours.h5")
        self.assertEqual(gapkit.Model.load(FOLDER / "ours.h5").configuration, ours.configuration)

    def test_frames_in_memory_equal_files(self):
        train, test = ase.io.read(DATA / "train.xyz", ":"), ase.io.read(DATA / "test.xyz", ":")
        files = gapkit.fit(DATA / "train.xyz", CONFIGURATION, validation=DATA / "test.xyz", progress=False)
        memory = gapkit.fit(train, CONFIGURATION, validation=test, progress=False)
        self.assertEqual(largest_difference(memory.weights, files.weights), 0)
        self.assertEqual(memory.calibration, files.calibration)
        self.assertEqual(json.loads(memory.notes["training_errors"]), json.loads(files.notes["training_errors"]))
        self.assertEqual(json.loads(memory.notes["validation_errors"]), json.loads(files.notes["validation_errors"]))
        chosen = gapkit.fit(train[:40], time=3, progress=False)
        self.assertTrue(chosen.has_error_bars)

    def test_configurations_as_text_and_dictionary(self):
        by_text = gapkit.fit(DATA / "train.xyz", to_toml(PAIRS), progress=False)
        by_dictionary = gapkit.fit([str(DATA / "train.xyz")], PAIRS, progress=False)
        (FOLDER / "pairs.toml").write_text(to_toml({"data": {"train": [str(DATA / "train.xyz")]}, **PAIRS}))
        by_file = gapkit.fit(config=str(FOLDER / "pairs.toml"), progress=False)
        for other in (by_dictionary, by_file):
            self.assertEqual(largest_difference(other.weights, by_text.weights), 0)
        seeded = gapkit.fit(DATA / "train.xyz", PAIRS, seed=5, progress=False)
        self.assertEqual(seeded.seed, 5)
        self.assertIn("seed = 5", seeded.configuration)

    def test_without_configuration(self):
        phases = []
        chosen = gapkit.fit(DATA / "train.xyz", time=5, progress=lambda p: phases.append(p))
        self.assertTrue(chosen.has_error_bars)
        self.assertIn("optimization", chosen.notes)
        self.assertTrue(any(p.message.startswith("cutoff") for p in phases))
        self.assertLess(gapkit.errors(chosen, DATA / "test.xyz")["all"]["forces"]["rmse"], 0.3)

    def test_progress(self):
        seen = []
        gapkit.fit(DATA / "train.xyz", PAIRS, progress=seen.append)
        self.assertTrue(all(isinstance(p, gapkit.Progress) for p in seen))
        self.assertLessEqual({"scan", "fit", "training errors"}, {p.phase for p in seen})
        last = [p for p in seen if p.phase == "training errors"][-1]
        self.assertEqual((last.done, last.unit), (last.total, "frames"))

    def test_statistics_for_the_program(self):
        gapkit.fit(DATA / "train.xyz", PAIRS, keep_statistics=True, progress=False).save(FOLDER / "statistics.h5")
        run_program("gap-fit", "--refit", "statistics.h5", "--sigma-force", "0.2", "-o", "refitted.h5")
        self.assertTrue(gapkit.Model.load(FOLDER / "refitted.h5").has_error_bars)

    def test_stopping(self):
        def stop(progress):
            if progress.phase == "fit":
                raise RuntimeError("enough")

        with self.assertRaisesRegex(RuntimeError, "enough"):
            gapkit.fit(DATA / "train.xyz", PAIRS, progress=stop)
        sent = []

        def interrupt(progress):
            if not sent:
                sent.append(True)
                os.kill(os.getpid(), signal.SIGINT)

        with self.assertRaises(KeyboardInterrupt):
            gapkit.fit(DATA / "train.xyz", PAIRS, progress=interrupt)
        self.assertTrue(threading.current_thread() is threading.main_thread())

    def test_mistakes_have_the_sentence_of_the_program(self):
        (FOLDER / "wrong.toml").write_text("data.train = ['train.xyz']\n[[term]]\ndescriptor = 'two_body'\nn_spase = 3\n")
        for arguments, text in (((None, "[[term]]\nn_spase = 3\n"), "train|n_sparse"), ((DATA / "train.xyz", {"term": [{"n_spase": 3}]}),
                                "config:2: .*did you mean 'n_sparse'"), ((None, FOLDER / "wrong.toml"), "wrong.toml:1: .*train.xyz"),
                                ((None, FOLDER / "nothing.toml"), "nothing.toml"), (("nothing.xyz",), "nothing.xyz"), ((), "train is missing"),
                                ((DATA / "train.xyz", {"a": object()}), "'a' is object"), (([crystal(1)], PAIRS), "no target"), (([], PAIRS), "")):
            with self.subTest(text=text), self.assertRaisesRegex(gapkit.InputError, text):
                gapkit.fit(*arguments, progress=False)
        for options, text in (({"seed": -1}, "seed is -1"), ({"seed": "x"}, "seed is 'x'"), ({"memory": 0}, "memory is 0"), ({"config": 5}, "config: .* found int"),
                              ({"progress": 3}, "progress: .* found 3"), ({"train": 3}, "found int"), ({"train": [None]}, "frame 1: .* NoneType")):
            with self.subTest(text=text), self.assertRaisesRegex(gapkit.InputError, text):
                gapkit.fit(**{"train": DATA / "train.xyz", "config": PAIRS, "progress": False, **options})
        with self.assertRaisesRegex(gapkit.InputError, "time is nan"):
            gapkit.fit(DATA / "train.xyz", time=float("nan"))
        with self.assertRaisesRegex(gapkit.InputError, "time belongs to"):
            gapkit.fit(DATA / "train.xyz", PAIRS, time=3)
        with self.assertRaisesRegex(gapkit.InputError, "GB"):
            gapkit.fit(DATA / "train.xyz", PAIRS, memory=1e-3, progress=False)
        with self.assertRaisesRegex(gapkit.InputError, "other_energy"):
            gapkit.fit(DATA / "train.xyz", {**PAIRS, "data": {"use": ["energy"]}}, energy_key="other_energy", progress=False)

    def test_warnings(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gapkit.fit(config=SOURCE / "tests/data/cases/energy_per_atom/fit.toml", progress=False)
        texts = [str(w.message) for w in caught if w.category is gapkit.FitWarning]
        self.assertTrue(any("energies per atom" in text for text in texts), texts)
        self.assertEqual(len(texts), len(set(texts)))
        self.assertTrue(all(w.filename == __file__ for w in caught if w.category is gapkit.FitWarning))


class ErrorTables(unittest.TestCase):
    def test_equal_to_gap_predict(self):
        run_program("gap-predict", model_file(), DATA / "test.xyz", "-o", "errors.xyz", "--json", "errors.json")
        expected = json.loads((FOLDER / "errors.json").read_text())
        of_file = gapkit.errors(model(), DATA / "test.xyz")
        of_frames = gapkit.errors(model(), ase.io.read(DATA / "test.xyz", ":"))
        self.assertEqual(of_file["units"], {"energy": "meV/atom", "forces": "eV/Å", "stress": "GPa"})
        for found in (of_file, of_frames):
            self.assertEqual(set(found["config_types"]), set(expected["config_types"]))
            for name in ("energy", "forces", "stress"):
                self.assertEqual(found["all"][name]["count"], expected["all"][name]["count"])
                self.assertGreater(found["all"][name]["count"], 0)
                self.assertLessEqual(abs(found["all"][name]["rmse"] / expected["all"][name]["rmse"] - 1), 1e-6)
        self.assertEqual(of_file["all"], expected["all"])

    def test_names_and_mistakes(self):
        frames = []
        for seed in range(3):
            atoms = crystal(1, seed=seed)
            atoms.info["my_energy"] = model().predict(atoms).energy + 0.008
            frames.append(atoms)
        table = gapkit.errors(model(), frames, energy_key="my_energy")
        self.assertLessEqual(abs(table["all"]["energy"]["rmse"] - 1), 1e-6)  # meV/atom
        self.assertIsNone(table["all"]["forces"]["rmse"])
        single = gapkit.Frame(atoms.numbers, atoms.positions, atoms.cell, True, {"energy": 3.0}, {"forces": np.zeros((8, 3))})
        self.assertEqual(gapkit.errors(model(), single)["all"]["forces"]["count"], 24)
        single.arrays["forces"] = np.zeros((7, 3))
        with self.assertRaisesRegex(gapkit.InputError, "frame 1: the array 'forces' has the shape \\(7, 3\\)"):
            gapkit.errors(model(), [single])
        single.arrays["forces"] = np.full((8, 3), np.nan)
        with self.assertRaisesRegex(gapkit.InputError, "frame 1"):
            gapkit.errors(model(), [single])
        single.arrays.clear()
        single.info["energy"] = {"a": 1}
        with self.assertRaisesRegex(gapkit.InputError, "frame 1.*energy"):
            gapkit.errors(model(), [single])
        with self.assertRaisesRegex(gapkit.InputError, "nothing.xyz"):
            gapkit.errors(model(), "nothing.xyz")

    def test_results_of_calculators(self):
        atoms = crystal(1)
        atoms.calc = SinglePointCalculator(atoms, energy=1.0, forces=np.zeros((8, 3)))
        table = gapkit.errors(model(), [atoms])
        self.assertEqual((table["all"]["energy"]["count"], table["all"]["forces"]["count"], table["all"]["stress"]["count"]), (1, 24, 0))
        atoms.info["energy"] = 2.0
        with self.assertRaisesRegex(gapkit.InputError, "frame 1: 'energy' in info and the energy of the calculator differ"):
            gapkit.errors(model(), [atoms])
        del atoms.info["energy"]
        atoms.positions[0, 0] += 0.1
        with self.assertRaisesRegex(gapkit.InputError, "frame 1: the atoms have changed"):
            gapkit.errors(model(), [atoms])


class Toml(unittest.TestCase):
    def test_reads_back(self):
        import tomllib
        table = {"a": 1, "b": 0.1, "t": True, "text": 'quo"te\\ é\n\x7f', "list": [1, 2], "empty": [], "np": np.float64(1e-300),
                 "integer": np.int64(3), "array": np.arange(3.0), "path": DATA, "odd key!": 1, "inf": float("inf"),
                 "section": {"x": 1, "deeper": {"y": [["a"], ["b"]]}}, "term": [{"k": 1, "delta": {"Si": 0.5}}, {"k": 2}],
                 "mixed": [{"q": 1}, 2]}
        back = tomllib.loads(to_toml(table))
        expected = {**table, "np": 1e-300, "array": [0.0, 1.0, 2.0], "path": str(DATA)}
        self.assertEqual(back, expected)


class ProgressLine(unittest.TestCase):
    def test_line_on_a_terminal(self):
        import io
        from gapkit._progress import Progress, TerminalLine
        out = io.StringIO()
        line = TerminalLine(out)
        line(Progress("fit", 3, 10, "atoms", ""))
        self.assertIn("gapkit: fit: 3 of 10 (30 %) atoms", out.getvalue())
        line.clear()
        self.assertTrue(out.getvalue().endswith("\r"))
        self.assertIsNone(Reporter(False)._show)


if __name__ == "__main__":
    unittest.main()
