"""Fits, and errors against reference values."""

from __future__ import annotations

import copy
import os
from typing import Any, Iterable, Mapping, Sequence, Union

import numpy as np

from . import _gapkit
from ._base import keys_with_base, name_of, with_base
from ._frames import Atoms, file_names, labelled_structures
from ._gapkit import InputError
from ._progress import FitWarning, Progress, ProgressOption, Reporter
from ._toml import to_toml
from .model import Model

__all__ = ["FitWarning", "Progress", "fit"]

File = Union[str, "os.PathLike[str]"]
Data = Union[File, Sequence[File], Atoms, Iterable[Atoms]]
Config = Union[Mapping[str, Any], str, "os.PathLike[str]", None]


def fit(train: Data | None = None, config: Config = None, *, validation: Data | None = None, time: float | None = None,
        seed: int | None = None, memory: float | None = None, keep_statistics: bool = False, energy_key: str | None = None,
        forces_key: str | None = None, virial_key: str | None = None, stress_key: str | None = None,
        base: Any = None, progress: ProgressOption = None) -> Model:
    """Fits a potential, as gap-fit does; the same data, configuration and seed give the same model.

    train, validation: frames (ase.Atoms or gapkit.Frame, with their targets), or files: extended XYZ, or whatever ASE reads; they replace
    [data] train and validation of the configuration. Validation data are never fitted. ASE's calculators give `energy`, `forces` and
    `stress` of frames; other names in info and arrays are found as in files (docs/file-formats.md). Frames stay in memory.
    config: a dictionary with the keys of docs/configuration.md, a TOML file, TOML as a text of several lines, or None: chosen from the
    data, for about `time` seconds (default: 600). Paths in a dictionary or text are relative to the current folder.
    seed: of all random choices; memory: GB, a fit that needs more is refused; both replace what the configuration says.
    keep_statistics: the model keeps the sums over the data, which append(), refit() and merge() work on, and gap-fit's options of these
    names once it is saved.
    energy_key, …: names of the targets in the frames.
    base: an ASE calculator (eV, Å) that the model is to sit on, evaluated once for each frame: the fit learns the difference, and
    predictions need the calculator again. A calculator without forces or stress leaves these targets out.
    progress: a function that gets a gapkit.Progress for each step; None: a line on the terminal, if there is one; False: nothing.

    Warnings about data and configuration are Python warnings (FitWarning). Raises InputError with the sentence of gap-fit,
    NumericalError, and KeyboardInterrupt after Ctrl-C. Nothing is written.
    """
    with Reporter(progress) as report:
        files, validation_files = file_names(train), file_names(validation)
        request = _gapkit.FitRequest()
        request.train = files or []
        request.validation = validation_files or []
        request.train_in_memory = train is not None and files is None
        request.validation_in_memory = validation is not None and validation_files is None
        request.seed, request.memory, request.keep_statistics = _seed(seed), _positive("memory", memory), keep_statistics
        if config is None and train is None:
            raise InputError("fit: train is missing: frames or files, or a configuration that names files")
        if config is not None and time is not None:
            raise InputError("fit: time belongs to a fit without a configuration")
        request.seconds = _positive("time", time)
        if base is not None and not request.train_in_memory:
            raise InputError("fit: base is evaluated on frames, found files; ase.io.read(name, ':') reads their frames")
        job = _gapkit.FitJob(request, *_configuration(config))
        job.keys = named_keys(job.keys, energy_key, forces_key, virial_key, stress_key)
        if base is not None and job.keys.base_columns and job.keys.base_name != name_of(base):  # of a configuration of such a fit: the same
            raise InputError("fit: the configuration has a [[baseline]] of kind 'columns' and base is given, expected one of them")
        if base is not None:
            job.keys = keys_with_base(job.keys, base)
            train = with_base(train, job.keys, base, report)
            validation = None if validation is None else with_base(validation, job.keys, base, report)
        if request.train_in_memory:
            job.set_train(labelled_structures(train, job.used_keys))  # type: ignore[arg-type]
        if request.validation_in_memory:
            job.set_validation(labelled_structures(validation, job.used_keys))  # type: ignore[arg-type]
        return Model(job.run(report))


def named_keys(keys: _gapkit.TargetKeys, energy: str | None, forces: str | None, virial: str | None, stress: str | None) -> _gapkit.TargetKeys:
    """Keys with the names that were given."""
    keys = copy.copy(keys)
    if energy is not None:
        keys.energy = energy
    if forces is not None:
        keys.forces = forces
    if virial is not None or stress is not None:  # the other one is not looked at then
        keys.virial, keys.stress = virial or "", stress or ""
    return keys


def _configuration(config: Config) -> tuple[str, str]:
    """TOML, or the path of a file; both are empty for a choice from the data."""
    if config is None:
        return "", ""
    if isinstance(config, Mapping):
        return to_toml(config), ""
    if isinstance(config, str) and ("\n" in config or "=" in config and not os.path.exists(config)):
        return config, ""
    if not isinstance(config, (str, os.PathLike)):
        raise InputError(f"config: a dictionary, TOML or the name of a file is expected, found {type(config).__name__}")
    return "", os.fspath(config)


def _seed(seed: Any) -> int | None:
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed is {seed!r}, expected a whole number from 0")
    return int(seed)


def _positive(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not float(value) > 0:
        raise InputError(f"{name} is {value!r}, expected a number above 0")
    return float(value)
