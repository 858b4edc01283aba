"""Models that change without their training data: from the sums over the data that they keep."""

from __future__ import annotations

import math
import os
from typing import Any, Iterable, Mapping, Union

from . import _gapkit
from ._base import check_base, with_base
from ._frames import data_of
from ._gapkit import InputError
from ._progress import ProgressOption, Reporter
from .fitting import Data, named_keys
from .model import Model, ModelOrFile, model_of

__all__ = ["append", "merge", "recalibrate", "refit"]

Sigma = Union[float, Mapping[str, float], None]
Names = tuple[Union[str, None], Union[str, None], Union[str, None], Union[str, None]]  # of energy, forces, virial, stress


def append(model: ModelOrFile, data: Data, *, validation: Data | None = None, sigma_energy: Sigma = None, sigma_force: Sigma = None,
           sigma_virial: Sigma = None, delta: Mapping[str, float] | None = None, optimize: str | None = None,
           energy_key: str | None = None, forces_key: str | None = None, virial_key: str | None = None, stress_key: str | None = None,
           base: Any = None, progress: ProgressOption = None) -> Model:
    """Adds more training data, as gap-fit --append does: equal to a fit to all data with the model's sparse points, reference energies and σ.

    model: with statistics (Model.has_statistics), or the file of one; it does not change. data: frames with their targets, or files.
    validation: frames or files for a new calibration of the error bars and notes["validation_errors"]; without them the calibration stays.
    sigma_energy (eV), sigma_force (eV/Å), sigma_virial (eV), delta, optimize: as refit(), once the data are added.
    energy_key, …: names of the targets in these frames (default: as in the fit). progress: as fit().
    base: of a model on top of another one, the ASE calculator of that one; else the frames hold its values.

    Cost: kernel rows of the new frames, and the solution for all sparse points. Raises InputError for a model without statistics, frames
    without a target that is used, and elements that the model does not know.
    """
    update = _update(sigma_energy, sigma_force, sigma_virial, delta, optimize)
    return _updated("append", model, update, (energy_key, forces_key, virial_key, stress_key), progress, data=data,
                    validation=validation, base=base)


def refit(model: ModelOrFile, *, sigma_energy: Sigma = None, sigma_force: Sigma = None, sigma_virial: Sigma = None,
          delta: Mapping[str, float] | None = None, optimize: str | None = None, validation: Data | None = None,
          energy_key: str | None = None, forces_key: str | None = None, virial_key: str | None = None, stress_key: str | None = None,
          progress: ProgressOption = None) -> Model:
    """Solves again for other noise levels σ and amplitudes δ, as gap-fit --refit does. No data are needed.

    sigma_energy (eV), sigma_force (eV/Å), sigma_virial (eV): of the default class, or a dictionary with the σ of classes ("default", or a
    config type that has a class of its own); what is not named stays. delta: eV, by the name of a [[term]]. optimize: "evidence", "vfe" or
    "cross_validation": σ and δ that are best by it, starting at these.
    A calibration of the error bars is dropped if σ or δ change (FitWarning), unless `validation` brings data for a new one.
    Raises InputError for a class or term that the model does not have, and if nothing is to change.
    """
    update = _update(sigma_energy, sigma_force, sigma_virial, delta, optimize)
    if delta is None and optimize in (None, "none") and sigma_energy is None and sigma_force is None and sigma_virial is None:
        raise InputError("refit: nothing is to change, expected sigma_energy, sigma_force, sigma_virial, delta or optimize")
    return _updated("refit", model, update, (energy_key, forces_key, virial_key, stress_key), progress, validation=validation)


def merge(model: ModelOrFile, others: ModelOrFile | Iterable[ModelOrFile], *, validation: Data | None = None, sigma_energy: Sigma = None,
          sigma_force: Sigma = None, sigma_virial: Sigma = None, delta: Mapping[str, float] | None = None, optimize: str | None = None,
          energy_key: str | None = None, forces_key: str | None = None, virial_key: str | None = None, stress_key: str | None = None,
          progress: ProgressOption = None) -> Model:
    """Adds the data of other models with the same sparse points and reference energies, as gap-fit --merge does.

    Such models come from fits to parts of the data whose terms read their sparse points from the same file. σ and δ stay those of `model`;
    the other arguments are those of append(). A calibration of the error bars is dropped (FitWarning), unless `validation` brings data.
    Raises InputError for models that differ in these, and for models that were fitted to the same data.
    """
    update = _update(sigma_energy, sigma_force, sigma_virial, delta, optimize)
    listed: list[ModelOrFile] = list(others) if isinstance(others, Iterable) and not isinstance(others, (str, os.PathLike)) else [others]
    if not listed:
        raise InputError("merge: there is no other model, expected at least one")
    update.merged = [_with_statistics("merge", other) for other in listed]
    return _updated("merge", model, update, (energy_key, forces_key, virial_key, stress_key), progress, validation=validation)


def recalibrate(model: ModelOrFile, data: Data, *, cautious: bool | None = None, memory: float = 4, energy_key: str | None = None,
                forces_key: str | None = None, virial_key: str | None = None, stress_key: str | None = None, base: Any = None,
                progress: ProgressOption = None) -> Model:
    """Calibrates the error bars anew by leaving structures out, as gap-fit --refit MODEL --train does: after append(), refit() or merge().

    model: with statistics (Model.has_statistics), or the file of one; it does not change. data: all frames that it was fitted to, in their
    order, or files; other data are refused (InputError). cautious: a calibration for structures of unknown kinds ([calibration] cautious);
    default: as it was. memory: GB, for kernel rows that are kept; fewer are computed twice. Other arguments: as append().
    """
    update = _gapkit.Update()
    update.cautious = cautious
    if not (isinstance(memory, (int, float)) and math.isfinite(memory) and memory > 0):
        raise InputError(f"recalibrate: memory is {memory!r}, expected a number of GB above 0")
    update.memory = memory
    return _updated("recalibrate", model, update, (energy_key, forces_key, virial_key, stress_key), progress, data=data, base=base)


def _updated(task: str, model: ModelOrFile, update: _gapkit.Update, names: Names, progress: ProgressOption, *, data: Data | None = None,
             validation: Data | None = None, base: Any = None) -> Model:
    handle = _with_statistics(task, model)
    update.keys = named_keys(handle.target_keys, *names)
    check_base(update.keys, base, task)
    with Reporter(progress) as report:
        if task in ("append", "recalibrate"):
            named = data_of(data if base is None else with_base(data, update.keys, base, report), update.keys,
                            "new data" if task == "append" else "training data")
            if task == "append":
                update.appended = named
            else:
                update.training = named
        if validation is not None:
            validation = validation if base is None else with_base(validation, update.keys, base, report)
            update.validation = data_of(validation, update.keys, "validation")
        return Model(_gapkit.update(handle, update, report))


def _with_statistics(task: str, model: ModelOrFile) -> _gapkit.Model:
    loaded = model_of(model, statistics=True)
    if not loaded.has_statistics:
        name = "the model" if isinstance(model, Model) else os.fspath(model)
        raise InputError(f"{task}: {name} has no statistics of its data; fit it with keep_statistics=True ([output] statistics = true, gap-fit "
                         "--statistics), and load it with them")
    return loaded._handle


def _update(energy: Sigma, force: Sigma, virial: Sigma, delta: Mapping[str, float] | None, optimize: str | None) -> _gapkit.Update:
    update = _gapkit.Update()
    for name, given in (("energy", energy), ("force", force), ("virial", virial)):
        if given is None:
            continue
        for config_class, sigma in (given if isinstance(given, Mapping) else {"default": given}).items():
            update.add_sigma(name, str(config_class), _positive(f"sigma_{name}", config_class, sigma))
    if delta is not None and not isinstance(delta, Mapping):
        raise InputError(f"delta: a dictionary of numbers by the names of terms is expected, found {delta!r}")
    for term, value in (delta or {}).items():
        update.set_delta(str(term), _positive("delta", term, value))
    if optimize is not None:
        update.set_objective(str(optimize))
    return update


def _positive(name: str, key: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (number > 0 and math.isfinite(number)):
        raise InputError(f"{name}: '{key}' is {value!r}, expected a number above 0")
    return number
