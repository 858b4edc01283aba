"""The covariance of the force on an atom: turned structures, lists, and errors of data/silicon."""

import functools
import unittest

import ase.io
import numpy as np

import gapkit
from support import CONFIGURATION, DATA, FOLDER, crystal, run_program


@functools.cache
def left_out_model():
    """Calibrated by left-out structures: the bars follow the data part, which turns with the structure."""
    configuration = FOLDER / "left_out.toml"
    configuration.write_text(f'data.train = ["{DATA}/train.xyz"]\n' + CONFIGURATION.split("[calibration]")[0])
    run_program("gap-fit", configuration, "-o", "left_out.h5")
    return gapkit.Model.load(FOLDER / "left_out.h5")


def rotation(seed):
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))
    q *= np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


class ForceCovariance(unittest.TestCase):
    def test_symmetric_positive_and_its_diagonal_are_the_bars(self):
        p = left_out_model().predict(crystal(1), std="force_covariance")
        self.assertEqual(p.forces_covariance.shape, (8, 3, 3))
        self.assertTrue((p.forces_covariance == p.forces_covariance.transpose(0, 2, 1)).all())
        self.assertLess(np.abs(np.diagonal(p.forces_covariance, axis1=1, axis2=2) - p.forces_std**2).max(), 1e-14)
        self.assertGreater(np.linalg.eigvalsh(p.forces_covariance).min(), 0)
        off = p.forces_covariance[:, [0, 0, 1], [1, 2, 2]]
        self.assertGreater(np.abs(off).max(), 0.01 * p.forces_covariance.max())
        self.assertIsNone(left_out_model().predict(crystal(1), std="forces").forces_covariance)

    def test_it_turns_with_the_structure(self):
        for seed in range(3):
            atoms, turn = crystal(1, displacement=0.15, seed=seed), rotation(seed)
            turned = atoms.copy()
            turned.set_cell(atoms.cell @ turn.T, scale_atoms=False)
            turned.positions = atoms.positions @ turn.T
            before, after = (left_out_model().predict(x, std="force_covariance") for x in (atoms, turned))
            expected = turn @ before.forces_covariance @ turn.T
            self.assertLess(np.abs(after.forces_covariance - expected).max(), 1e-3 * expected.max())
            self.assertGreater(np.abs(after.forces_covariance - before.forces_covariance).max(), 0.01 * expected.max())

    def test_a_list_equals_one_by_one(self):
        frames = [crystal(1, seed=1), crystal(1, displacement=0.2, seed=2)]
        together = left_out_model().predict(frames, std="force_covariance")
        self.assertEqual(together.forces_covariance.shape, (16, 3, 3))
        for k, frame in enumerate(frames):
            alone = left_out_model().predict(frame, std="force_covariance").forces_covariance
            self.assertLess(np.abs(together.forces_covariance[8 * k : 8 * k + 8] - alone).max(), 1e-4 * alone.max())

    def test_errors_of_test_frames_have_the_mahalanobis_distances_of_a_gaussian(self):
        frames = ase.io.read(DATA / "test.xyz", ":")
        p = left_out_model().predict(frames, std="force_covariance")
        errors = p.forces - np.concatenate([frame.arrays["forces"] if "forces" in frame.arrays else frame.get_forces() for frame in frames])
        moves = np.abs(p.forces).max(axis=1) > 1e-5
        squares = np.einsum("ni,nij,nj->n", errors[moves], np.linalg.inv(p.forces_covariance[moves]), errors[moves])
        self.assertGreater(moves.sum(), 300)
        self.assertTrue(2.3 < squares.mean() < 4.2, squares.mean())  # 3 for a Gaussian
        within = (squares < 3.5267).mean()  # the ellipsoid of 68.3 %
        self.assertTrue(0.58 < within < 0.8, within)

    def test_a_quarter_of_the_points(self):
        m = left_out_model()
        self.assertEqual(m.quick_points, m.sparse_points // 4)
        few, everything = (m.predict(crystal(1), std="force_covariance", std_points=n) for n in (m.quick_points, 0))
        ratio = np.linalg.norm(few.forces_std) / np.linalg.norm(everything.forces_std)
        self.assertTrue(0.5 < ratio < 2, ratio)
        self.assertNotEqual(ratio, 1)
        with self.assertRaisesRegex(gapkit.InputError, "at most that many"):
            m.predict(crystal(1), std="forces", std_points=m.sparse_points + 1)


if __name__ == "__main__":
    unittest.main()
