#!/usr/bin/env python3
"""gap-serve with ASE's servers of the i-PI protocol, compared with gap-predict.

usage: serve_with_ase.py BIN_FOLDER SOURCE_FOLDER WORK_FOLDER [names of tests, as unittest takes them]

Exit code 77: this Python has no ASE. Models are fitted first; it takes a few seconds.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
try:
    import ase.calculators.socketio as socketio
    import ase.io
    import numpy as np
    from ase import Atoms, units
    from ase.build import bulk
    from ase.calculators.socketio import SocketIOCalculator, SocketServer
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
    from ase.md.verlet import VelocityVerlet
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

BINARIES, SOURCE, WORK = (Path(a).resolve() for a in sys.argv[1:4])
HARTREE, BOHR = 27.211386245988, 0.529177210903  # eV, Å: CODATA 2018, as gapkit; ASE 3.22 has 2014
CASE = SOURCE / "tests/data/cases/base"


class Units2018:
    Ha, Hartree, Bohr = HARTREE, HARTREE, BOHR


@contextmanager
def same_constants():
    """ASE converts with gapkit's constants."""
    before, socketio.units = socketio.units, Units2018
    try:
        yield
    finally:
        socketio.units = before


def run(program, *arguments):
    done = subprocess.run([BINARIES / program, *map(str, arguments)], cwd=WORK, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{program} {arguments} ended with {done.returncode}:\n{done.stderr}")
    return done


def predictions(model, frames, *options):
    """The frames as gap-predict writes them, with its messages."""
    ase.io.write(WORK / "in.xyz", frames, format="extxyz")
    done = run("gap-predict", model, "in.xyz", "-o", "out.xyz", "--no-reference", *options)
    return ase.io.read(WORK / "out.xyz", ":"), done.stderr


def free_port():
    with socket.socket() as s:
        s.bind(("", 0))
        return s.getsockname()[1]


class Address:
    """A UNIX socket or a port, for servers and for gap-serve."""
    number = 0

    def __init__(self, kind):
        Address.number += 1
        name, port = f"gapkit_test_{os.getpid()}_{Address.number}", free_port()
        self.server = {"unixsocket": name} if kind == "unix" else {"port": port}
        self.driver = ["--unix", name] if kind == "unix" else ["--port", str(port)]
        self.text = f"/tmp/ipi_{name}" if kind == "unix" else f"localhost:{port}"


class Driver:
    """gap-serve in the background."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([BINARIES / "gap-serve", *map(str, arguments)], cwd=WORK, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)

    def end(self):
        out, self.messages = self.process.communicate(timeout=60)
        assert out == "", out
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def crystal(seed=1, amplitude=0.1):
    atoms = bulk("Si", "diamond", a=5.45, cubic=True)
    atoms.rattle(amplitude, seed=seed)
    return atoms


def frame_series():
    """Positions and cells change from one to the next, little and much, and the cell is no box."""
    frames = []
    for k in range(8):
        atoms = crystal(seed=k)
        strain = np.eye(3) + 0.02 * np.random.default_rng(k).standard_normal((3, 3))
        atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        frames.append(atoms)
    frames.append(frames[-1].copy())
    frames[-1].positions[0] += 0.01
    frames[-1].positions[3] += 2 * frames[-1].cell.array[1]  # another image
    return frames


class ServeTest(unittest.TestCase):
    kinds = ("unix", "tcp")

    def serve(self, kind, *arguments):
        address = Address(kind)
        driver = Driver(*arguments, *address.driver)
        self.addCleanup(driver.kill)
        return address, driver

    def server(self, address):
        server = SocketServer(**address.server, timeout=60)
        self.addCleanup(server.close)
        return server

    def assert_close(self, actual, expected, tolerance=1e-10):
        actual, expected = np.asarray(actual), np.asarray(expected)
        self.assertEqual(actual.shape, expected.shape)
        self.assertTrue(np.all(np.abs(actual - expected) <= tolerance), f"\n{actual}\n{expected}")

    def refused(self, *arguments):
        """What gap-serve says before it connects anywhere."""
        done = subprocess.run([BINARIES / "gap-serve", *map(str, arguments), "--wait", "0"], cwd=WORK, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        lines = [line for line in done.stderr.splitlines() if "error: " in line]
        self.assertEqual(len(lines), 1, done.stderr)
        return lines[0]


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
        self.assertIn(f"closed the connection after {len(frames)} structures", driver.messages)

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
                results = server.calculate(atoms)
                energies = np.array([one.info["gap_energy"], two.info["gap_energy"]])
                self.assertGreater(abs(energies[0] - energies[1]), 1e-4)
                self.assert_close(results["energy"], energies.mean())
                self.assert_close(results["forces"], (one.arrays["gap_forces"] + two.arrays["gap_forces"]) / 2)
                extra = json.loads(bytes(results["morebytes"]))
                self.assertEqual(set(extra), {"energy_spread", "forces_spread", "committee_pot", "committee_force", "committee_virial"})
                self.assert_close(extra["energy_spread"] * HARTREE, energies.std(ddof=1))
                self.assert_close(np.array(extra["committee_pot"]) * HARTREE, energies)
        server.close()
        self.assertEqual(driver.end(), 0, driver.messages)

    def test_error_bars_in_the_extra_string_are_those_of_gap_predict(self):
        atoms = crystal()
        atoms.info["config_type"] = "bulk"
        ase.io.write(WORK / "labelled.xyz", atoms)
        (expected,), messages = predictions("si.h5", [atoms], "--std", "energy,local,force,stress")
        address, driver = self.serve("tcp", "si.h5", "--std", "energy,local,force,stress", "--template", "labelled.xyz")
        server = self.server(address)
        with same_constants():
            results = server.calculate(atoms)
        extra = json.loads(bytes(results["morebytes"]))
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
                self.assert_close(energy / expected.info["gap_energy"], 1, 1e-7)
                print(f"\n    {kind}: {1e3 * np.median(times):.2f} ms a step; {driver.messages.splitlines()[-1]}", file=sys.stderr)
                # One delayed acknowledgement costs 40 ms, and a message has several parts.
                self.assertLess(np.median(times), 0.02)


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

    def structure_is_refused(self, atoms, code, *options):
        address, driver = self.serve("unix", "si.h5", *options)
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


class FarFromTheData(ServeTest):

    def test_warnings_of_gap_predict_once(self):
        frames = [crystal(), crystal(), crystal(seed=2)]
        for atoms, distance in zip(frames[1:], (0.4, 0.3)):
            atoms.positions[1] = atoms.positions[0] + [distance, 0, 0]
        _, messages = predictions("si.h5", frames[:2], "--std", "force")
        expected = [line for line in messages.splitlines() if "warning: " in line]
        self.assertEqual(len(expected), 2, messages)
        address, driver = self.serve("unix", "si.h5", "--std", "force")
        server = self.server(address)
        for atoms in frames:
            server.calculate(atoms)
        server.close()
        self.assertEqual(driver.end(), 0)
        found = [line for line in driver.messages.splitlines() if "warning: " in line]
        place = expected[0][expected[0].index("in.xyz"):].split(":", 2)
        place = "in.xyz:" + place[1].split(" ")[0] + " (frame 2)"
        expected = [line.replace("gap-predict", "gap-serve").replace(place, f"structure 2 from {address.text}") for line in expected]
        self.assertEqual(sorted(found), sorted(expected))


def prepare():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    shutil.copy(CASE / "train.xyz", WORK)
    text = (CASE / "fit.toml").read_text() + "\n[calibration]\nholdout = 0.2\n"
    (WORK / "si.toml").write_text(text)
    (WORK / "other.toml").write_text(text.replace("n_sparse = 30", "n_sparse = 20"))
    for name in ("si", "other"):
        run("gap-fit", f"{name}.toml", "-o", f"{name}.h5")


if __name__ == "__main__":
    prepare()
    names = sys.argv[4:]
    loader, module = unittest.defaultTestLoader, sys.modules[__name__]
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)
