"""What the tests share: models, structures, runs of LAMMPS and of the programs."""

import atexit
import functools
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np

BUILD, SOURCE = Path(os.environ["GAPKIT_BUILD"]), Path(os.environ["GAPKIT_SOURCE"])
LAMMPS, LMP = os.environ["GAPKIT_LAMMPS"], os.environ["GAPKIT_LMP"]
PRESSURE = 1.6021765e6  # bar Å³/eV, the number in LAMMPS
KCAL_PER_MOL = 23.060549  # eV, the number in LAMMPS

_folder = tempfile.TemporaryDirectory(prefix="gapkit-lammps-tests-")
atexit.register(_folder.cleanup)
FOLDER = Path(_folder.name)
PLUGIN = FOLDER / "plugin"

PAIR = """
[[term]]
name = "pair"
descriptor = "two_body"
species = "all"
cutoff = {cutoff}
cutoff_width = 1.0
kernel = "squared_exponential"
length_scale = 1.0
delta = {delta}
n_sparse = 10
selection = "uniform"
"""
SOAP = """
[[term]]
name = "soap"
descriptor = "soap"
species = "all"
cutoff = {cutoff}
cutoff_width = 1.0
n_max = 4
l_max = 3
radial_weight = 0
atom_sigma = 0.5
kernel = "dot_product"
zeta = 4
delta = 0.5
n_sparse = {n_sparse}
"""
NETWORK = """
[[term]]
name = "functions"
descriptor = "symmetry_functions"
species = "all"
cutoff = 4.5
n_select = 20
kernel = "ntk"
n_sparse = 60
"""
NOISE = "\n[regularization]\nenergy = 0.01\nforce = 0.2\nvirial = 0.2\n"
# Stillinger and Weber's potential with a small correction: cheap, stable, and it melts.
CONFIGURATIONS = {
    "si": ("silicon", PAIR.format(cutoff=5.0, delta=2.0) + SOAP.format(cutoff=4.5, n_sparse=60) + NOISE),
    "network": ("silicon", NETWORK + NOISE),
    "si_held_out": ("silicon", PAIR.format(cutoff=4.5, delta=2.0) + NOISE + '\n[calibration]\nsource = "holdout"\n'),
    "mgo": ("mgo", '[[baseline]]\nkind = "zbl"\n' + PAIR.format(cutoff=4.5, delta=2.0) + SOAP.format(cutoff=4.0, n_sparse=30) + NOISE),
    "cheap": ("silicon", '[[baseline]]\nkind = "stillinger_weber"\n' + PAIR.format(cutoff=3.6, delta=0.5) + NOISE),
}


def run_program(command, **settings):
    """Runs a program that must succeed; returns what it printed."""
    done = subprocess.run([str(word) for word in command], cwd=FOLDER, capture_output=True, text=True, timeout=300, **settings)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


@functools.cache
def model(name):
    """A model of gap-fit, fitted to data of the project."""
    data, terms = CONFIGURATIONS[name]
    (FOLDER / f"{name}.toml").write_text(f'data.train = ["{SOURCE}/data/{data}/train.xyz"]\nreference_energies.mode = "isolated"\n{terms}')
    run_program([BUILD / "bin/gap-fit", f"{name}.toml", "-o", f"{name}.h5"])
    return FOLDER / f"{name}.h5"


@functools.cache
def lammps_program():
    """LAMMPS with pair_style gapkit, as the script lammps/build makes it."""
    options = ["--lammps", LAMMPS] if LAMMPS else []
    environment = {**os.environ, "CXXFLAGS": "-Wall -Wextra -Wshadow -Werror"}
    run_program([SOURCE / "lammps/build", "--gapkit", BUILD, "--output", PLUGIN, *options], env=environment)
    return LMP or PLUGIN / "gap-lmp"


def start_lammps(text, ranks=1, threads=1, folder=FOLDER, program=None, options=()):
    """The finished process of LAMMPS with this input."""
    program = program or lammps_program()
    (folder / "in.test").write_text(text)
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                   "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
                   "LAMMPS_PLUGIN_PATH": str(PLUGIN) if LAMMPS else ""}
    environment.pop("OMP_NUM_THREADS", None)
    if threads > 1:
        environment["OMP_NUM_THREADS"] = str(threads)
    launcher = ["mpirun", "-np", str(ranks), "--oversubscribe", "--bind-to", "none"] if ranks > 1 else []
    return subprocess.run([*launcher, str(program), "-in", "in.test", *options], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=300)


def run_lammps(text, **settings):
    """What LAMMPS printed, in a run that must succeed."""
    done = start_lammps(text, **settings)
    if done.returncode != 0:
        raise AssertionError(f"LAMMPS ended with {done.returncode}:\n{text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


class Frame:
    """A structure in LAMMPS's orientation: rows of the cell are (lx 0 0) (xy ly 0) (xz yz lz)."""

    def __init__(self, symbols, positions, cell, pbc=(True, True, True)):
        self.symbols, self.positions = list(symbols), np.array(positions, float)
        self.cell, self.pbc = np.array(cell, float), pbc

    def __len__(self):
        return len(self.symbols)

    def data_file(self, name, elements, charges=None):
        """Writes a data file of LAMMPS; returns the commands that read it. Types are the places in `elements`; charges by element."""
        c = self.cell
        lines = [name, "", f"{len(self)} atoms", f"{len(elements)} atom types", *(f"0 {c[d, d]!r} {a}lo {a}hi" for d, a in enumerate("xyz"))]
        if abs(c - np.diag(np.diag(c))).max() > 0:
            lines.append(f"{c[1, 0]!r} {c[2, 0]!r} {c[2, 1]!r} xy xz yz")
        masses = {"Si": 28.085, "Mg": 24.305, "O": 15.999, "Na": 22.99, "Cl": 35.45}
        style, charge = ("charge", lambda s: f" {charges[s]!r}") if charges else ("atomic", lambda s: "")
        lines += ["", "Masses", "", *(f"{t} {masses[e]}" for t, e in enumerate(elements, 1)), "", f"Atoms # {style}", ""]
        lines += [f"{i} {elements.index(s) + 1}{charge(s)} {x!r} {y!r} {z!r}" for i, (s, (x, y, z)) in enumerate(zip(self.symbols, self.positions.tolist()), 1)]
        (FOLDER / f"{name}.data").write_text("\n".join(lines) + "\n")
        return f"atom_style {style}\nboundary {' '.join('p' if p else 'f' for p in self.pbc)}\nread_data {name}.data\n"

    def extended_xyz(self):
        rows = [f"{s} {x!r} {y!r} {z!r}" for s, (x, y, z) in zip(self.symbols, self.positions.tolist())]
        lattice = " ".join(repr(v) for v in self.cell.ravel().tolist())
        pbc = " ".join("T" if p else "F" for p in self.pbc)
        return "\n".join([str(len(self)), f'Lattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="{pbc}"', *rows]) + "\n"


def read_frames(path):
    """Dictionaries of numbers in the frames of an extended XYZ file."""
    lines, frames, at = Path(path).read_text().splitlines(), [], 0
    while at < len(lines):
        count, header = int(lines[at]), lines[at + 1]
        frame = {key: np.array([float(v) for v in value.strip('"').split()]) for key, value in
                 re.findall(r'(\w+)=("[-+.eE\d ]+"|[-+.eE\d]+)(?= |$)', header)}
        rows, column = [line.split() for line in lines[at + 2:at + 2 + count]], 0
        for name, kind, width in re.findall(r"(\w+):([SRIL]):(\d+)", re.search(r"Properties=(\S+)", header)[1]):
            values = [row[column:column + int(width)] for row in rows]
            frame[name] = np.array(values, float if kind in "RI" else object)
            column += int(width)
        frames.append(frame)
        at += count + 2
    return frames


def predict(model_file, frames, *options):
    """What gap-predict says about the frames (Frame, or the path of a file)."""
    if isinstance(frames, list):
        (FOLDER / "input.xyz").write_text("".join(frame.extended_xyz() for frame in frames))
        frames = FOLDER / "input.xyz"
    run_program([BUILD / "bin/gap-predict", model_file, frames, "-o", "output.xyz", "--no-reference", *options])
    return read_frames(FOLDER / "output.xyz")


def read_dump(path):
    """The frames of a dump: dictionaries of columns, sorted as in the dump, and 'step'."""
    frames, lines, at = [], Path(path).read_text().splitlines(), 0
    while at < len(lines):
        step, count = int(lines[at + 1]), int(lines[at + 3])
        names = lines[at + 8].split()[2:]
        table = np.array([line.split() for line in lines[at + 9:at + 9 + count]]).T
        frames.append({"step": step, **{n: c if n == "element" else c.astype(float) for n, c in zip(names, table)}})
        at += 9 + count
    return frames


def vectors(frame, *names):
    return np.column_stack([frame[name] for name in names])


def rotated_to_lammps(cell, positions):
    """Cell and positions in LAMMPS's orientation, with small tilts."""
    q, r = np.linalg.qr(np.array(cell).T)
    signs = np.sign(np.diag(r))
    lower = (r * signs[:, None]).T
    assert np.linalg.det(cell) > 0
    positions = np.array(positions) @ np.linalg.inv(cell) @ lower
    for row, other in ((2, 1), (2, 0), (1, 0)):
        lower[row] -= np.round(lower[row, other] / lower[other, other]) * lower[other]
    return lower, positions


def random_frame(symbols, lattice, basis, repeat, seed, shear=0.05, noise=0.12):
    """A supercell with random strain and displacements."""
    random = np.random.RandomState(seed)
    cells = np.array([[i, j, k] for i in range(repeat[0]) for j in range(repeat[1]) for k in range(repeat[2])])
    fractional = (cells[:, None, :] + np.array(basis)[None]).reshape(-1, 3) / repeat
    cell = np.array(lattice) * np.array(repeat)[:, None] @ (np.eye(3) + shear * random.uniform(-1, 1, (3, 3)))
    lower, positions = rotated_to_lammps(cell, fractional @ cell)
    return Frame(list(symbols) * len(cells), positions + noise * random.uniform(-1, 1, positions.shape), lower)


DIAMOND = [[x, y, z] for x, y, z in [(0, 0, 0), (0, .5, .5), (.5, 0, .5), (.5, .5, 0)] for x, y, z in [(x, y, z), (x + .25, y + .25, z + .25)]]
ROCKSALT = [[0, 0, 0], [0, .5, .5], [.5, 0, .5], [.5, .5, 0], [.5, .5, .5], [.5, 0, 0], [0, .5, 0], [0, 0, .5]]


def silicon(repeat, seed, **settings):
    return random_frame(["Si"] * 8, 5.45 * np.eye(3), DIAMOND, repeat, seed, **settings)


class LammpsTest(unittest.TestCase):

    def assert_close(self, actual, expected, relative=1e-9, name=""):
        """All numbers are equal, relative to the largest one."""
        actual, expected = np.asarray(actual, float), np.asarray(expected, float)
        self.assertEqual(actual.shape, expected.shape, name)
        scale = np.abs(expected).max()
        self.assertTrue(scale > 0, f"{name}: all expected values are 0")
        difference = np.abs(actual - expected).max()
        self.assertTrue(difference <= relative * scale, f"{name}: differ by {difference:.3g}, largest value {scale:.3g}")
