"""The calculator for ASE: copies, processes and threads."""

import copy
import multiprocessing
import pickle
import threading
import time
import unittest

import numpy as np

import gapkit
from support import crystal, largest_difference, model


def calculator(**options):
    return gapkit.Calculator(model(), **options)


class Copies(unittest.TestCase):
    def check(self, other, atoms):
        self.assertIsNot(other.calc, atoms.calc)
        self.assertEqual(other.get_potential_energy(), atoms.get_potential_energy())
        other.positions += 0.02 * np.random.default_rng(6).standard_normal(other.positions.shape)
        atoms.positions = other.positions
        self.assertLessEqual(largest_difference(other.get_forces(), atoms.get_forces()), 1e-12)
        self.assertLessEqual(largest_difference(other.calc.results["forces_std"], atoms.calc.results["forces_std"]), 1e-12)

    def test_deep_copy(self):
        atoms = crystal(1)
        atoms.calc = calculator()
        atoms.get_forces()
        other = copy.deepcopy(atoms)
        self.assertIs(other.calc.model, atoms.calc.model)
        self.check(other, atoms)

    def test_pickle(self):
        atoms = crystal(1)
        atoms.calc = calculator()
        atoms.get_forces()
        self.check(pickle.loads(pickle.dumps(atoms)), atoms)


def energy_of(seed):
    atoms = crystal(1, seed=seed)
    atoms.calc = calculator()
    return atoms.get_potential_energy()


class Threads(unittest.TestCase):
    def test_calculators_in_threads(self):
        expected = [energy_of(seed) for seed in range(4)]
        shared = calculator()._evaluator
        found, request = [None] * 4, calculator()._request

        def work(k):
            atoms = crystal(1, seed=k)
            atoms.calc = calculator()
            values = []
            for _ in range(20):
                atoms.calc.reset()
                values.append(atoms.get_potential_energy())
                structure = gapkit._frames.bare_structure(atoms, "")
                values.append(shared.evaluate(structure, request)["energy"])
            found[k] = values

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for k in range(4):
            self.assertLessEqual(largest_difference(found[k], [expected[k]] * 40), 1e-12)

    def test_other_threads_run_meanwhile(self):
        atoms = crystal(4)
        atoms.calc = calculator()
        thread = threading.Thread(target=atoms.get_forces)
        begin, turns = time.perf_counter(), 0
        thread.start()
        while thread.is_alive():
            time.sleep(0.001)
            turns += 1
        seconds = time.perf_counter() - begin
        evaluation = atoms.calc.evaluation_seconds
        self.assertGreater(evaluation, 0.05)
        # With Python locked during the evaluation there would be hardly a turn.
        self.assertGreater(turns, 10, f"{seconds} s, of which {evaluation} s in C++")

    def test_forked_process(self):
        expected = energy_of(0)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            self.assertLessEqual(abs(pool.apply_async(energy_of, (0,)).get(timeout=60) - expected), 1e-10)


if __name__ == "__main__":
    unittest.main()
