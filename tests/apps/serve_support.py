"""Parts of serve_with_ase.py: servers, the driver, predictions of gap-predict. It reads the command line of that script."""
import json
import os
import shutil
import socket
import subprocess
import sys
import unittest
from contextlib import contextmanager
from pathlib import Path

try:
    import ase.calculators.socketio as socketio
    import ase.io
    import numpy as np
    from ase.build import bulk
    from ase.calculators.socketio import SocketServer
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

os.environ["OMP_NUM_THREADS"] = "1"  # the structures are small
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


def write_as_received(frames):
    """To in.xyz: positions and cells with every digit, as they are after the way to bohr and back. A bit more or less in a position changes
    energies of a potential of QUIP by 2e-10 eV."""
    def numbers(values):
        return " ".join(repr(float(x)) for x in np.ravel(np.asarray(values) / BOHR * BOHR))

    with open(WORK / "in.xyz", "w") as file:
        for atoms in frames:
            lattice = f'Lattice="{numbers(atoms.cell.array)}" ' if atoms.cell.array.any() else ""
            sigma = f"energy_sigma={atoms.info['energy_sigma']} " if "energy_sigma" in atoms.info else ""
            pbc = " ".join("FT"[int(periodic)] for periodic in atoms.pbc)
            file.write(f'{len(atoms)}\n{lattice}{sigma}pbc="{pbc}" Properties=species:S:1:pos:R:3\n')
            file.writelines(f"{symbol} {numbers(position)}\n" for symbol, position in zip(atoms.symbols, atoms.positions))


def predictions(model, frames, *options):
    """The frames as gap-predict writes them, with its messages."""
    write_as_received(frames)
    done = run("gap-predict", model, "in.xyz", "-o", "out.xyz", *options)
    return ase.io.read(WORK / "out.xyz", ":"), done.stderr


def calculate(server, atoms):
    """SocketServer.calculate() without ASE's refusal of an extra string."""
    if server.protocol is None:
        server._accept()
    protocol = server.protocol
    if protocol.status() == "NEEDINIT":
        protocol.sendinit()
    protocol.sendposdata(atoms.cell.array, np.linalg.pinv(atoms.cell.array), atoms.positions)
    assert protocol.status() == "HAVEDATA"
    energy, forces, virial, extra = protocol.sendrecv_force()
    return {"energy": energy, "forces": forces, "virial": virial, "extra": json.loads(bytes(extra)) if len(extra) > 0 else None}


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
        """The error message for a command line."""
        done = subprocess.run([BINARIES / "gap-serve", *map(str, arguments), "--wait", "0"], cwd=WORK, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        lines = [line for line in done.stderr.splitlines() if "error: " in line]
        self.assertEqual(len(lines), 1, done.stderr)
        return lines[0]


def prepare():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    shutil.copy(CASE / "train.xyz", WORK)
    text = (CASE / "fit.toml").read_text() + "\n[calibration]\nholdout = 0.2\n"
    (WORK / "si.toml").write_text(text)
    (WORK / "other.toml").write_text(text.replace("n_sparse = 30", "n_sparse = 10"))
    (WORK / "zbl.toml").write_text(text + '[[baseline]]\nkind = "zbl"\n')
    for name in ("si", "other", "zbl"):
        run("gap-fit", f"{name}.toml", "-o", f"{name}.h5")
