"""Members of the posterior, and the choice of a batch."""

import unittest

import ase.io
import numpy as np
from ase.optimize import BFGS

import gapkit
from support import DATA, FOLDER, QUIP_MODEL, crystal, largest_difference, model, model_file, run_program


class TheEnsemble(unittest.TestCase):
    def test_members_are_those_of_the_program(self):
        ensemble = gapkit.Ensemble(model(), 4, seed=7)
        self.assertEqual(len(ensemble), 4)
        run_program("gap-fit", "--sample-model", model_file(), "--member", "2", "--seed", "7", "-o", "member.h5")
        self.assertEqual(largest_difference(ensemble[2].weights, gapkit.Model.load(FOLDER / "member.h5").weights), 0)
        self.assertFalse(ensemble[2].has_error_bars)
        self.assertEqual([len(part) for part in (list(ensemble), ensemble[1:3])], [4, 2])
        again, other = gapkit.Ensemble(model_file(), 3, seed=7), gapkit.Ensemble(model(), 2, seed=8)
        self.assertTrue(np.array_equal(again[1].weights, ensemble[1].weights))
        self.assertFalse(np.array_equal(other[1].weights, ensemble[1].weights))

    def test_spread_is_the_error_bar_of_the_data(self):
        """Of a model whose sparse points span everything and whose labels have much noise: then the data's part is the whole error bar.

        The spread of 200 members has a relative standard error of 1/√400 = 5 %.
        """
        noisy = gapkit.fit(DATA / "train.xyz", {
            "term": [{"descriptor": "two_body", "cutoff": 5.0, "kernel": "squared_exponential", "length_scale": 1.0, "delta": 1.0, "n_sparse": 30,
                      "selection": "uniform"}], "regularization": {"energy": 0.3, "force": 5.0, "virial": 5.0},
            "calibration": {"source": "none"}}, progress=False)
        atoms = crystal(1, displacement=0.15)
        prediction = noisy.predict(atoms, std="energy,forces,stress")
        spread = gapkit.Ensemble(noisy, 200, seed=1).predict(atoms)
        self.assertEqual((spread.energy.shape, spread.energies.shape, spread.forces.shape, spread.stress.shape),
                         ((200,), (200, 8), (200, 8, 3), (200, 6)))
        self.assertLessEqual(abs(spread.energy_std / prediction.energy_std_epistemic - 1), 0.2)
        self.assertLessEqual(abs(np.sqrt(np.mean(spread.forces_std**2) / np.mean(prediction.forces_std_epistemic**2)) - 1), 0.15)
        self.assertLessEqual(abs(np.sqrt(np.mean(spread.stress_std**2) / np.mean(prediction.stress_std_epistemic**2)) - 1), 0.2)
        standard_error = prediction.energy_std_epistemic / np.sqrt(200)
        self.assertLessEqual(abs(spread.energy.mean() - prediction.energy), 4 * standard_error)
        self.assertGreater(standard_error, 0)

    def test_calculators(self):
        relaxed = []
        for calculator in gapkit.Ensemble(model(), 3).calculators():
            atoms = crystal(1)
            atoms.calc = calculator
            with BFGS(atoms, logfile=None) as relaxation:
                self.assertTrue(relaxation.run(fmax=0.01, steps=100))
            relaxed.append(atoms.get_potential_energy())
        self.assertEqual(len(set(relaxed)), 3)

    def test_lists_and_molecules(self):
        ensemble = gapkit.Ensemble(model(), 2)
        pair = gapkit.Frame([14, 14], [[0, 0, 0], [0, 0, 2.4]])
        both = ensemble.predict([crystal(1), pair])
        self.assertEqual([p.energies.shape for p in both], [(2, 8), (2, 2)])
        self.assertIsNone(both[1].stress)
        self.assertIsNone(both[1].stress_std)
        self.assertIsNone(ensemble.predict(pair, forces=False).forces_std)
        self.assertEqual(ensemble.predict([]), [])

    def test_mistakes(self):
        for arguments, text in (((model(), 1), "members is 1"), ((model(), 2.5), "members is 2.5"), ((QUIP_MODEL, 3), "no posterior"),
                                ((gapkit.Ensemble(model(), 2)[0], 3), "no posterior"), (("nothing.h5", 3), "nothing.h5"), ((None, 3), "model: .* found NoneType")):
            with self.subTest(text=text), self.assertRaisesRegex(gapkit.InputError, text):
                gapkit.Ensemble(*arguments)
        with self.assertRaisesRegex(gapkit.InputError, "seed is -1"):
            gapkit.Ensemble(model(), 2, seed=-1)


class ChooseBatch(unittest.TestCase):
    def test_methods(self):
        frames = ase.io.read(DATA / "test.xyz", ":30")
        std = np.array([p.forces_std_epistemic.max() for p in model().predict(frames, std="forces")])
        top = gapkit.choose_batch(model(), frames, 5, method="top")
        self.assertEqual([choice.index for choice in top], list(np.argsort(-std, kind="stable")[:5]))
        self.assertLessEqual(largest_difference([choice.std for choice in top], np.sort(std)[::-1][:5]), 1e-9)
        for options in ({}, {"covariance": "forces"}, {"covariance": "local_energy", "criterion": "total"}, {"quantity": "local_energy"},
                        {"quantity": "energy"}, {"method": "random"}):
            batch = gapkit.choose_batch(model(), frames, 5, **options)
            self.assertEqual(len({choice.index for choice in batch}), 5, options)
            self.assertEqual(batch, gapkit.choose_batch(model(), frames, 5, **options))
        scores = [choice.score for choice in gapkit.choose_batch(model(), frames, 5)]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertGreater(scores[-1], 0)
        self.assertNotEqual([c.index for c in gapkit.choose_batch(model(), frames, 5, method="random", seed=1)],
                            [c.index for c in gapkit.choose_batch(model(), frames, 5, method="random", seed=2)])
        self.assertEqual(len(gapkit.choose_batch(model(), frames[:3], 10)), 3)
        self.assertEqual(gapkit.choose_batch(model(), []), [])

    def test_a_batch_does_not_repeat_itself(self):
        """Of two copies of the same structure the second tells little."""
        frames = [crystal(1, displacement=0.3, seed=1), crystal(1, displacement=0.3, seed=1), crystal(1, displacement=0.05, seed=2)]
        self.assertEqual({c.index for c in gapkit.choose_batch(model(), frames, 2, method="top")}, {0, 1})
        batch = gapkit.choose_batch(model(), frames, 3, covariance="forces")
        self.assertEqual(batch[1].index, 2)

    def test_given_error_bars(self):
        frames = [crystal(1, seed=k) for k in range(4)]
        batch = gapkit.choose_batch(model(), frames, 2, method="top", stds=[0.1, 0.4, 0.2, 0.3])
        self.assertEqual([(c.index, c.std) for c in batch], [(1, 0.4), (3, 0.3)])
        self.assertEqual(len(gapkit.choose_batch(gapkit.Model.load(QUIP_MODEL), frames, 2, method="random")), 2)

    def test_mistakes(self):
        frames = [crystal(1)]
        for arguments, text in (({"method": "varianc"}, "method: unknown name 'varianc'; did you mean 'variance'"), ({"count": 0}, "count is 0"),
                                ({"covariance": "x"}, "valid: energy, local_energy, forces"), ({"criterion": "x"}, "valid: largest, total"),
                                ({"quantity": "x"}, "valid: force, local_energy, energy"), ({"stds": [1, 2]}, "2 stds for 1 frames"),
                                ({"stds": [float("nan")]}, "stds\\[0\\] is nan"), ({"candidates": 0}, "candidates is 0"),
                                ({"frames": "pool.xyz"}, "found 'pool.xyz'; ase.io.read"), ({"model": 3}, "model: .* found int"), ({"stds": ["a"]}, "stds: .*'a'"), ({"frames": [3]}, "structure 0: ase.Atoms"),
                                ({"model": gapkit.Model.load(QUIP_MODEL)}, "no error bars")):
            with self.subTest(text=text), self.assertRaisesRegex(gapkit.InputError, text):
                gapkit.choose_batch(**{"model": model(), "frames": frames, **arguments})


if __name__ == "__main__":
    unittest.main()
