"""Members of a model's posterior: potentials whose spread is the data's part of the error bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterable, Sequence, overload

import numpy as np

from . import _gapkit
from ._base import check_base, with_base
from ._frames import Atoms, is_list
from ._gapkit import InputError
from .model import Model, ModelOrFile, model_of
from .prediction import Array

if TYPE_CHECKING:
    from .calculator import Calculator

__all__ = ["Ensemble", "EnsemblePrediction"]


@dataclass(frozen=True)
class EnsemblePrediction:
    """Predictions of all members for one structure."""

    energy: Array
    """[members] eV"""
    energies: Array
    """[members, atoms] eV"""
    forces: Array | None
    """[members, atoms, 3] eV/Å; None if they were not asked for"""
    stress: Array | None
    """[members, 6] eV/Å³, xx yy zz yz xz xy; None without a cell that has a volume"""

    @property
    def energy_std(self) -> float:
        """eV; spread of the members (standard deviation, divisor members − 1)."""
        return float(np.std(self.energy, ddof=1))

    @property
    def forces_std(self) -> Array | None:
        """[atoms, 3] eV/Å"""
        return None if self.forces is None else np.asarray(np.std(self.forces, axis=0, ddof=1))

    @property
    def stress_std(self) -> Array | None:
        """[6] eV/Å³"""
        return None if self.stress is None else np.asarray(np.std(self.stress, axis=0, ddof=1))


class Ensemble(Sequence[Model]):
    """Potentials drawn from the posterior of a model, as gap-fit --sample-model and gap-predict --samples draw them.

    Each member is a smooth potential, a Model without error bars of its own: a whole calculation (relaxation, phonons, dynamics) with each
    of them gives the error bar of its result. Their spread is the part of the error bar that the data leave, not the novelty of a structure
    that the sparse points do not span, and not calibrated.

    model: a Model with error bars, or the file of one; members: their number, at least 2; seed: the same seed and number give the same
    member. Members share descriptors and sparse points with the model.
    """

    def __init__(self, model: ModelOrFile, members: int = 10, *, seed: int = 0):
        if isinstance(members, bool) or not isinstance(members, (int, np.integer)) or members < 2:
            raise InputError(f"Ensemble: members is {members!r}, expected a whole number from 2")
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise InputError(f"Ensemble: seed is {seed!r}, expected a whole number from 0")
        self.model = model_of(model)
        self._members = tuple(Model(_gapkit.sample(self.model._handle, int(seed), k)) for k in range(members))

    @overload
    def __getitem__(self, index: int) -> Model: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Model]: ...
    def __getitem__(self, index: int | slice) -> Model | Sequence[Model]:
        return self._members[index]

    def __len__(self) -> int:
        return len(self._members)

    def calculators(self, *, skin: float = 0.5, base: Any = None) -> list[Calculator]:
        """A calculator for ASE of each member; needs ASE. skin, base: as Calculator; the members share the base."""
        from .calculator import Calculator
        return [Calculator(member, std=None, skin=skin, base=base) for member in self._members]

    @overload
    def predict(self, atoms: Atoms, *, forces: bool = ..., base: Any = ...) -> EnsemblePrediction: ...
    @overload
    def predict(self, atoms: Iterable[Atoms], *, forces: bool = ..., base: Any = ...) -> list[EnsemblePrediction]: ...

    def predict(self, atoms: Any, *, forces: bool = True, base: Any = None) -> EnsemblePrediction | list[EnsemblePrediction]:
        """Predictions of all members for one structure, or a list of them. forces: also stress. base: as Model.predict(), evaluated once
        for each structure. Cost: as many predictions as members."""
        check_base(self.model._keys, base, "predict")
        structures = with_base(atoms, self.model._keys, base)
        of_members = [member.predict(structures, forces=forces) for member in self._members]
        results = []
        for k in range(len(structures)):
            predictions = [of_member[k] for of_member in of_members]
            results.append(EnsemblePrediction(np.array([p.energy for p in predictions]), np.array([p.energies for p in predictions]),
                                              _stacked([p.forces for p in predictions]), _stacked([p.stress for p in predictions])))
        return results if is_list(atoms) else results[0]

    def __repr__(self) -> str:
        return f"<gapkit.Ensemble of {len(self)} members of {self.model!r}>"


def _stacked(arrays: list[Array | None]) -> Array | None:
    given = [array for array in arrays if array is not None]
    return np.array(given) if len(given) == len(arrays) else None
