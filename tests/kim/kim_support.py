"""Parts of run.py: models in KIM collections of their own, runs of lmp and of the small simulator, predictions of gap-predict."""
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

BUILD, SOURCE, WORK = (Path(a).resolve() for a in sys.argv[1:4])
BINARIES = BUILD / "bin"


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


try:
    import ase.io
    import numpy as np
except ImportError as error:
    skip(error)
for needed in ("lmp", "mpirun", "kim-api-collections-management"):
    if shutil.which(needed) is None:
        skip(f"there is no program {needed}")

COLLECTION = WORK / "collection"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive",
               # The library and its header in the build and source folders
               "CMAKE_LIBRARY_PATH": str(BUILD / "src"), "CMAKE_INCLUDE_PATH": str(SOURCE / "include"),
               # Nothing is installed outside of the work folder
               "KIM_API_CONFIGURATION_FILE": str(WORK / "kim-api.config"), "KIM_API_MODEL_DRIVERS_DIR": str(COLLECTION),
               "KIM_API_PORTABLE_MODELS_DIR": str(COLLECTION), "KIM_API_SIMULATOR_MODELS_DIR": str(COLLECTION),
               "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
               "OMPI_MCA_mpi_yield_when_idle": "1"}
BAR = 1.6021765e6  # of LAMMPS, units metal: 1 eV/Å³ in bar
SOAP = '''
[[term]]
descriptor = "soap"
cutoff = 4.0
n_max = 3
l_max = 2
kernel = "dot_product"
zeta = 2
delta = 0.5
n_sparse = {points}
'''
CONFIGURATIONS = {
    "silicon": f'data.train = ["{SOURCE}/data/silicon/train.xyz"]' + SOAP.format(points=40),
    "oxide": f'data.train = ["{SOURCE}/data/mgo/train.xyz"]' + SOAP.format(points=30) + '[[baseline]]\nkind = "zbl"\nouter = 2.2\n',
}


def run(command, folder=WORK, **environment):
    return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=300,
                          env={**ENVIRONMENT, **environment}, stdin=subprocess.DEVNULL)


def checked(command, folder=WORK, **environment):
    done = run(command, folder, **environment)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done


def install(folder):
    return checked(["kim-api-collections-management", "install", "--force", "environment", folder])


def prepare():
    """The driver, and the portable models Silicon, Oxide (two elements, ZBL) and Carbide (of QUIP, without posterior)."""
    shutil.rmtree(WORK, ignore_errors=True)
    COLLECTION.mkdir(parents=True)
    install((BUILD / "share/gapkit/kim").resolve())
    for name, text in CONFIGURATIONS.items():
        (WORK / f"{name}.toml").write_text(text)
        checked([BINARIES / "gap-fit", f"{name}.toml", "-o", f"{name}.h5"])
    checked([BINARIES / "gap-convert", SOURCE / "tests/data/gap_models/D_sic_2bsoap.xml", "carbide.h5"])
    for name in ("silicon", "oxide", "carbide"):
        checked([BINARIES / "gap-convert", f"{name}.h5", "--kim", name.capitalize(), f"kim-{name}"])
        install(WORK / f"kim-{name}")


def predictions(model, frames, *options):
    """The frames as gap-predict writes them, with bare positions and cells."""
    def numbers(values):
        return " ".join(repr(float(x)) for x in np.ravel(values))

    with open(WORK / "in.xyz", "w") as file:
        for atoms in frames:
            lattice = f'Lattice="{numbers(atoms.cell.array)}" ' if atoms.cell.rank == 3 else ""
            pbc = " ".join("FT"[int(periodic)] for periodic in atoms.pbc)
            file.write(f'{len(atoms)}\n{lattice}pbc="{pbc}" Properties=species:S:1:pos:R:3\n')
            file.writelines(f"{symbol} {numbers(position)}\n" for symbol, position in zip(atoms.symbols, atoms.positions))
    checked([BINARIES / "gap-predict", f"{model}.h5", "in.xyz", "-o", "out.xyz", "--no-reference", *options])
    return ase.io.read(WORK / "out.xyz", ":")


def write_data(path, atoms, elements):
    """A data file of LAMMPS with all digits; the cell must be lower triangular."""
    cell, low = atoms.cell.array, np.zeros(3)
    with open(path, "w") as file:
        file.write(f"\n{len(atoms)} atoms\n{len(elements)} atom types\n")
        for d, name in enumerate("xyz"):
            file.write(f"{low[d]!r} {float(cell[d, d])!r} {name}lo {name}hi\n")
        file.write(f"{float(cell[1, 0])!r} {float(cell[2, 0])!r} {float(cell[2, 1])!r} xy xz yz\n")
        file.write("\nAtoms # atomic\n\n")
        for i, (symbol, position) in enumerate(zip(atoms.symbols, atoms.positions)):
            file.write(f"{i + 1} {elements.index(symbol) + 1} " + " ".join(repr(float(x)) for x in position) + "\n")


def lmp(script, ranks=1, folder=WORK, **environment):
    """Runs a script of LAMMPS; the result says how it ended."""
    (folder / "in.lmp").write_text(script)
    command = ["lmp", "-in", "in.lmp", "-log", "log.lammps", "-screen", "none"]
    return run(["mpirun", "-np", ranks, *command] if ranks > 1 else command, folder, **environment)


class KimTest(unittest.TestCase):
    def assert_close(self, found, expected, what, tolerance=1e-9):
        """Relative to the largest number; NaN fails."""
        found, expected = np.asarray(found, float), np.asarray(expected, float)
        self.assertEqual(found.shape, expected.shape, what)
        self.assertGreater(np.abs(expected).max(), 1e-6, what)
        error = np.abs(found - expected).max() / np.abs(expected).max()
        self.assertTrue(error <= tolerance, f"{what}: relative difference {error}")
