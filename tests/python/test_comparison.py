"""gapkit.compare(), errors() with error bars against gap-predict, and the figures."""

import json
import subprocess
import sys
import tempfile
import unittest

import ase.io
import numpy as np

try:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
except ImportError:
    matplotlib = None

import gapkit
from support import DATA, FOLDER, crystal, largest_difference, model, model_file, run_program


class Metrics(unittest.TestCase):
    def test_equal_to_gap_predict(self):
        run_program("gap-predict", model_file(), DATA / "test.xyz", "-o", "bars.xyz", "--json", "bars.json", "--std", "energy,force,stress")
        expected = json.loads((FOLDER / "bars.json").read_text())
        found = gapkit.errors(model(), DATA / "test.xyz", std="energy,forces,stress")
        self.assertEqual(found["error_bars"], expected["error_bars"])
        self.assertEqual(found["all"], expected["all"])
        for target in ("energy", "forces", "stress"):
            metrics = found["error_bars"]["all"][target]
            self.assertTrue(0.2 < metrics["zms"]["value"] < 5, metrics["zms"])
            self.assertTrue(0.3 < metrics["coverage68"]["value"] <= metrics["coverage95"]["value"] <= 1)
            self.assertGreater(found["all"][target]["mae"], 0)
        raw = gapkit.errors(model(), DATA / "test.xyz", std="forces", calibrated=False)
        self.assertNotEqual(raw["error_bars"]["all"]["forces"]["zms"], found["error_bars"]["all"]["forces"]["zms"])
        self.assertNotIn("error_bars", gapkit.errors(model(), DATA / "test.xyz"))

    def test_without_labels(self):
        table = gapkit.errors(model(), [crystal(1)], std="energy")
        self.assertIsNone(table["error_bars"])
        self.assertEqual(table["all"]["energy"]["count"], 0)
        self.assertEqual(len(gapkit.compare(model(), []).forces), 0)

    def test_arrays(self):
        frames = ase.io.read(DATA / "test.xyz", ":10")
        comparison = gapkit.compare(model(), frames, std="energy,forces,stress")
        forces = np.concatenate([frame.get_forces().ravel() for frame in frames])
        self.assertLessEqual(largest_difference(comparison.forces.reference, forces), 1e-12)
        predictions = model().predict(frames, std="forces")
        self.assertLessEqual(largest_difference(comparison.forces.predicted, predictions.forces.ravel()), 1e-9)
        self.assertLessEqual(largest_difference(comparison.forces.std, predictions.forces_std.ravel()), 1e-9)
        self.assertEqual(list(np.unique(comparison.forces.frame)), list(range(10)))
        rmse = np.sqrt(np.mean((comparison.forces.predicted - forces) ** 2))
        self.assertLessEqual(abs(rmse / comparison.errors["all"]["forces"]["rmse"] - 1), 1e-9)
        energies = 1000 * (comparison.energy.predicted - comparison.energy.reference)
        self.assertLessEqual(abs(np.sqrt(np.mean(energies**2)) / comparison.errors["all"]["energy"]["rmse"] - 1), 1e-6)
        zms = np.mean((comparison.forces.bar_errors / comparison.forces.bar_stds) ** 2)
        self.assertLessEqual(abs(zms / comparison.errors["error_bars"]["all"]["forces"]["zms"]["value"] - 1), 1e-9)
        self.assertEqual(len(comparison.stress.bar_stds) + comparison.errors["error_bars"]["all"]["vanishing_stresses"], len(comparison.stress))
        self.assertIsNone(gapkit.compare(model(), frames).forces.std)


@unittest.skipUnless(matplotlib, "there is no Matplotlib")
class Plots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.comparison = gapkit.compare(model(), DATA / "test.xyz", std="energy,forces,stress")

    def tearDown(self):
        pyplot.close("all")

    def test_figures(self):
        for function in (gapkit.plots.parity, gapkit.plots.error_against_error_bar, gapkit.plots.calibration_curve):
            for target in ("energy", "forces", "stress"):
                _, given = pyplot.subplots()
                self.assertIs(function(self.comparison, target, given), given)
                ax = function(self.comparison, target, None)
                self.assertIsInstance(ax, matplotlib.axes.Axes)
                self.assertIsNot(ax, given)
                self.assertTrue(ax.get_xlabel() and ax.get_ylabel())
                ax.figure.savefig(FOLDER / "figure.png")
                self.assertGreater((FOLDER / "figure.png").stat().st_size, 5000)

    def test_parity_shows_the_numbers(self):
        ax = gapkit.plots.parity(self.comparison, "energy")
        shown = ax.lines[0].get_xydata()
        self.assertTrue(np.array_equal(shown[:, 0], self.comparison.energy.reference))
        self.assertTrue(np.array_equal(shown[:, 1], self.comparison.energy.predicted))
        self.assertIn(f"RMSE {self.comparison.errors['all']['energy']['rmse']:.3g}", ax.get_title())
        self.assertEqual(ax.get_xlim(), ax.get_ylim())

    def test_binned_errors_are_root_mean_squares(self):
        ax = gapkit.plots.error_against_error_bar(self.comparison, "energy", bins=1)
        binned = next(line for line in ax.lines if line.get_label() == "root mean square error").get_xydata()
        data = self.comparison.energy
        self.assertLessEqual(largest_difference(binned, [[np.sqrt(np.mean(data.bar_stds**2)), np.sqrt(np.mean(data.bar_errors**2))]]), 1e-12)

    def test_calibration_curve_is_the_coverage(self):
        from statistics import NormalDist
        ax = gapkit.plots.calibration_curve(self.comparison, "forces")
        levels, observed = ax.lines[1].get_xydata().T
        data = self.comparison.forces
        z = np.abs(data.bar_errors) / data.bar_stds
        for level in (0.2, 0.5, 0.9):
            k = int(np.argmin(np.abs(levels - level)))
            self.assertLessEqual(abs(observed[k] - np.mean(z <= NormalDist().inv_cdf(0.5 + levels[k] / 2))), 1e-9)
        self.assertEqual((observed[0], observed[-1]), (0, 1))

    def test_learning_curve(self):
        tables = [{"all": {"forces": {"rmse": rmse}}} for rmse in (0.1, 0.2, 0.05)]
        ax = gapkit.plots.learning_curve([40, 20, 80], tables, label="tables")
        self.assertEqual(ax.lines[0].get_xydata().tolist(), [[20, 0.2], [40, 0.1], [80, 0.05]])
        self.assertIs(gapkit.plots.learning_curve([20, 40], [0.3, 0.15], ax=ax, label="numbers"), ax)
        self.assertEqual(len(ax.lines), 2)
        self.assertEqual((ax.get_xscale(), ax.get_yscale()), ("log", "log"))

    def test_few_numbers(self):
        """One structure of one atom: nothing to bin, no range."""
        atom = gapkit.Frame([14], [[0, 0, 0]], info={"energy": -0.9})
        comparison = gapkit.compare(model(), [atom], std="energy")
        gapkit.plots.parity(comparison, "energy").figure.savefig(FOLDER / "atom.png")
        if len(comparison.energy.bar_stds) > 0:
            gapkit.plots.error_against_error_bar(comparison, "energy").figure.savefig(FOLDER / "atom.png")

    def test_mistakes(self):
        bare = gapkit.compare(model(), DATA / "test.xyz")
        for call, text in ((lambda: gapkit.plots.parity(bare, "virial"), "unknown target 'virial'; valid: energy, forces, stress"),
                           (lambda: gapkit.plots.parity(gapkit.compare(model(), [crystal(1)])), "no reference values"),
                           (lambda: gapkit.plots.calibration_curve(bare), "no error bars of forces: .*std=\"forces\""),
                           (lambda: gapkit.plots.error_against_error_bar(bare, "energy"), "no error bars of energy"),
                           (lambda: gapkit.plots.error_against_error_bar(self.comparison, bins=0), "bins is 0"),
                           (lambda: gapkit.plots.learning_curve([1, 2], [0.1]), "2 sizes and 1 errors"), (lambda: gapkit.plots.learning_curve([], []), "0"),
                           (lambda: gapkit.plots.learning_curve([1], [float("nan")]), "point 0 is 1, nan"),
                           (lambda: gapkit.plots.learning_curve([1], [{"all": {"forces": {"rmse": None}}}]), "errors\\[0\\] has no forces"),
                           (lambda: gapkit.plots.learning_curve([1], [1.0], "force"), "unknown target 'force'")):
            with self.subTest(text=text), self.assertRaisesRegex(gapkit.InputError, text):
                call()


class WithoutMatplotlib(unittest.TestCase):
    def test_sentence(self):
        script = """
import sys
sys.modules["matplotlib"] = None
import gapkit
try:
    gapkit.plots.learning_curve([1, 2], [0.2, 0.1])
except ImportError as error:
    assert "needs Matplotlib" in str(error) and "python3-matplotlib" in str(error), error
else:
    raise AssertionError("no ImportError")
"""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
