"""The calculator for ASE: against gap-predict, finite differences, and in ASE's own algorithms."""

import io
import time
import unittest
import warnings

import ase.io
import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import PropertyNotImplementedError
from ase.constraints import ExpCellFilter
from ase.eos import EquationOfState
from ase.io.trajectory import Trajectory
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS, FIRE
from ase.phonons import Phonons

import gapkit
from support import DATA, FOLDER, QUIP_MODEL, crystal, largest_difference, model, model_file, network_file, run_program


def calculator(**options):
    return gapkit.Calculator(model(), **options)


class AgainstGapPredict(unittest.TestCase):
    def compare(self, frames, name, tolerance, fitted=model_file):
        """gap-predict predicts the frames of one file together, which changes the order of sums; a file of one frame does not."""
        given, output = FOLDER / f"{name}.xyz", FOLDER / f"{name}_predicted.xyz"
        ase.io.write(given, frames)
        frames = ase.io.read(given, ":")  # ASE writes eight decimals
        run_program("gap-predict", fitted(), given, "-o", output, "--std", "energy,local,force,stress")
        predicted = ase.io.read(output, ":")
        self.assertEqual(len(frames), len(predicted))
        calc = gapkit.Calculator(fitted(), std="energy,forces,stress,energies")
        for atoms, expected in zip(frames, predicted):
            atoms = atoms.copy()
            atoms.calc = calc
            atoms.get_forces()
            expected = {**expected.info, **expected.arrays}
            for ours, theirs in (("energy", "energy"), ("free_energy", "energy"), ("energies", "local_energy"), ("forces", "forces"),
                                 ("stress", "stress"), ("energy_std", "energy_std"), ("forces_std", "forces_std"),
                                 ("stress_std", "stress_std"), ("energies_std", "local_energy_std_epistemic"),
                                 ("energy_std_epistemic", "energy_std_epistemic"), ("forces_std_epistemic", "forces_std_epistemic"),
                                 ("stress_std_epistemic", "stress_std_epistemic")):
                with self.subTest(frame=expected.get("uid"), result=ours):
                    self.assertLessEqual(largest_difference(calc.results[ours], expected["gap_" + theirs]), tolerance)

    def test_equal_to_gap_predict(self):
        frames = ase.io.read(DATA / "test.xyz", ":")
        self.assertGreater(len({frame.info["config_type"] for frame in frames}), 3)
        for k, frame in enumerate(frames[::9]):
            self.compare([frame], f"one_{k}", 1e-12)
        self.compare(frames, "many", 1e-9)

    def test_symmetry_functions_and_ntk_equal_to_gap_predict(self):
        frames = ase.io.read(DATA / "test.xyz", ":")
        for k, frame in enumerate(frames[::25]):
            self.compare([frame], f"network_{k}", 1e-12, network_file)

    def test_sigma_of_frames_counts_as_in_gap_predict(self):
        atoms = crystal()
        for k, sigma in enumerate(({}, {"energy_sigma": 0.5, "virial_sigma": 2.0}, {"force_sigma": 0.3},
                                   {"config_type": "diamond_rattle8"})):
            frame = atoms.copy()
            frame.info.update(sigma)
            self.compare([frame], f"sigma_{k}", 1e-12)
        for name, shape in (("force_atom_sigma", 64), ("force_component_sigma", (64, 3))):
            frame = atoms.copy()
            frame.new_array(name, np.linspace(0.1, 0.9, np.prod(shape)).reshape(shape))
            self.compare([frame], name, 1e-12)

    def test_changed_sigma_or_config_type_is_a_change_of_the_system(self):
        atoms = crystal()
        atoms.calc = calculator()
        atoms.get_forces()
        before = atoms.calc.results["forces_std"]
        atoms.info["force_sigma"] = 3.0
        atoms.get_forces()
        after = atoms.calc.results["forces_std"]
        self.assertTrue(np.all(after > before + 0.02))
        self.assertEqual(atoms.calc.check_state(atoms), [])

    def test_model_of_quip_without_error_bars(self):
        with self.assertRaisesRegex(gapkit.InputError, "no error bars: Calculator\\(model, std=None\\)"):
            gapkit.Calculator(QUIP_MODEL)
        atoms = ase.io.read(QUIP_MODEL.parent / "si_own_2b3bsoap.cases.xyz", 0)
        atoms.calc = gapkit.Calculator(QUIP_MODEL, std=None)
        self.assertTrue(np.isfinite(atoms.get_potential_energy()))
        with self.assertRaisesRegex(gapkit.InputError, "no error bars"):
            atoms.calc.set(std="energy")
        self.assertTrue(np.all(np.isfinite(atoms.get_forces())))


class Derivatives(unittest.TestCase):
    def test_forces_are_the_gradient_of_the_energy(self):
        atoms = crystal(1)
        atoms.calc = calculator(std=None)
        forces, step = atoms.get_forces(), 1e-3
        self.assertGreater(np.abs(forces).max(), 0.1)
        for atom, axis in ((0, 0), (3, 1), (7, 2)):
            energies = []
            for sign in (1, -1):
                moved = atoms.copy()
                moved.calc = atoms.calc
                moved.positions[atom, axis] += sign * step
                energies.append(moved.get_potential_energy())
            self.assertLessEqual(abs(-(energies[0] - energies[1]) / (2 * step) - forces[atom, axis]), 1e-5)

    def test_stress_is_the_derivative_by_strain(self):
        atoms = crystal(1)
        atoms.set_cell(atoms.cell.array + 0.1 * np.random.default_rng(3).standard_normal((3, 3)), scale_atoms=True)
        atoms.calc = calculator(std=None)
        stress = atoms.get_stress(voigt=False)
        self.assertGreater(np.abs(stress).max(), 1e-3)
        difference = atoms.calc.calculate_numerical_stress(atoms, d=1e-4, voigt=False)
        self.assertLessEqual(np.abs(stress - difference).max(), 1e-6)


class InAse(unittest.TestCase):
    def drift(self, step):
        """Largest departure of the total energy from its start, eV/atom, in 300 fs."""
        atoms = crystal(2, displacement=0)
        self.assertEqual(len(atoms), 64)
        atoms.calc = calculator(std=None)
        MaxwellBoltzmannDistribution(atoms, temperature_K=1200, rng=np.random.default_rng(5))
        dynamics = VelocityVerlet(atoms, step * units.fs)
        start, worst, hottest = atoms.get_total_energy(), 0.0, 0.0
        for _ in range(int(300 / step)):
            dynamics.run(1)
            worst = max(worst, abs(atoms.get_total_energy() - start))
            hottest = max(hottest, np.abs(atoms.positions - crystal(2, displacement=0).positions).max())
        self.assertGreater(hottest, 0.2)
        self.assertLess(atoms.calc.neighbor_lists_made, int(300 / step) / 10)
        return worst / len(atoms)

    def test_energy_is_conserved(self):
        coarse, fine = self.drift(2.0), self.drift(1.0)
        self.assertLessEqual(fine, 2e-4)
        self.assertLessEqual(fine, 0.4 * coarse)  # quadratic in the time step: no error of the forces hides in it

    def test_dynamics_drift_as_those_of_gap_active(self):
        """1000 steps of 1 fs from the same positions and velocities, at 300 K after equipartition; both are velocity Verlet."""
        atoms = crystal(2, displacement=0)
        atoms.calc = calculator(std=None)
        MaxwellBoltzmannDistribution(atoms, temperature_K=600, rng=np.random.default_rng(5))
        structure, velocities = gapkit._frames.bare_structure(atoms, ""), atoms.get_velocities() * units.fs
        program = gapkit._gapkit.nve_energies(model()._handle, structure, velocities, 1.0, 1000) / len(atoms)
        energies = [atoms.get_total_energy()]
        dynamics = VelocityVerlet(atoms, units.fs)
        for _ in range(1000):
            dynamics.run(1)
            energies.append(atoms.get_total_energy())
        ours = np.array(energies) / len(atoms)
        self.assertLessEqual(abs(ours[0] - program[0]), 1e-6)  # constants of different years
        time_ps = np.arange(1001) / 1000
        drifts, ranges = zip(*((np.polyfit(time_ps, e, 1)[0], np.ptp(e)) for e in (ours, program)))
        print(f"\ndrift {drifts[0]:.2e} (ASE), {drifts[1]:.2e} (gap-active) eV/atom/ps; range {ranges[0]:.2e}, {ranges[1]:.2e} eV/atom")
        for drift, largest in zip(drifts, ranges):
            self.assertGreater(largest, 1e-7)
            self.assertLessEqual(abs(drift), 1e-5)
            self.assertLessEqual(largest, 5e-4)
        self.assertLessEqual(abs(ranges[0] / ranges[1] - 1), 0.2)

    def test_equation_of_state(self):
        """Its bulk modulus is that of the stresses."""
        volumes, energies, pressures = [], [], []
        for factor in np.linspace(0.995, 1.005, 9):
            atoms = crystal(1, displacement=0)
            atoms.set_cell(factor * atoms.cell.array, scale_atoms=True)
            atoms.calc = calculator(std=None)
            volumes.append(atoms.get_volume())
            energies.append(atoms.get_potential_energy())
            pressures.append(-atoms.get_stress()[:3].mean())
        volume, _, modulus = EquationOfState(volumes, energies, "birchmurnaghan").fit()
        self.assertLess(abs(volume / 8 - 20.4), 0.5)
        slope = np.polyfit(np.array(volumes) - volume, pressures, 3)[-2]
        self.assertGreater(modulus / units.GPa, 50)
        self.assertLessEqual(abs(-volume * slope / modulus - 1), 0.02)

    def test_relaxation_with_fire(self):
        relaxed = []
        for optimizer in (BFGS, FIRE):
            atoms = crystal(1)
            atoms.calc = calculator(std=None)
            with optimizer(atoms, logfile=None) as relaxation:
                self.assertTrue(relaxation.run(fmax=1e-3, steps=500))
            relaxed.append(atoms.get_potential_energy())
        self.assertLessEqual(abs(relaxed[0] - relaxed[1]), 1e-4)

    def test_relaxation_of_atoms_and_cell(self):
        atoms = crystal(1)
        atoms.calc = calculator()
        with BFGS(atoms, logfile=None) as relaxation:
            self.assertTrue(relaxation.run(fmax=1e-3, steps=200))
        with BFGS(ExpCellFilter(atoms), logfile=None) as relaxation:
            self.assertTrue(relaxation.run(fmax=1e-3, steps=200))
        self.assertLessEqual(np.abs(atoms.get_stress()).max(), 1e-4)
        self.assertLess(abs(atoms.get_volume() / 8 - 20.4), 1.0)

    def test_phonons(self):
        atoms = crystal(1, displacement=0)
        phonons = Phonons(atoms, calculator(std=None), supercell=(1, 1, 1), delta=0.01, name=str(FOLDER / "phonons"))
        phonons.run()
        phonons.read(acoustic=True)
        frequencies = np.sort(phonons.band_structure([[0, 0, 0]], verbose=False)[0])
        self.assertLessEqual(np.abs(frequencies[:3]).max(), 1e-3)
        self.assertLess(abs(frequencies[-1] - 0.064), 0.015)  # 64 meV: the optical mode of silicon

    def test_trajectory_keeps_the_results(self):
        atoms = crystal(1)
        atoms.calc = calculator()
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        with Trajectory(FOLDER / "written.traj", "w", atoms) as file:
            file.write()
        back = ase.io.read(FOLDER / "written.traj")
        self.assertEqual(back.get_potential_energy(), energy)
        self.assertTrue(np.array_equal(back.get_forces(), forces))
        text = io.StringIO()
        ase.io.write(text, atoms, format="extxyz")
        self.assertIn("energy=", text.getvalue())
        properties = atoms.calc.calculate_properties(atoms, ["energy", "forces", "energies"])
        self.assertEqual(properties["energy"], energy)

    def test_molecule_has_no_stress(self):
        atoms = Atoms("Si2", positions=[[0, 0, 0], [0, 0, 2.3]])
        atoms.calc = calculator(std="energy,forces,stress")
        self.assertTrue(np.isfinite(atoms.get_potential_energy()))
        with self.assertRaises(PropertyNotImplementedError):
            atoms.calc.get_property("stress", atoms)
        with self.assertRaises(PropertyNotImplementedError):
            atoms.calc.get_property("stress_std", atoms)


class ErrorBars(unittest.TestCase):
    def test_default_none_and_all(self):
        atoms = crystal(1)
        names = {"energy_std", "forces_std", "stress_std", "energies_std"}
        for std, expected in (("energy,forces", {"energy_std", "forces_std"}), (None, set()), (["stress", "energies"],
                              {"stress_std", "energies_std"}), ("energy, force, virial, local", names)):
            calc = gapkit.Calculator(model(), std=std)
            atoms.calc = calc
            atoms.get_forces()
            self.assertEqual(names & set(calc.results), expected)
        atoms.calc = calculator()
        self.assertEqual(atoms.calc.get_property("forces_std", atoms).shape, (8, 3))
        self.assertGreater(atoms.calc.results["energy_std"], atoms.calc.results["energy_std_epistemic"])
        atoms.calc.set(std=None)
        self.assertEqual(atoms.calc.results, {})
        with self.assertRaises(PropertyNotImplementedError):
            atoms.calc.get_property("forces_std", atoms)

    def test_unknown_names(self):
        with self.assertRaisesRegex(gapkit.InputError, "unknown name 'enrgy'"):
            calculator(std="enrgy")
        with self.assertRaisesRegex(gapkit.InputError, "unknown parameter 'strd'"):
            calculator(strd="energy")
        with self.assertRaisesRegex(gapkit.InputError, "skin is -1"):
            calculator(skin=-1)
        with self.assertRaisesRegex(gapkit.InputError, "skin is nan"):
            calculator(skin=float("nan"))
        with self.assertRaisesRegex(gapkit.InputError, "precision: unknown name 'half'"):
            calculator(precision="half")

    def test_single_precision(self):
        """As gap-predict --precision single; close to double precision; error bars are in double precision."""
        atoms = crystal()
        given, output = FOLDER / "precision.xyz", FOLDER / "precision_predicted.xyz"
        ase.io.write(given, atoms, format="extxyz")
        atoms = ase.io.read(given)
        forces = {}
        for precision in ("double", "single"):
            atoms.calc = calculator(std=None, precision=precision)
            forces[precision] = atoms.get_forces().copy()
            run_program("gap-predict", model_file(), given, "-o", output, "--precision", precision)
            self.assertLessEqual(largest_difference(forces[precision], ase.io.read(output).arrays["gap_forces"]), 1e-12)
            self.assertLessEqual(largest_difference(forces[precision], model().predict(atoms, precision=precision).forces), 1e-12)
        self.assertGreater(largest_difference(forces["single"], forces["double"]), 0)
        self.assertLessEqual(largest_difference(forces["single"], forces["double"]), 1e-4)
        atoms.calc = calculator(std="energy", precision="single")
        self.assertEqual(largest_difference(atoms.get_forces(), forces["double"]), 0)


class NeighborList(unittest.TestCase):
    def test_kept_while_atoms_move_a_little(self):
        atoms = crystal()
        atoms.calc = calculator()
        random = np.random.default_rng(2)
        for step in range(5):
            atoms.positions += 0.01 * random.standard_normal(atoms.positions.shape)
            kept = atoms.get_forces()
            fresh = atoms.copy()
            fresh.calc = calculator(skin=0)
            self.assertLessEqual(largest_difference(kept, fresh.get_forces()), 1e-12)
        self.assertEqual(atoms.calc.neighbor_lists_made, 1)
        atoms.positions[0] += [0, 0.4, 0]
        moved = atoms.get_forces()
        self.assertEqual(atoms.calc.neighbor_lists_made, 2)
        fresh = atoms.copy()
        fresh.calc = calculator(skin=0)
        self.assertLessEqual(largest_difference(moved, fresh.get_forces()), 1e-12)
        other = crystal(1)  # another system with the same calculator
        other.calc = atoms.calc
        fresh = other.copy()
        fresh.calc = calculator(skin=0)
        self.assertLessEqual(largest_difference(other.get_forces(), fresh.get_forces()), 1e-12)

    def test_overhead(self):
        """Beyond the evaluation at most 0.3 ms for 64 atoms; the least of many steps, as other processes disturb the rest."""
        atoms = crystal()
        atoms.calc = calculator(std=None)
        random = np.random.default_rng(4)
        overheads = []
        for step in range(300):
            atoms.positions += 0.002 * random.standard_normal(atoms.positions.shape)
            begin = time.perf_counter()
            atoms.get_forces()
            overheads.append(time.perf_counter() - begin - atoms.calc.evaluation_seconds)
        self.assertGreater(atoms.calc.evaluation_seconds, 0)
        self.assertLessEqual(min(overheads), 0.3e-3)


class Mistakes(unittest.TestCase):
    def test_wrong_element(self):
        atoms = crystal(1)
        atoms.calc = calculator()
        before = atoms.get_potential_energy()
        atoms.numbers[2] = 6
        for _ in range(2):
            with self.assertRaisesRegex(gapkit.InputError, "atom 3 is C, which the model does not know \\(it knows Si\\)"):
                atoms.get_potential_energy()
        atoms.numbers[2] = 14
        self.assertEqual(atoms.get_potential_energy(), before)

    def test_missing_and_wrong_files(self):
        for path, text in (("nothing.h5", "nothing.h5.*No such file"), (DATA / "train.xyz", "train.xyz")):
            with self.assertRaisesRegex(gapkit.InputError, text) as caught:
                gapkit.Calculator(path)
            self.assertIsInstance(caught.exception, ValueError)
            self.assertIsInstance(caught.exception, gapkit.Error)

    def test_impossible_structures(self):
        for change, text in ((lambda a: a.positions.__setitem__((1, 2), np.nan), "nan|finite"), (lambda a: a.set_cell(np.zeros((3, 3))),
                             "there is no cell"), (lambda a: a.set_cell([[5, 0, 0], [5, 0, 0], [0, 0, 5]]), "volume")):
            atoms = crystal(1)
            atoms.calc = calculator()
            change(atoms)
            with self.assertRaisesRegex(gapkit.Error, text):
                atoms.get_forces()
        atoms = Atoms()
        atoms.calc = calculator()
        with self.assertRaisesRegex(gapkit.InputError, "no atoms"):
            atoms.get_potential_energy()

    def test_result_that_is_not_finite(self):
        (FOLDER / "repulsion.toml").write_text(f'data.train = ["{DATA}/train.xyz"]\n[[baseline]]\nkind = "zbl"\n[[term]]\ndescriptor = '
                                               '"two_body"\ncutoff = 4.0\nkernel = "squared_exponential"\nlength_scale = 1.0\n'
                                               'n_sparse = 5\n')
        run_program("gap-fit", "repulsion.toml", "-o", "repulsion.h5")
        atoms = crystal(1)
        atoms.positions[1] = atoms.positions[0]
        atoms.calc = gapkit.Calculator(FOLDER / "repulsion.h5")
        with self.assertRaisesRegex(gapkit.NumericalError, "not finite") as caught:
            atoms.get_forces()
        self.assertIsInstance(caught.exception, ArithmeticError)

    def test_atoms_too_close_bring_one_warning(self):
        atoms = crystal(1)
        atoms.positions[1] = atoms.positions[0] + [0, 0, 0.5]
        atoms.calc = calculator(std=None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(3):
                atoms.positions += 0.001
                atoms.get_forces()
        self.assertEqual([w.category for w in caught], [gapkit.PredictionWarning])
        self.assertIn("too close", str(caught[0].message))


if __name__ == "__main__":
    unittest.main()
