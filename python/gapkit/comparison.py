"""Predictions beside reference values: errors, and what error bars are worth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _gapkit
from ._base import check_base, with_base
from ._frames import data_of
from ._progress import ProgressOption, Reporter
from .fitting import Data, named_keys
from .model import ModelOrFile, Std, make_request, model_of
from .prediction import Array

__all__ = ["Compared", "Comparison", "compare", "errors"]


@dataclass(frozen=True)
class Compared:
    """One target, an entry for each number that was compared: energies of frames, components of forces and stress."""

    name: str
    """"energy", "forces" or "stress" """
    unit: str
    """of reference, predicted and std: eV/atom (relative to isolated atoms), eV/Å, GPa"""
    error_unit: str
    """of bar_errors and bar_stds: meV/atom, eV/Å, GPa"""
    reference: Array
    """[entries]"""
    predicted: Array
    """[entries]"""
    std: Array | None
    """[entries] predicted error bars; None without them"""
    frame: NDArray[np.int32]
    """[entries] index of the frame, from 0"""
    bar_errors: Array
    """[k] predicted − reference where there is an error bar; without components that symmetry makes zero"""
    bar_stds: Array
    """[k] their error bars"""

    def __len__(self) -> int:
        return len(self.reference)


@dataclass(frozen=True)
class Comparison:
    """Predictions of a model beside the reference values of frames; what the plots take."""

    errors: dict[str, Any]
    """the dictionary of gapkit.errors()"""
    energy: Compared
    forces: Compared
    stress: Compared


def compare(model: ModelOrFile, frames: Data, std: Std = None, *, calibrated: bool = True, energy_key: str | None = None,
            forces_key: str | None = None, virial_key: str | None = None, stress_key: str | None = None, base: Any = None,
            progress: ProgressOption = False) -> Comparison:
    """Predicts frames or files with reference values, and sets both side by side.

    model: a Model, or the file of one. std, calibrated: error bars, as Model.predict(). Reference values have the names that the model was
    fitted with, unless they are given here. base: as Model.predict(); the table then has "base_alone", the errors of that model with the
    reference energies of the fit. Raises InputError for frames that cannot be read or predicted, and for error bars of a model that has none.
    """
    model = model_of(model)
    keys = named_keys(model._keys, energy_key, forces_key, virial_key, stress_key)
    request = make_request(std, calibrated=calibrated)
    check_base(keys, base, "compare")
    with Reporter(progress) as report:
        if base is not None:
            frames = with_base(frames, keys, base, report)
        found = _gapkit.compare(model._handle, data_of(frames, keys, "frames"), request, report)
    table: dict[str, Any] = json.loads(found["errors"])
    if std is not None:
        table["error_bars"] = None if found["error_bars"] is None else json.loads(found["error_bars"])
    return Comparison(table, *(Compared(**target) for target in found["targets"]))


def errors(model: ModelOrFile, frames: Data, std: Std = None, *, calibrated: bool = True, energy_key: str | None = None,
           forces_key: str | None = None, virial_key: str | None = None, stress_key: str | None = None, base: Any = None,
           progress: ProgressOption = False) -> dict[str, Any]:
    """Errors of a model on frames or files with reference values: the tables of gap-predict.

    Returns {"all": row, "config_types": {name: row}, "units": …}; a row has "frames", and "energy" (meV/atom), "forces" (eV/Å, of
    components) and "stress" (GPa) with "count", "rmse" and "mae" (None if the count is 0).
    With `std` (as Model.predict()) also "error_bars": {"all": {"energy": metrics, "forces": …, "atoms": …, "stress": …}, "config_types": …,
    "units": …}; metrics are "zms" (⟨(error/std)²⟩; 1 is right, above 1 too confident), "coverage68" and "coverage95" (share of the errors
    within 1 and 1.96 std), "nll", "miscalibration_area", "sharpness", "spearman" and more, each with its 95 % interval ("value", "low",
    "high"; docs/methods.md, section 5). None if no frame has a reference value to compare with.
    The other arguments, and exceptions, are those of compare().
    """
    return compare(model, frames, std, calibrated=calibrated, energy_key=energy_key, forces_key=forces_key, virial_key=virial_key,
                   stress_key=stress_key, base=base, progress=progress).errors
