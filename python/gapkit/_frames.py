"""Atoms of ASE, or anything with the same attributes, as structures of the C++ library."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Protocol, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _gapkit
from ._ase_read import agree
from ._gapkit import InputError

# What changes the error bars of a structure (docs/file-formats.md).
SIGMA_FIELDS = ("energy_sigma", "force_sigma", "virial_sigma", "virial_component_sigma")
SIGMA_COLUMNS = ("force_atom_sigma", "force_component_sigma")


class AtomsLike(Protocol):
    """What gapkit reads of a structure; ase.Atoms has it. `info`, `arrays` and `calc` may be missing."""

    @property
    def numbers(self) -> Any: ...
    @property
    def positions(self) -> Any: ...
    @property
    def cell(self) -> Any: ...
    @property
    def pbc(self) -> Any: ...


@dataclass
class Frame:
    """A structure without ASE.

    numbers: [atoms] atomic numbers; positions: [atoms, 3] Å; cell: [3, 3] Å, rows are the vectors, or None; pbc: three truths or one
    (default: periodic if there is a cell). info: values of the whole structure, such as energy (eV), virial ([3, 3] eV), stress ([6]
    eV/Å³), config_type; arrays: values of atoms, such as forces ([atoms, 3] eV/Å).
    """

    numbers: ArrayLike
    positions: ArrayLike
    cell: ArrayLike | None = None
    pbc: Any = None
    info: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Any] = field(default_factory=dict)


Atoms = Union[AtomsLike, Frame]


def bare_structure(atoms: Atoms, source: str) -> _gapkit.Structure:
    """Elements, positions, cell and periodicity."""
    try:
        numbers, positions, given_cell, given_pbc = atoms.numbers, atoms.positions, atoms.cell, atoms.pbc
    except AttributeError as error:
        raise InputError(f"{source or 'structure'}: ase.Atoms or gapkit.Frame is expected, found {type(atoms).__name__}") from error
    cell = None
    if given_cell is not None:
        cell = np.asarray(getattr(given_cell, "array", given_cell), dtype=float)
        if cell.ndim == 1 and cell.size == 3:
            cell = np.diag(cell)
        if not cell.any():
            cell = None
    if given_pbc is None:
        pbc = [cell is not None] * 3
    else:
        flags = np.asarray(given_pbc, dtype=bool).ravel().tolist()
        pbc = flags * 3 if len(flags) == 1 else flags
        if len(pbc) != 3:
            raise InputError(f"{source or 'structure'}: pbc has {len(pbc)} values, expected 3 or 1")
    return _gapkit.Structure(numbers, positions, cell, pbc, source)


def predictable_structure(atoms: Atoms, keys: _gapkit.TargetKeys, source: str = "", others: Sequence[str] = ()) -> _gapkit.Structure:
    """With the config type, the σ of the structure's own that error bars depend on, and the columns and keys `others`; without targets."""
    structure = bare_structure(atoms, source)
    info: Mapping[str, Any] = getattr(atoms, "info", None) or {}
    arrays: Mapping[str, Any] = getattr(atoms, "arrays", None) or {}
    fields = [key for key in (keys.config_type, *SIGMA_FIELDS, *keys.base_fields.values(), *others) if key in info] if info else []
    columns = [name for name in (*SIGMA_COLUMNS, *keys.base_arrays.values(), *others) if name in arrays]
    if fields or columns:
        for key in fields:
            structure.set_field(key, info[key])
        for name in columns:
            structure.set_column(name, np.asarray(arrays[name]))
        structure.assign_targets(keys)
    return structure


def labelled_structure(atoms: Atoms, keys: _gapkit.TargetKeys, source: str) -> _gapkit.Structure:
    """With everything that the frame holds, and its targets.

    Energy, forces, stress and dipole of the frame's calculator count as `energy`, `forces`, `stress` and `dipole`. What ASE reads from files may be in both
    places.
    """
    structure = bare_structure(atoms, source)
    for key, value in (getattr(atoms, "info", None) or {}).items():
        if value is not None:
            structure.set_field(str(key), value)
    for name, values in (getattr(atoms, "arrays", None) or {}).items():
        if name not in ("numbers", "positions"):
            structure.set_column(str(name), np.asarray(values))
    for name, value in _results_of(atoms, source).items():
        place = "arrays" if name == "forces" else "info"
        given = (getattr(atoms, place, None) or {}).get(name)
        value = np.asarray(value, dtype=float)
        if given is not None:
            if not agree(given, value):
                raise InputError(f"{source}: '{name}' in {place} and the {name} of the calculator differ: keep one of them")
        elif name == "forces":
            structure.set_column(name, value)
        else:
            structure.set_field(name, value)
    structure.assign_targets(keys)
    return structure


def _results_of(atoms: Atoms, source: str) -> dict[str, Any]:
    calculator = getattr(atoms, "calc", None)
    results = getattr(calculator, "results", None) or {}
    found = {name: results[name] for name in ("energy", "forces", "stress", "dipole") if results.get(name) is not None}
    if found and calculator.check_state(atoms):  # type: ignore[union-attr]
        raise InputError(f"{source}: the atoms have changed since their calculator computed its results: compute them again, or remove the "
                         "calculator")
    return found


def is_list(given: Any) -> bool:
    """Whether it is a list of structures rather than one. An ase.Atoms is a sequence too (of its atoms)."""
    return not hasattr(given, "positions")


def listed(frames: Any) -> list[Any]:
    """One structure, or several, as a list. Raises InputError for anything else."""
    if not is_list(frames):
        return [frames]
    if isinstance(frames, (str, bytes, os.PathLike)):
        raise InputError(f"ase.Atoms, gapkit.Frame, or a list of them is expected, found {frames!r}; ase.io.read(name, ':') reads the frames of a "
                         "file")
    try:
        return list(frames)
    except TypeError as error:
        raise InputError(f"ase.Atoms, gapkit.Frame, or a list of them is expected, found {type(frames).__name__}") from error


def labelled_structures(frames: Atoms | Iterable[Atoms], keys: _gapkit.TargetKeys) -> list[_gapkit.Structure]:
    return [labelled_structure(atoms, keys, f"frame {number}") for number, atoms in enumerate(listed(frames), start=1)]


def file_names(given: Any) -> list[str] | None:
    """The files that are named; None if these are frames. Raises InputError for a list of both."""
    if isinstance(given, (str, os.PathLike)):
        return [os.fspath(given)]
    if not isinstance(given, Sequence) or len(given) == 0:
        return None
    names = [os.fspath(item) for item in given if isinstance(item, (str, os.PathLike))]
    if names and len(names) < len(given):
        raise InputError("data: files and frames are in one list; expected either of them (ase.io.read() reads the frames of a file)")
    return names or None


def data_of(given: Any, keys: _gapkit.TargetKeys, name: str) -> _gapkit.Data:
    """Frames or files with their targets. `name`: of frames, in messages."""
    files = file_names(given)
    return _gapkit.Data.of_frames(labelled_structures(given, keys), name) if files is None else _gapkit.Data.of_files(files, keys)
