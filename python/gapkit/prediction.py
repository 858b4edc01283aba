"""Predictions, and warnings of those that mean little."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Sequence, overload

import numpy as np
from numpy.typing import NDArray

from ._gapkit import InputError

Array = NDArray[np.float64]

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
    tensors: Mapping[str, Array | float] = field(default_factory=dict)
    """[3] of each vector, [3, 3] of each symmetric matrix, a number of each scalar, by name, in its unit (Model.tensors); values of atoms
    have [atoms, …]"""
    tensors_covariance: Mapping[str, Array | float] = field(default_factory=dict)
    """with `tensors` in std: [3, 3], [6, 6] (xx yy zz yz xz xy) or a number; values of atoms have [atoms, …]"""
    tensors_std: Mapping[str, Array | float] = field(default_factory=dict)
    """with `tensors` in std: [3], [6] or a number; values of atoms have [atoms, …]"""
    tensors_derivatives: Mapping[str, Array] = field(default_factory=dict)
    """with derivatives=True, of sums and means: [atoms, 3, …] by the positions, in the unit per Å; [k, a, b] of a dipole is dμ_b/dr_ka"""
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
