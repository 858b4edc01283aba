"""Built-in potentials, without a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

import numpy as np
from numpy.typing import NDArray

from . import _gapkit
from ._frames import Atoms, bare_structure


@dataclass
class Evaluation:
    """energy in eV, forces [atoms, 3] in eV/Å, virial [3, 3] = −dE/dstrain in eV."""

    energy: float
    forces: NDArray[np.float64]
    virial: NDArray[np.float64]


def evaluate_potential(atoms: Atoms, kind: str, **parameters: bool | int | float | str | Mapping[str, float]) -> Evaluation:
    """Energy, forces and virial of a potential of [[baseline]] or [[long_range]], with the parameters of docs/configuration.md.

    evaluate_potential(atoms, "coulomb", charges={"Na": 1.0, "Cl": -1.0}). Columns of the atoms (`arrays`) are passed on.
    """
    structure = bare_structure(atoms, "")
    for name, values in (getattr(atoms, "arrays", None) or {}).items():
        if name not in ("numbers", "positions"):
            structure.set_column(str(name), np.asarray(values))
    texts = {name: ", ".join(f"{element} = {number!r}" for element, number in value.items()) if isinstance(value, Mapping) else value
             for name, value in parameters.items()}
    return Evaluation(**_gapkit.evaluate_potential(structure, kind, texts))
