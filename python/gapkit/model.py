"""Models and their predictions."""

from __future__ import annotations

import os
import tempfile
from typing import Any, Iterable, Sequence, overload

from . import _gapkit
from ._base import check_base, require_base, with_base
from ._frames import Atoms, is_list, predictable_structure
from ._gapkit import InputError
from .prediction import Array, Prediction, Predictions, prediction_from, warn_about

Std = str | Sequence[str] | None

# Names of error bars, as gap-predict has them too → attribute of a request
_STD_NAMES = {"energy": "energy_std", "forces": "forces_std", "force": "forces_std", "stress": "stress_std", "virial": "stress_std",
              "energies": "energies_std", "local": "energies_std", "force_covariance": "forces_covariance", "extrapolation": "extrapolation",
              "properties": "properties_std", "property": "properties_std", "tensors": "tensors_covariance", "tensor": "tensors_covariance"}


class Model:
    """A fitted potential. Never changes; copies share it, and it can be pickled."""

    def __init__(self, handle: _gapkit.Model):
        """Made by Model.load() and gapkit.fit()."""
        self._handle = handle
        self._keys = handle.target_keys
        self._inputs = handle.inputs
        self._evaluators: dict[int, _gapkit.Evaluator] = {}  # the last one, by std_points: error bars take a while to prepare

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, statistics: bool = True) -> Model:
        """Loads a model of gap-fit (HDF5) or a potential of QUIP (GAP XML; without error bars).

        statistics: with the sums over the training data that append(), refit() and merge() work on, if the file holds them. They take as
        much memory as they take in the file; False leaves them there, which is enough for predictions. Raises InputError.
        """
        return cls(_gapkit.Model.load(os.fspath(path), statistics))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model as HDF5 (docs/file-formats.md), to a temporary file that is then renamed.

        All of it: what load() gives back predicts the same to the last digit, and has the statistics if this one has them
        (has_statistics). A model that was loaded with statistics=False is saved without them, also over the file that it came from.
        Raises InputError.
        """
        self._handle.save(os.fspath(path))

    @property
    def has_statistics(self) -> bool:
        """Whether it holds the sums over its training data, which append(), refit() and merge() work on (fit(…, keep_statistics=True))."""
        return self._handle.has_statistics

    @property
    def elements(self) -> list[str]:
        """Symbols of the elements that the model knows."""
        return self._handle.elements

    @property
    def reference_energies(self) -> dict[str, float]:
        """eV per atom, by element."""
        return self._handle.reference_energies

    @property
    def cutoff(self) -> float:
        """Å."""
        return self._handle.cutoff

    @property
    def has_error_bars(self) -> bool:
        """False for potentials of QUIP and members of an ensemble."""
        return self._handle.has_error_bars

    @property
    def calibration(self) -> dict[str, dict[str, dict[str, float]]] | None:
        """Factors of the error bars by property (energy, force, virial) and config type: std² = a² v + b² noise² with a part v of the
        posterior variance (methods.md, section 5), and the rows and structures that they were found from. None: not calibrated; so are properties that are missing."""
        return self._handle.calibration

    @property
    def properties(self) -> dict[str, str]:
        """Units of the local properties that the model has beside the energies, by name; "" if the fit named none."""
        return {name: keys[0] for name, keys in self._handle.properties.items()}

    @property
    def tensors(self) -> dict[str, str]:
        """Units of the tensors (dipole, polarisability, …) that the model has beside the energies, by name; "" if the fit named none."""
        return {name: keys[0] for name, keys in self._handle.tensors.items()}

    @property
    def extrapolation_thresholds(self) -> dict[str, dict[str, float | None]] | None:
        """Borders of the familiar by element, "novelty", "std" (eV) and "full_novelty" (None: this part does not count), and the left-out
        "atoms" behind them. None: the model gives no extrapolation grades, because it was not calibrated by leaving structures out."""
        return self._handle.extrapolation_thresholds

    @property
    def sparse_points(self) -> int:
        """Number of representative environments of all terms."""
        return self._handle.sparse_points

    @property
    def quick_points(self) -> int:
        """The std_points below all for which error bars of forces are calibrated (a quarter), for molecular dynamics; 0: there are none."""
        return self._handle.quick_points

    @property
    def terms(self) -> list[str]:
        """Descriptor and elements of each term."""
        return self._handle.term_names

    @property
    def weights(self) -> Array:
        """[sparse_points], terms one after the other."""
        return self._handle.weights

    @property
    def configuration(self) -> str:
        """The configuration of the fit with every default, as TOML; empty for imported potentials."""
        return self._handle.configuration

    @property
    def seed(self) -> int:
        """Of every random choice of the fit."""
        return self._handle.seed

    @property
    def notes(self) -> dict[str, str]:
        """What the fit has noted: "training_errors" and "validation_errors" (JSON), "origin" of an imported potential, …"""
        return self._handle.notes

    @property
    def base(self) -> dict[str, Any] | None:
        """The model that this one sits on: {"name": …, "columns": {"energy": …, "forces": …}}; None if there is none. Predictions need it."""
        return {"name": self._keys.base_name, "columns": self._keys.base_columns} if self._keys.base_columns else None

    @property
    def messages(self) -> list[str]:
        """What was noted when a potential of QUIP was converted."""
        return self._handle.messages

    @overload
    def predict(self, atoms: Atoms, std: Std = ..., *, forces: bool = ..., calibrated: bool = ..., std_points: int = ...,
                base: Any = ..., precision: str = ..., derivatives: bool = ...) -> Prediction: ...
    @overload
    def predict(self, atoms: Iterable[Atoms], std: Std = ..., *, forces: bool = ..., calibrated: bool = ...,
                std_points: int = ..., base: Any = ..., precision: str = ..., derivatives: bool = ...) -> Predictions: ...

    def predict(self, atoms: Any, std: Std = None, *, forces: bool = True, calibrated: bool = True,
                std_points: int = 0, base: Any = None, precision: str = "double", derivatives: bool = False) -> Prediction | Predictions:
        """Predicts one structure (→ Prediction) or a list of them (→ Predictions), as gap-predict does.

        atoms: ase.Atoms, gapkit.Frame, or anything with numbers, positions, cell and pbc; the config type and σ in info and arrays count
        for error bars. std: names of error bars, "energy,forces,stress,energies" or a list; None: none; they cost more than the prediction
        itself; "extrapolation" adds the extrapolation grade of each atom. forces: also forces, virial and stress. calibrated: error bars with the model's calibration, if it has one. std_points:
        error bars from so many sparse points, faster and wider; 0: all. base: of a model that sits on another one (fit(…, base=…)), the ASE
        calculator of that one; without it the structures bring its values in info and arrays. precision: "double", or "single": descriptors
        in single precision, faster, with errors of forces below 1e-4 eV/Å; no effect with error bars. derivatives: of tensors (dipoles, …)
        by the positions.
        Raises InputError for an element that the model does not know, and for error bars of a model that has none. Warns
        (PredictionWarning) about structures for which the prediction means little.
        """
        request = make_request(std, forces=forces, calibrated=calibrated, precision=precision)
        request.tensors_derivatives = derivatives
        evaluator = self._evaluator(std_points)
        check_base(self._keys, base, "predict")
        given = with_base(atoms, self._keys, base)
        require_base(self._keys, given, "predict")
        if not is_list(atoms):
            result = prediction_from(evaluator.evaluate(predictable_structure(given[0], self._keys, "", self._inputs), request))
            warn_about([result], stacklevel=3)
            return result
        structures = [predictable_structure(a, self._keys, f"structure {k}", self._inputs) for k, a in enumerate(given)]
        results = [prediction_from(d) for d in evaluator.evaluate_many(structures, request)]
        warn_about(results, stacklevel=3)
        return Predictions(results)

    def _evaluator(self, std_points: int) -> _gapkit.Evaluator:
        evaluator = self._evaluators.get(std_points)
        if evaluator is None:
            evaluator = _gapkit.Evaluator(self._handle, 0.0, std_points)
            self._evaluators = {std_points: evaluator}
        return evaluator

    def __repr__(self) -> str:
        bars = "no error bars" if not self.has_error_bars else "error bars" if self.calibration is None else "calibrated error bars"
        return (f"<gapkit.Model of {', '.join(self.elements)}: {', '.join(self.terms)}; {self.sparse_points} sparse points, "
                f"cutoff {self.cutoff:g} Å, {bars}>")

    def __copy__(self) -> Model:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # The whole model, so that the file it came from may change or be on another machine.
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.h5")
            self.save(path)
            with open(path, "rb") as file:
                return _model_from_bytes, (file.read(),)


ModelOrFile = Model | str | os.PathLike[str]


def model_of(model: ModelOrFile, *, statistics: bool = False) -> Model:
    """The model itself, or that of a file. Raises InputError for anything else."""
    if isinstance(model, Model):
        return model
    if isinstance(model, (str, os.PathLike)):
        return Model.load(model, statistics=statistics)
    raise InputError(f"model: gapkit.Model or the name of a file is expected, found {type(model).__name__}")


def _model_from_bytes(content: bytes) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.h5")
        with open(path, "wb") as file:
            file.write(content)
        return Model.load(path)


def make_request(std: Std, *, forces: bool = True, calibrated: bool = True, precision: str = "double") -> _gapkit.Request:
    if precision not in ("double", "single"):
        raise InputError(f"precision: unknown name '{precision}'; valid: double, single")
    request = _gapkit.Request()
    request.single_precision = precision == "single"
    request.forces = forces
    request.properties = request.tensors = True
    request.calibrated = calibrated
    if std is not None and not isinstance(std, (str, Sequence)):
        raise InputError(f"std: a text or a list of names is expected, found {type(std).__name__}")
    names = [] if std is None else std.split(",") if isinstance(std, str) else [str(name) for name in std]
    for name in names:
        attribute = _STD_NAMES.get(name.strip())
        if attribute is None:
            raise InputError(f"std: unknown name '{name.strip()}'; valid: energy, forces, force_covariance, stress, energies, properties, "
                             "tensors, extrapolation")
        setattr(request, attribute, True)
    request.forces_std = request.forces_std or request.forces_covariance
    return request


def has_error_bars(request: _gapkit.Request) -> bool:
    return request.energy_std or request.forces_std or request.stress_std or request.energies_std or request.extrapolation
