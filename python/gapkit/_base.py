"""Another model underneath: values of an ASE calculator as fields and columns of frames."""

from __future__ import annotations

import copy
import warnings
from types import SimpleNamespace
from typing import Any, Iterable, Sequence

import numpy as np

from . import _gapkit
from ._frames import bare_structure, is_list, listed
from ._gapkit import InputError
from ._progress import Reporter

_NAMES = {"energy": "base_energy", "forces": "base_forces", "stress": "base_stress"}  # that frames have by default


class BaseWarning(UserWarning):
    """The model underneath may not be the one that the fit was made on."""


def name_of(base: Any) -> str:
    """What model files call a calculator: its class."""
    return type(base).__name__


def keys_with_base(keys: _gapkit.TargetKeys, base: Any) -> _gapkit.TargetKeys:
    """Keys of a fit on a calculator. Columns of a configuration keep their names."""
    keys = copy.copy(keys)
    columns = dict(keys.base_columns)
    if not columns:
        columns = {source: name for source, name in _NAMES.items() if source in getattr(base, "implemented_properties", ())}
    if "energy" not in columns:
        raise InputError(f"base: {name_of(base)} gives no energy (implemented_properties), expected an ASE calculator that does")
    keys.set_base(name_of(base), columns)
    return keys


def check_base(keys: _gapkit.TargetKeys, base: Any, call: str) -> None:
    """Raises InputError if there is a base where none belongs; warns about one that the model may not have been fitted on."""
    if base is None:
        return
    if not keys.base_columns:
        raise InputError(f"{call}: the model sits on no other model, expected no base")
    if keys.base_name != name_of(base):
        known = f"'{keys.base_name}'" if keys.base_name else f"columns of frames ({keys.base_text})"
        warnings.warn(f"{call}: the model was fitted on {known}, the base is '{name_of(base)}': predictions are right only if both are the "
                      "same model", BaseWarning, stacklevel=3)


def require_base(keys: _gapkit.TargetKeys, frames: Iterable[Any], call: str) -> None:
    """Raises InputError if frames do not bring the values that the model needs."""
    if not keys.base_columns:
        return
    energy = keys.base_fields["energy"]
    for number, atoms in enumerate(frames):
        if energy not in (getattr(atoms, "info", None) or {}):
            raise InputError(f"{call}: the model gives the difference from {keys.base_text}: give base=calculator, or these values in info "
                             f"and arrays (structure {number}, from 0, has no info['{energy}'])")


def with_base(frames: Any, keys: _gapkit.TargetKeys, base: Any, report: Reporter | None = None) -> list[Any]:
    """The frames with the calculator's values in info and arrays, under the names of `keys`; nothing of the frames changes."""
    if base is None:
        return listed(frames)
    if isinstance(frames, str) or hasattr(frames, "__fspath__") or (
            isinstance(frames, Sequence) and is_list(frames) and any(isinstance(f, str) or hasattr(f, "__fspath__") for f in frames)):
        raise InputError("base: a calculator is evaluated on frames, found names of files; ase.io.read(name, ':') reads their frames")
    given = listed(frames)
    result = []
    for number, atoms in enumerate(given, start=1):
        result.append(_with_values(atoms, keys, base, f"frame {number}"))
        if report is not None:
            report("base", number, len(given), "frames", "", False)
    return result


def _with_values(atoms: Any, keys: _gapkit.TargetKeys, base: Any, source: str) -> Any:
    bare_structure(atoms, source)  # raises for what is no structure
    info, arrays = dict(getattr(atoms, "info", None) or {}), dict(getattr(atoms, "arrays", None) or {})
    for target, value in _values(atoms, keys, base, source).items():
        if target in keys.base_arrays:
            arrays[keys.base_arrays[target]] = value
        else:
            info[keys.base_fields[target]] = value
    return SimpleNamespace(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc, info=info, arrays=arrays,
                           calc=_same_results(atoms))


def _same_results(atoms: Any) -> Any:
    """The calculator with the labels; what it computed for is checked with the atoms that it belongs to."""
    calculator: Any = getattr(atoms, "calc", None)
    results = getattr(calculator, "results", None)
    if not results:
        return None
    return SimpleNamespace(results=results, check_state=lambda _: calculator.check_state(atoms))


def _values(atoms: Any, keys: _gapkit.TargetKeys, base: Any, source: str) -> dict[str, Any]:
    ase_atoms = _ase_atoms(atoms)
    volume = abs(np.linalg.det(ase_atoms.cell.array)) > 0
    values: dict[str, Any] = {}
    try:
        for target in keys.base_columns:
            if target == "energy":
                values[target] = float(base.get_potential_energy(ase_atoms))
            elif target == "forces":
                values[target] = np.array(base.get_forces(ase_atoms), dtype=float)
            elif volume:
                stress = np.array(base.get_stress(ase_atoms), dtype=float)
                values[target] = stress if target == "stress" else -ase_atoms.get_volume() * stress
    except Exception as error:
        raise InputError(f"{source}: the base {name_of(base)} gave no {target}: {type(error).__name__}: {error}") from error
    return values


def _ase_atoms(atoms: Any) -> Any:
    """A copy for the calculator, with charges and other arrays that it may read."""
    from ase import Atoms
    if isinstance(atoms, Atoms):
        return atoms.copy()
    return Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=bool(atoms.cell is not None) if atoms.pbc is None
                 else atoms.pbc)
