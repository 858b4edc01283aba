#!/usr/bin/env python3
"""gap-serve with ASE's servers of the i-PI protocol, compared with gap-predict.

usage: serve_with_ase.py BIN_FOLDER SOURCE_FOLDER WORK_FOLDER [names of tests, as unittest takes them]

Exit code 77: this Python has no ASE. Models are fitted first; it takes a few seconds.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
from serve_support import (BINARIES, BOHR, HARTREE, SOURCE, WORK, Address, Driver, ServeTest, calculate, crystal, frame_series, free_port,
                           predictions, prepare, same_constants)  # noqa: E402

import ase.io  # noqa: E402
import numpy as np  # noqa: E402
from ase import Atoms, units  # noqa: E402
from ase.build import bulk  # noqa: E402
from ase.calculators.socketio import SocketIOCalculator  # noqa: E402
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution  # noqa: E402
from ase.md.verlet import VelocityVerlet  # noqa: E402


class Numbers(ServeTest):

    def compare(self, kind, model, frames, *options):
        expected, _ = predictions(model, frames)
        address, driver = self.serve(kind, model, *options)
        with same_constants(), SocketIOCalculator(**address.server, timeout=60) as calculator:
            for atoms, reference in zip(frames, expected):
                atoms = atoms.copy()
                calculator.atoms = None  # ASE 3.22 refuses a calculator whose atoms are others
                atoms.calc = calculator
                self.assert_close(atoms.get_potential_energy(), reference.info["gap_energy"])
                self.assert_close(atoms.get_forces(), reference.arrays["gap_forces"])
                self.assertGreater(np.abs(atoms.get_forces()).max(), 0.01)
                if atoms.cell.rank == 3 and atoms.pbc.any():
                    self.assert_close(atoms.get_stress(), reference.info["gap_stress"])
        self.assertEqual(driver.end(), 0, driver.messages)
        self.assertRegex(driver.messages, f"closed the connection after {len(frames)} structures?;")

    def test_ase_gets_the_numbers_of_gap_predict_while_positions_and_cell_change(self):
        for kind in self.kinds:
            with self.subTest(kind):
                self.compare(kind, "si.h5", frame_series())

    def test_with_the_constants_of_ase(self):
        atoms = crystal()
        (expected,), _ = predictions("si.h5", [atoms])
        address, driver = self.serve("tcp", "si.h5")
        with SocketIOCalculator(**address.server, timeout=60) as calculator:
            atoms.calc = calculator
            self.assert_close(atoms.get_potential_energy() / expected.info["gap_energy"], 1, 1e-7)
            self.assert_close(atoms.get_forces(), expected.arrays["gap_forces"], 1e-6)
            self.assert_close(atoms.get_stress(), expected.info["gap_stress"], 1e-8)
        self.assertEqual(driver.end(), 0)

    def test_potential_of_quip_with_a_template(self):
        folder = SOURCE / "tests/data/gap_models"
        frames = ase.io.read(folder / "sic8.xyz", ":3")
        for atoms in frames:
            atoms.info.clear()
            atoms.calc = None
            for name in set(atoms.arrays) - {"numbers", "positions"}:
                del atoms.arrays[name]
        frames = [atoms for atoms in frames if np.array_equal(atoms.numbers, frames[0].numbers)]
        ase.io.write(WORK / "sic.xyz", frames[0])
        self.compare("unix", folder / "D_sic_2bsoap.xml", frames, "--template", "sic.xyz")

    def test_molecules_and_slabs_without_template_are_periodic_where_the_cell_is_not_zero(self):
        molecule = Atoms("Si3", [[0, 0, 0], [2.3, 0, 0.1], [0.3, 2.4, 0]])
        slab = Atoms("Si3", molecule.positions, cell=[[5.5, 0.2, 0], [0, 5.6, 0], [0, 0, 0]], pbc=[True, True, False])
        self.compare("unix", "si.h5", [molecule, slab, molecule])

    def test_periodic_directions_of_a_template_with_a_lattice(self):
        atoms = Atoms("Si3", [[0, 0, 0], [2.3, 0, 0.1], [0.3, 2.4, 0]], cell=[5, 5, 5], pbc=[False, True, False])
        ase.io.write(WORK / "wire.xyz", atoms)
        self.compare("tcp", "si.h5", [atoms], "--template", "wire.xyz")

    def test_committee_is_the_mean(self):
        frames = frame_series()[:3]
        a, _ = predictions("si.h5", frames)
        b, _ = predictions("other.h5", frames)
        address, driver = self.serve("unix", "si.h5", "other.h5", "--std", "energy,force", "--members")
        server = self.server(address)
        with same_constants():
            for atoms, one, two in zip(frames, a, b):
                results = calculate(server, atoms)
                energies = np.array([one.info["gap_energy"], two.info["gap_energy"]])
                self.assertGreater(abs(energies[0] - energies[1]), 1e-4)
                self.assert_close(results["energy"], energies.mean())
                self.assert_close(results["forces"], (one.arrays["gap_forces"] + two.arrays["gap_forces"]) / 2)
                extra = results["extra"]
                self.assertEqual(set(extra), {"energy_spread", "forces_spread", "committee_pot", "committee_force", "committee_virial"})
                self.assert_close(extra["energy_spread"] * HARTREE, energies.std(ddof=1))
                self.assert_close(np.array(extra["committee_pot"]) * HARTREE, energies)
        server.close()
        self.assertEqual(driver.end(), 0, driver.messages)

    def test_error_bars_in_the_extra_string_are_those_of_gap_predict(self):
        atoms = crystal()
        atoms.info["energy_sigma"] = 0.3  # of the frame itself: it is in the error bar
        (expected,), messages = predictions("si.h5", [atoms], "--std", "energy,local,force,stress")
        self.assertGreater(expected.info["gap_energy_std"], 0.29)
        address, driver = self.serve("tcp", "si.h5", "--std", "energy,local,force,stress", "--template", "in.xyz")
        server = self.server(address)
        with same_constants():
            extra = calculate(server, atoms)["extra"]
        for name in ("energy_std", "energy_std_epistemic"):
            self.assert_close(extra[name] * HARTREE, expected.info[f"gap_{name}"])
        for name in ("forces_std", "forces_std_epistemic"):
            self.assert_close(np.array(extra[name]) * HARTREE / BOHR, expected.arrays[f"gap_{name}"])
        for name in ("virial_std", "virial_std_epistemic"):
            self.assert_close(np.array(extra[name]) * HARTREE, expected.info[f"gap_{name}"])
        self.assert_close(np.array(extra["local_energy_std_epistemic"]) * HARTREE, expected.arrays["gap_local_energy_std_epistemic"])
        for name in ("novelty", "shortest_distance_ratio"):
            self.assert_close(extra[name], expected.info[f"gap_{name}"])
        server.close()
        self.assertEqual(driver.end(), 0)
        calibration = [line for line in messages.splitlines() if "calibrated" in line][0].split(": ", 1)[1]
        self.assertIn(f"gap-serve: {calibration}", driver.messages)


class Dynamics(ServeTest):

    def test_a_thousand_steps(self):
        for kind in self.kinds:
            with self.subTest(kind):
                atoms = crystal(amplitude=0.02)
                MaxwellBoltzmannDistribution(atoms, temperature_K=600, rng=np.random.default_rng(3))
                address, driver = self.serve(kind, "si.h5")
                times, totals = [], []
                with SocketIOCalculator(**address.server, timeout=60) as calculator:
                    atoms.calc = calculator
                    dynamics = VelocityVerlet(atoms, 1 * units.fs)
                    for _ in range(1000):
                        begin = time.monotonic()
                        dynamics.run(1)
                        times.append(time.monotonic() - begin)
                        totals.append(atoms.get_total_energy())
                    energy = atoms.get_potential_energy()
                self.assertEqual(driver.end(), 0, driver.messages)
                self.assertIn("after 1001 structures", driver.messages)
                self.assertLess(np.ptp(totals), 0.02)
                (expected,), _ = predictions("si.h5", [atoms])
                self.assert_close(energy / expected.info["gap_energy"], 1, 1e-6)
                print(f"\n    {kind}: {1e3 * np.median(times):.2f} ms a step; {driver.messages.splitlines()[-1]}", file=sys.stderr)
                # One delayed acknowledgement costs 40 ms, and a message has several parts. On a busy machine other steps are as slow.
                self.assertLess(np.percentile(times, 10), 0.02)


class Ends(ServeTest):

    def test_exit(self):
        address, driver = self.serve("tcp", "si.h5")
        server = self.server(address)
        server.calculate(crystal())
        server.protocol.end()
        self.assertEqual(driver.end(), 0)
        self.assertIn(f"{address.text} says EXIT after 1 structure;", driver.messages)

    def test_the_server_is_killed_while_it_waits_for_results(self):
        for kind in self.kinds:
            with self.subTest(kind):
                address, driver = self.serve(kind, "si.h5")
                code = ("import sys, os, numpy as np; from ase.build import bulk; from ase.calculators.socketio import SocketServer\n"
                        f"server = SocketServer(**{address.server}); server._accept(); p = server.protocol; atoms = bulk('Si', cubic=True)\n"
                        "assert p.status() == 'NEEDINIT'; p.sendinit(); p.sendposdata(atoms.cell.array, atoms.cell.array, atoms.positions)\n"
                        "assert p.status() == 'HAVEDATA'; os.kill(os.getpid(), 9)")
                done = subprocess.run([sys.executable, "-c", code], timeout=60)
                self.assertEqual(done.returncode, -signal.SIGKILL)
                if kind == "unix":
                    Path(address.text).unlink()
                self.assertEqual(driver.end(), 2, driver.messages)
                self.assertIn(f"gap-serve: error: {address.text} closed the connection before it took the results of structure 1\n", driver.messages)

    def test_the_server_is_killed_in_the_middle_of_a_message(self):
        with socket.socket() as listener:
            listener.bind(("", 0))
            listener.listen(1)
            port = listener.getsockname()[1]
            driver = Driver("si.h5", "--port", port)
            self.addCleanup(driver.kill)
            connection, _ = listener.accept()
            connection.sendall(b"POSDATA     " + bytes(100))
            connection.close()
        self.assertEqual(driver.end(), 2)
        self.assertIn(f"error: localhost:{port} closed the connection in the middle of a message\n", driver.messages)

    def test_a_server_of_another_protocol(self):
        with socket.socket() as listener:
            listener.bind(("", 0))
            listener.listen(1)
            driver = Driver("si.h5", "--port", listener.getsockname()[1])
            self.addCleanup(driver.kill)
            connection, _ = listener.accept()
            connection.sendall(b"220 mail.example.org ESMTP\r\n")
            self.assertEqual(driver.end(), 2)
            connection.close()
        self.assertIn("sent '220 mail.exa', expected STATUS, INIT, POSDATA, GETFORCE or EXIT of the i-PI protocol", driver.messages)

    def test_a_server_that_starts_later(self):
        for kind in self.kinds:
            with self.subTest(kind):
                address, driver = self.serve(kind, "si.h5")
                time.sleep(1)
                self.assertIsNone(driver.process.poll())
                self.server(address).calculate(crystal())
                driver.process.terminate()
                driver.end()
                self.assertIn(f"gap-serve: no server answers at {address.text} yet (", driver.messages)
                self.assertIn("waiting for it, 60 s at most", driver.messages)

    def test_closed_port_and_missing_socket(self):
        port = free_port()
        self.assertIn(f"error: no server answers at localhost:{port} (Connection refused); start the server first, or correct the address",
                      self.refused("si.h5", "--port", port))
        self.assertIn("error: no server answers at /tmp/ipi_gapkit_nobody (No such file or directory);", self.refused("si.h5", "--unix", "gapkit_nobody"))


class Mistakes(ServeTest):

    def test_elements(self):
        ase.io.write(WORK / "carbon.xyz", bulk("C", cubic=True))
        self.assertIn("carbon.xyz:1 (frame 1): atom 1 is C, which the model does not know (it knows Si)",
                      self.refused("si.h5", "--template", "carbon.xyz"))
        self.assertIn("the model knows several elements (C, Si), and the protocol does not send which atom is which: --template FILE says it",
                      self.refused(SOURCE / "tests/data/gap_models/D_sic_2bsoap.xml"))
        self.assertIn("si.h5 and carbon.xyz:1 (frame 1): atom 1 is C, which",
                      self.refused(SOURCE / "tests/data/gap_models/D_sic_2bsoap.xml", "si.h5", "--template", "carbon.xyz"))

    def structure_is_refused(self, atoms, code, *options, model="si.h5"):
        address, driver = self.serve("unix", model, *options)
        server = self.server(address)
        server.calculate(crystal())
        with self.assertRaises((OSError, AssertionError)):
            server.calculate(atoms)
        self.assertEqual(driver.end(), code, driver.messages)
        lines = driver.messages.splitlines()
        self.assertEqual(len([line for line in lines if "error: " in line]), 1, driver.messages)
        return address.text, lines[-1]

    def test_number_of_atoms(self):
        ase.io.write(WORK / "eight.xyz", crystal())
        address, message = self.structure_is_refused(crystal() * (2, 1, 1), 2, "--template", "eight.xyz")
        self.assertEqual(message, f"gap-serve: error: structure 2 from {address} has 16 atoms, the template has 8 (eight.xyz:1 (frame 1)): "
                                  "the template must hold the atoms of the simulation in the same order")

    def test_positions_and_cells_that_are_not_finite(self):
        atoms = crystal()
        atoms.positions[4, 1] = np.nan
        address, message = self.structure_is_refused(atoms, 2)
        self.assertIn(f"error: structure 2 from {address}: the position of atom 5 (of 8, counted from 1) is (", message)

    def test_a_cell_without_volume(self):
        atoms = crystal()
        atoms.cell[2] = atoms.cell[0] + atoms.cell[1]
        address, message = self.structure_is_refused(atoms, 2)
        self.assertIn(f"error: structure 2 from {address}: the cell has no volume", message)

    def test_a_prediction_that_is_not_finite(self):
        atoms = crystal()
        atoms.positions[1] = atoms.positions[0]
        address, message = self.structure_is_refused(atoms, 3, model="zbl.h5")
        self.assertIn(f"structure 2 from {address}", message)
        self.assertIn("atoms 1 (Si) and 2 (Si) are 0 Å apart", message)

    def test_command_lines(self):
        for arguments, expected in (
            (["si.h5", "--unix", "a", "--port", "3"], "excludes"),
            (["si.h5", "--members"], "--members goes with several models"),
            (["si.h5", "--raw"], "--raw goes with --std and one model"),
            (["si.h5", "other.h5", "--std", "energy", "--std-points", "3"], "--std-points goes with --std and one model"),
            (["si.h5", "--std", "enrgy"], "--std: unknown name 'enrgy'; did you mean 'energy'?"),
            (["si.h5", "--template", "missing.xyz"], "missing.xyz"),
            (["missing.h5"], "missing.h5"),
            (["si.h5", "--unix", "x" * 200], "at most 107 bytes"),
            (["si.h5", "--wait", "soon"], "--wait"),
            (["si.h5", "--port", "0"], "--port"),
            ([SOURCE / "tests/data/gap_models/si_own_2b3bsoap.xml", "--std", "force"], "it has no error bars"),
            ([], "MODEL is required"),
        ):
            with self.subTest(arguments):
                self.assertIn(expected, self.refused(*arguments))


class Documentation(ServeTest):

    def test_the_example_for_ase(self):
        text = (SOURCE / "docs/serve.md").read_text()
        code = text.split("```python\n")[1].split("```")[0]
        name = Address("unix").driver[1]
        code = code.replace('unixsocket="silicon"', f'unixsocket="{name}"').replace('"--unix", "silicon"', f'"--unix", "{name}"')
        self.assertEqual(code.count(name), 2)
        shutil.copy(WORK / "si.h5", WORK / "silicon.h5")
        ase.io.write(WORK / "start.xyz", crystal())
        environment = os.environ | {"PATH": f"{BINARIES}:{os.environ['PATH']}"}
        done = subprocess.run([sys.executable, "-c", code + "assert driver.returncode == 0, driver.returncode\n"], cwd=WORK, env=environment,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("BFGS", done.stdout)


class FarFromTheData(ServeTest):

    def test_warnings_of_gap_predict_once(self):
        frames = [crystal(), *(Atoms("Si2", [[0, 0, 0], [distance, 0, 0]]) for distance in (0.4, 0.3))]
        _, messages = predictions("si.h5", frames[:2], "--std", "force")
        expected = [line for line in messages.splitlines() if "warning: " in line]
        self.assertEqual(len(expected), 2, messages)
        address, driver = self.serve("unix", "si.h5", "--std", "force")
        server = self.server(address)
        for atoms in frames:
            calculate(server, atoms)
        server.close()
        self.assertEqual(driver.end(), 0)
        found = [line for line in driver.messages.splitlines() if "warning: " in line]
        place = "in.xyz:11 (frame 2)"
        self.assertTrue(all(place in line for line in expected), messages)
        expected = [line.replace("gap-predict", "gap-serve").replace(place, f"structure 2 from {address.text}") for line in expected]
        self.assertEqual(sorted(found), sorted(expected))


if __name__ == "__main__":
    prepare()
    names = sys.argv[4:]
    loader, module = unittest.defaultTestLoader, sys.modules[__name__]
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)
