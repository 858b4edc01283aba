"""Models and their predictions."""

from __future__ import annotations

import os
import tempfile
import warnings
from dataclasses import dataclass, field
from typing import Any, Iterable, Iterator, Mapping, Sequence, overload

import numpy as np
from numpy.typing import NDArray

from . import _gapkit
from ._base import check_base, require_base, with_base
from ._frames import Atoms, is_list, listed, predictable_structure
from ._gapkit import InputError

Array = NDArray[np.float64]
Std = str | Sequence[str] | None

# Names of error bars, as gap-predict has them too → attribute of a request
_STD_NAMES = {"energy": "energy_std", "forces": "forces_std", "force": "forces_std", "stress": "stress_std", "virial": "stress_std",
              "energies": "energies_std", "local": "energies_std", "force_covariance": "forces_covariance", "extrapolation": "extrapolation",
              "properties": "properties_std", "property": "properties_std"}
_TENSOR_OF_SIX = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
NOVELTY_LIMIT = 0.5  # as in gap-predict


class PredictionWarning(UserWarning):
    """A prediction that means little: atoms far too close to each other, or nothing like them in the training data."""


@dataclass(frozen=True)
class Prediction:
    """Prediction for one structure. What was not asked for, or does not exist (stress without a volume), is None.

    Error bars `…_std` are the error to expect against a new reference value (posterior, noise of the data, calibration);
    `…_std_epistemic` is the part that more data would remove.
    """

    energy: float
    """eV"""
    energies: Array
    """[atoms] eV; they sum to the energy"""
    forces: Array | None = None
    """[atoms, 3] eV/Å"""
    stress: Array | None = None
    """[6] eV/Å³; xx yy zz yz xz xy, positive under tension"""
    virial: Array | None = None
    """[3, 3] eV; −dE/dstrain = −stress · volume"""
    energy_std: float | None = None
    """eV"""
    energy_std_epistemic: float | None = None
    """eV"""
    forces_std: Array | None = None
    """[atoms, 3] eV/Å, of each component"""
    forces_std_epistemic: Array | None = None
    """[atoms, 3] eV/Å"""
    forces_covariance: Array | None = None
    """[atoms, 3, 3] (eV/Å)², of the error of an atom's force; its diagonal is forces_std²"""
    stress_std: Array | None = None
    """[6] eV/Å³"""
    stress_std_epistemic: Array | None = None
    """[6] eV/Å³"""
    energies_std: Array | None = None
    """[atoms] eV; epistemic only and not calibrated: energies of atoms have no reference values"""
    extrapolation: Array | None = None
    """[atoms] extrapolation grade: above 1 an atom is unlike the training data (methods.md, section 5)"""
    energies_variance_quip: Array | None = None
    """[atoms] eV²; of potentials of QUIP instead of energies_std: the variance that QUIP gives"""
    properties: Mapping[str, Array] = field(default_factory=dict)
    """[atoms] of each local property of the model, by name, in its unit (Model.properties)"""
    properties_std: Mapping[str, Array] = field(default_factory=dict)
    """[atoms] with `properties` in std"""
    properties_std_epistemic: Mapping[str, Array] = field(default_factory=dict)
    """[atoms]"""
    property_totals: Mapping[str, float] = field(default_factory=dict)
    """sum of each local property over the atoms"""
    property_totals_std: Mapping[str, float] = field(default_factory=dict)
    """of properties that were fitted with totals"""
    property_dipoles: Mapping[str, Array] = field(default_factory=dict)
    """[3] unit · Å about the centroid, of properties that were fitted with dipoles, for molecules"""
    property_dipoles_std: Mapping[str, Array] = field(default_factory=dict)
    """[3]"""
    novelty: float | None = None
    """with error bars: share of the prior variance that the sparse set does not span (worst atom); near 1 the model knows nothing like it"""
    shortest_distance_ratio: float | None = None
    """smallest ratio of a distance to the shortest one of these elements in the training data; None if unknown"""
    too_close: str | None = None
    """which atoms are too close to each other for a prediction; None if there are none"""
    unsampled_terms: tuple[str, ...] = ()
    """terms with environments here, but none in the training data: their energy is left out"""


class Predictions(Sequence[Prediction]):
    """Predictions for several structures: a sequence of Prediction, and arrays of all.

    Arrays by atom hold the atoms of all structures one after the other; those of structure k are first[k] … first[k + 1] − 1.
    """

    def __init__(self, items: Sequence[Prediction]):
        self._items = tuple(items)
        self.first: NDArray[np.int64] = np.concatenate([[0], np.cumsum([len(p.energies) for p in items], dtype=np.int64)])
        """[structures + 1] where the atoms of each structure begin"""

    @overload
    def __getitem__(self, index: int) -> Prediction: ...
    @overload
    def __getitem__(self, index: slice) -> Predictions: ...
    def __getitem__(self, index: int | slice) -> Prediction | Predictions:
        return Predictions(self._items[index]) if isinstance(index, slice) else self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self._items)

    def _all(self, name: str) -> list[Any] | None:
        values = [getattr(p, name) for p in self._items]
        missing = [k for k, value in enumerate(values) if value is None]
        if len(missing) == len(values):
            return None
        if missing:
            raise InputError(f"structure {missing[0]} (from 0) has no {name}, as its cell has no volume: take the predictions one by one")
        return values

    def _stacked(self, name: str) -> Array | None:
        values = self._all(name)
        return None if values is None else np.array(values, dtype=float)

    def _joined(self, name: str) -> Array | None:
        values = self._all(name)
        return None if values is None else np.concatenate(values)

    @property
    def energy(self) -> Array:
        """[structures] eV"""
        return np.array([p.energy for p in self._items], dtype=float)

    @property
    def energies(self) -> Array:
        """[all atoms] eV"""
        return np.concatenate([p.energies for p in self._items]) if self._items else np.zeros(0)

    @property
    def forces(self) -> Array | None:
        """[all atoms, 3] eV/Å"""
        return self._joined("forces")

    @property
    def stress(self) -> Array | None:
        """[structures, 6] eV/Å³"""
        return self._stacked("stress")

    @property
    def virial(self) -> Array | None:
        """[structures, 3, 3] eV"""
        return self._stacked("virial")

    @property
    def energy_std(self) -> Array | None:
        """[structures] eV"""
        return self._stacked("energy_std")

    @property
    def energy_std_epistemic(self) -> Array | None:
        """[structures] eV"""
        return self._stacked("energy_std_epistemic")

    @property
    def forces_std(self) -> Array | None:
        """[all atoms, 3] eV/Å"""
        return self._joined("forces_std")

    @property
    def forces_std_epistemic(self) -> Array | None:
        """[all atoms, 3] eV/Å"""
        return self._joined("forces_std_epistemic")

    @property
    def forces_covariance(self) -> Array | None:
        """[all atoms, 3, 3] (eV/Å)²"""
        return self._joined("forces_covariance")

    @property
    def stress_std(self) -> Array | None:
        """[structures, 6] eV/Å³"""
        return self._stacked("stress_std")

    @property
    def stress_std_epistemic(self) -> Array | None:
        """[structures, 6] eV/Å³"""
        return self._stacked("stress_std_epistemic")

    @property
    def energies_std(self) -> Array | None:
        """[all atoms] eV, epistemic"""
        return self._joined("energies_std")

    @property
    def extrapolation(self) -> Array | None:
        """[all atoms] extrapolation grades"""
        return self._joined("extrapolation")


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
    def extrapolation_thresholds(self) -> dict[str, dict[str, float]] | None:
        """Borders of the familiar by element, "novelty" and "std" (eV), and the left-out "atoms" behind them. None: the model gives no
        extrapolation grades, because it was not calibrated by leaving structures out."""
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
                base: Any = ..., precision: str = ...) -> Prediction: ...
    @overload
    def predict(self, atoms: Iterable[Atoms], std: Std = ..., *, forces: bool = ..., calibrated: bool = ...,
                std_points: int = ..., base: Any = ..., precision: str = ...) -> Predictions: ...

    def predict(self, atoms: Any, std: Std = None, *, forces: bool = True, calibrated: bool = True,
                std_points: int = 0, base: Any = None, precision: str = "double") -> Prediction | Predictions:
        """Predicts one structure (→ Prediction) or a list of them (→ Predictions), as gap-predict does.

        atoms: ase.Atoms, gapkit.Frame, or anything with numbers, positions, cell and pbc; the config type and σ in info and arrays count
        for error bars. std: names of error bars, "energy,forces,stress,energies" or a list; None: none; they cost more than the prediction
        itself; "extrapolation" adds the extrapolation grade of each atom. forces: also forces, virial and stress. calibrated: error bars with the model's calibration, if it has one. std_points:
        error bars from so many sparse points, faster and wider; 0: all. base: of a model that sits on another one (fit(…, base=…)), the ASE
        calculator of that one; without it the structures bring its values in info and arrays. precision: "double", or "single": descriptors
        in single precision, faster, with errors of forces below 1e-4 eV/Å; no effect with error bars.
        Raises InputError for an element that the model does not know, and for error bars of a model that has none. Warns
        (PredictionWarning) about structures for which the prediction means little.
        """
        request = make_request(std, forces=forces, calibrated=calibrated, precision=precision)
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
    request.properties = True
    request.calibrated = calibrated
    if std is not None and not isinstance(std, (str, Sequence)):
        raise InputError(f"std: a text or a list of names is expected, found {type(std).__name__}")
    names = [] if std is None else std.split(",") if isinstance(std, str) else [str(name) for name in std]
    for name in names:
        attribute = _STD_NAMES.get(name.strip())
        if attribute is None:
            raise InputError(f"std: unknown name '{name.strip()}'; valid: energy, forces, force_covariance, stress, energies, properties, "
                             "extrapolation")
        setattr(request, attribute, True)
    request.forces_std = request.forces_std or request.forces_covariance
    return request


def has_error_bars(request: _gapkit.Request) -> bool:
    return request.energy_std or request.forces_std or request.stress_std or request.energies_std or request.extrapolation


def prediction_from(values: Mapping[str, Any]) -> Prediction:
    if "unsampled_terms" in values:
        values = {**values, "unsampled_terms": tuple(values["unsampled_terms"])}
    if "forces_covariance" in values:
        values = {**values, "forces_covariance": values["forces_covariance"][:, _TENSOR_OF_SIX]}
    return Prediction(**values)


def warn_about(predictions: Sequence[Prediction], stacklevel: int) -> None:
    def places(indices: list[int]) -> str:
        return "the structure" if len(predictions) == 1 else f"{len(indices)} of {len(predictions)} structures (first: {indices[0]}, from 0)"

    close = [k for k, p in enumerate(predictions) if p.too_close is not None]
    if close:
        warnings.warn(f"{places(close)}: {predictions[close[0]].too_close}: too close to each other for a prediction; correct the structure "
                      "(units, cell, pbc), or add such structures to the training data", PredictionWarning, stacklevel=stacklevel)
    novel = [k for k, p in enumerate(predictions) if p.novelty is not None and p.novelty > NOVELTY_LIMIT]
    if novel:
        warnings.warn(f"{places(novel)}: the sparse set does not span it (novelty {100 * (predictions[novel[0]].novelty or 0):.0f} % of the "
                      "prior variance): the prediction is hardly more than the prior, and so is its error bar; add such structures to the "
                      "training data", PredictionWarning, stacklevel=stacklevel)
    unsampled = [k for k, p in enumerate(predictions) if p.unsampled_terms]
    if unsampled:
        warnings.warn(f"{places(unsampled)}: environments of {', '.join(predictions[unsampled[0]].unsampled_terms)}, of which the training "
                      "data had none: their energy is left out", PredictionWarning, stacklevel=stacklevel)
