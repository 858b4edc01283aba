"""What the tests share: a model of silicon, structures, the programs."""

import atexit
import functools
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from ase.build import bulk

import gapkit

BUILD, SOURCE = Path(os.environ["GAPKIT_BUILD"]), Path(os.environ["GAPKIT_SOURCE"])
DATA = SOURCE / "data/silicon"
QUIP_MODEL = SOURCE / "tests/data/gap_models/si_own_2b3bsoap.xml"

# The terms of configs/silicon.toml with fewer functions and points
CONFIGURATION = """\
[reference_energies]
mode = "isolated"
[[term]]
name = "pair"
descriptor = "two_body"
cutoff = 5.0
kernel = "squared_exponential"
length_scale = 1.0
delta = 2.0
n_sparse = 20
selection = "uniform"
[[term]]
name = "soap"
descriptor = "soap"
cutoff = 5.0
n_max = 6
l_max = 4
atom_sigma = 0.5
radial_weight = 0
kernel = "dot_product"
delta = 0.5
n_sparse = 100
[regularization]
energy = 0.002
force = 0.1
virial = 0.1
[calibration]
holdout = 0.2
"""

_folder = tempfile.TemporaryDirectory(prefix="gapkit-python-tests-")
atexit.register(_folder.cleanup)
FOLDER = Path(_folder.name)


def run_program(name, *arguments):
    """Runs a program that must succeed; returns what it printed."""
    command = [str(BUILD / "bin" / name), *map(str, arguments)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


@functools.cache
def configuration_file():
    path = FOLDER / "silicon.toml"
    path.write_text(f'data.train = ["{DATA}/train.xyz"]\ndata.validation = ["{DATA}/test.xyz"]\n' + CONFIGURATION)
    return path


@functools.cache
def model_file():
    """A model that gap-fit has made."""
    run_program("gap-fit", configuration_file(), "-o", "silicon.h5")
    return FOLDER / "silicon.h5"


@functools.cache
def network_file():
    """A model with symmetry functions and the kernel of a network."""
    term = '[[term]]\ndescriptor = "symmetry_functions"\ncutoff = 4.5\nn_select = 20\nkernel = "ntk"\nn_sparse = 60\n'
    noise = CONFIGURATION[CONFIGURATION.index("[regularization]"):]
    path = FOLDER / "network.toml"
    path.write_text(f'data.train = ["{DATA}/train.xyz"]\nreference_energies.mode = "isolated"\n{term}{noise}')
    run_program("gap-fit", path, "-o", "network.h5")
    return FOLDER / "network.h5"


@functools.cache
def model():
    return gapkit.Model.load(model_file())


def crystal(repeat=2, displacement=0.05, seed=1):
    """8 repeat³ silicon atoms, each coordinate displaced by a normal random number (Å)."""
    atoms = bulk("Si", "diamond", a=5.46, cubic=True).repeat(repeat)
    atoms.positions += displacement * np.random.default_rng(seed).standard_normal(atoms.positions.shape)
    return atoms


def largest_difference(a, b):
    """Largest difference relative to the largest number (at least 1); NaN if there is one."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise AssertionError(f"shapes {a.shape} and {b.shape}")
    if a.size == 0:
        raise AssertionError("nothing to compare")
    return np.max(np.abs(a - b)) / max(1.0, np.max(np.abs(b)))


def _fitted(name, calibration):
    path = FOLDER / f"{name}.toml"
    path.write_text(f'data.train = ["{DATA}/train.xyz"]\n{CONFIGURATION.split("[calibration]")[0]}[calibration]\n{calibration}\n')
    run_program("gap-fit", path, "-o", f"{name}.h5")
    return gapkit.Model.load(FOLDER / f"{name}.h5")


@functools.cache
def graded_model():
    """Of the same terms, in graded.h5: calibrated by leaving structures out, so that it gives extrapolation grades."""
    return _fitted("graded", 'source = "leave_one_out"')


@functools.cache
def held_out_model():
    """Of the same terms, without extrapolation grades."""
    return _fitted("held_out", 'source = "holdout"')


def dipole_configuration(tensor="", term="", units="e*angstrom"):
    """Energies and dipoles of water; `tensor`, `term`: further lines of these sections."""
    return f"""\
[data]
use = ["energy"]
[reference_energies]
mode = "least_squares"
[[term]]
descriptor = "two_body"
cutoff = 3.0
kernel = "squared_exponential"
length_scale = 0.5
n_sparse = 10
delta = 1.0
[[tensor]]
name = "dipole"
kind = "vector"
units = "{units}"
{tensor}
[[tensor.term]]
cutoff = 3.0
n_max = 4
l_max = 3
zeta = 2
{term}
"""
