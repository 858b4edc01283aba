#!/usr/bin/python3
"""Labels one structure with a calculator of the Atomic Simulation Environment.

    gapkit_ase_label.py --calculator NAME [--arguments JSON] [--here FOLDER] INPUT.xyz OUTPUT.xyz

NAME is ASE's name of a calculator ("emt", "gpaw", "vasp"), "xtb" (a class below that runs the program xtb), or "module:Class" of any module that
can be imported, FOLDER included. JSON is an object of keyword arguments for its constructor.

Output: the structure with energy (eV; consistent with the forces if the calculator has several), forces (eV/Å) and, if the cell is periodic
in three directions and the calculator has the stress, virial (eV, −stress·volume). The last line on standard error is the error message.
"""

import argparse
import functools
import importlib
import json
import os
import subprocess
import sys

import numpy as np
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes, get_calculator_class
from ase.io import read

HARTREE = 27.211386245988  # eV, CODATA 2018
BOHR = 0.529177210903  # Å


class XTB(Calculator):
    """Energy and forces of a molecule with the program xtb, which runs in `directory` (made if it is missing).

    method: "GFN2-xTB", "GFN1-xTB", "GFN0-xTB"; charge; uhf (unpaired electrons); accuracy; electronic_temperature (K); solvent (ALPB).
    """

    implemented_properties = ["energy", "free_energy", "forces"]
    flags = {"charge": "--chrg", "uhf": "--uhf", "accuracy": "--acc", "electronic_temperature": "--etemp", "solvent": "--alpb"}
    methods = {"GFN2-xTB": "2", "GFN1-xTB": "1", "GFN0-xTB": "0"}

    def __init__(self, method="GFN2-xTB", program="xtb", directory=".", **options):
        super().__init__(directory=directory)
        if method not in self.methods:
            raise ValueError(f"xtb: unknown method {method!r}, expected one of {', '.join(self.methods)}")
        unknown = sorted(set(options) - set(self.flags))
        if unknown:
            raise ValueError(f"xtb: unknown argument {unknown[0]!r}, expected one of method, program, directory, {', '.join(self.flags)}")
        self.command = [program, "coord", "--grad", "--norestart", "--gfn", self.methods[method]]
        for name, value in options.items():
            self.command += [self.flags[name], str(value)]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if self.atoms.pbc.any():
            raise ValueError("xtb: the structure is periodic, expected a molecule")
        path = functools.partial(os.path.join, self.directory)
        os.makedirs(self.directory, exist_ok=True)
        with open(path("coord"), "w") as file:
            lines = ["%.15g %.15g %.15g %s\n" % (*(r / BOHR), s.lower()) for r, s in zip(self.atoms.positions, self.atoms.symbols)]
            file.write("$coord\n" + "".join(lines) + "$end\n")
        if os.path.exists(path("gradient")):
            os.remove(path("gradient"))
        environment = {"OMP_NUM_THREADS": "1", **os.environ}
        with open(path("xtb.out"), "w") as out:
            code = subprocess.run(self.command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment,
                                  cwd=self.directory).returncode
        if code != 0 or not os.path.exists(path("gradient")):
            raise RuntimeError(f"xtb: exit code {code}, see {path('xtb.out')}")
        energy, gradient = self.read_gradient(path("gradient"), len(self.atoms))
        self.results = {"energy": energy, "free_energy": energy, "forces": -gradient}

    @staticmethod
    def read_gradient(file, atoms):
        """Turbomole's file: cycle = … SCF energy = … |dE/dxyz| = …; a line of positions for each atom; one of the gradient. Hartree, Bohr."""
        lines = [line for line in open(file) if not line.startswith("$")]
        if len(lines) != 1 + 2 * atoms:
            raise RuntimeError(f"xtb: {file} has {len(lines)} lines, expected {1 + 2 * atoms}")
        energy = float(lines[0].split("=")[2].split()[0])
        gradient = np.array([[float(x.replace("D", "E")) for x in line.split()[:3]] for line in lines[1 + atoms:]])
        return energy * HARTREE, gradient * HARTREE / BOHR


def calculator_class(name):
    if ":" in name:
        module, _, attribute = name.partition(":")
        return getattr(importlib.import_module(module), attribute)
    if name.lower() == "xtb":
        return XTB
    if name.lower() == "gpaw":
        return importlib.import_module("gpaw").GPAW
    return get_calculator_class(name.lower())


def label(atoms):
    """Energy, forces, and virial or None."""
    try:
        energy = atoms.get_potential_energy(force_consistent=True)
    except PropertyNotImplementedError:
        energy = atoms.get_potential_energy()
    forces = atoms.get_forces(apply_constraint=False)
    virial = None
    if atoms.pbc.all() and atoms.cell.rank == 3:
        try:
            virial = -atoms.get_volume() * atoms.get_stress(voigt=False, apply_constraint=False)
        except NotImplementedError:
            pass  # PropertyNotImplementedError too
    return energy, forces, virial


def write(path, atoms, energy, forces, virial):
    def numbers(values):
        return " ".join(repr(float(x)) for x in np.ravel(values))

    comment = f'Properties=species:S:1:pos:R:3:forces:R:3 energy={numbers(energy)} pbc="{" ".join("FT"[int(p)] for p in atoms.pbc)}"'
    if atoms.cell.rank > 0:
        comment = f'Lattice="{numbers(atoms.cell.array)}" ' + comment
    if virial is not None:
        comment += f' virial="{numbers(virial)}"'
    with open(path + ".part", "w") as file:
        file.write(f"{len(atoms)}\n{comment}\n")
        for symbol, position, force in zip(atoms.symbols, atoms.positions, forces):
            file.write(f"{symbol} {numbers(position)} {numbers(force)}\n")
    os.replace(path + ".part", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calculator", required=True)
    parser.add_argument("--arguments", default="{}")
    parser.add_argument("--here", default="")
    parser.add_argument("input")
    parser.add_argument("output")
    options = parser.parse_args()
    if options.here:
        sys.path.insert(0, options.here)
    atoms = read(options.input, format="extxyz")
    atoms.calc = calculator_class(options.calculator)(**json.loads(options.arguments))
    write(options.output, atoms, *label(atoms))


if __name__ == "__main__":
    main()
