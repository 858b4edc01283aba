"""Which structures are worth a label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Iterable, Sequence

import numpy as np

from . import _gapkit
from ._frames import Atoms, listed, predictable_structure
from ._gapkit import InputError
from ._progress import ProgressOption, Reporter
from .model import ModelOrFile, model_of

__all__ = ["Choice", "choose_batch"]


@dataclass(frozen=True)
class Choice:
    """One structure of a batch."""

    index: int
    """in the frames that were given, from 0"""
    std: float
    """its own error bar: of `quantity`, or as given"""
    score: float
    """what it was chosen for, given those chosen before; 0 for "random" """


def choose_batch(model: ModelOrFile, frames: Iterable[Atoms], count: int = 10, *, method: str = "variance", covariance: str = "energy",
                 criterion: str = "largest", quantity: str = "force", stds: Sequence[float] | None = None, candidates: int = 200,
                 seed: int = 0, progress: ProgressOption = False) -> list[Choice]:
    """Chooses up to `count` structures to be labelled, in the order of their choice, as gap-active does. Labels are not looked at.

    model: a Model with error bars, or the file of one. frames: structures; labels may be missing.
    method: "variance": of the `candidates` structures with the largest error bars, one after the other the one whose label tells most,
    given the data and those chosen before, so that the batch does not repeat itself (docs/active-learning.md); "top": the largest error
    bars; "random". covariance: what a label tells about, "energy", "local_energy" or "forces"; criterion: "largest" (its own information)
    or "total" (how far the variances of all candidates shrink).
    quantity: which error bar counts, epistemic part: "force" (the largest component, eV/Å), "local_energy" (the largest of an atom, eV) or
    "energy" (per atom, eV); stds: the error bars themselves, [frames], then none are computed.
    Raises InputError for a model without error bars, unknown names, and stds that are not finite numbers from 0, one for each frame.
    """
    model = model_of(model)
    request = _gapkit.BatchRequest()
    request.set_method(str(method))
    request.set_covariance(str(covariance))
    request.set_criterion(str(criterion))
    request.set_quantity(str(quantity))
    request.candidates = _whole("candidates", candidates, 1)
    request.seed = _whole("seed", seed, 0)
    structures = [predictable_structure(atoms, model._keys, f"structure {k}", model._inputs) for k, atoms in enumerate(listed(frames))]
    if stds is not None:
        request.stds = _error_bars(stds, len(structures))
    if method == "variance" and not model.has_error_bars:
        raise InputError("choose_batch: the model has no posterior, so it has no error bars, which the method 'variance' needs")
    with Reporter(progress) as report:
        found = _gapkit.choose_batch(model._handle, structures, _whole("count", count, 1), request, report)
    return [Choice(*choice) for choice in found]


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"choose_batch: {name} is {value!r}, expected a whole number from {least}")
    return int(value)


def _error_bars(stds: Sequence[float], frames: int) -> list[float]:
    try:
        values = [float(value) for value in stds]
    except (TypeError, ValueError) as error:
        raise InputError(f"choose_batch: stds: {error}") from error
    if len(values) != frames:
        raise InputError(f"choose_batch: there are {len(values)} stds for {frames} frames, expected one for each")
    for k, value in enumerate(values):
        if not (value >= 0 and math.isfinite(value)):
            raise InputError(f"choose_batch: stds[{k}] is {value}, expected a number from 0")
    return values
