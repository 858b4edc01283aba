"""A calculator for ASE."""

from __future__ import annotations

import copy
import warnings
from typing import Any, Iterable, Mapping, Sequence

import numpy as np

try:
    from ase.calculators.calculator import Calculator as AseCalculator
    from ase.calculators.calculator import all_changes, all_properties
    from ase.outputs import Properties
except ImportError as error:
    raise ImportError("gapkit.Calculator needs ASE, which this Python does not have: install python3-ase, or 'pip install ase'") from error

from . import _gapkit
from ._base import check_base, with_base
from ._frames import SIGMA_COLUMNS, SIGMA_FIELDS, predictable_structure
from ._gapkit import InputError
from .model import ModelOrFile, Std, has_error_bars, make_request, model_of
from .prediction import PredictionWarning

_STD_RESULTS = ("energy_std", "forces_std", "stress_std", "energies_std", "extrapolation")
_EPISTEMIC_RESULTS = ("energy_std_epistemic", "forces_std_epistemic", "stress_std_epistemic")


def _result_of(name: str) -> str:
    """The name of a local property in `results`: ASE calls charges and magnetic moments of atoms charges and magmoms."""
    return {"charge": "charges", "magmom": "magmoms"}.get(name, name)


_ANGSTROM_OF_BOHR = 0.529177210903
_E_ANGSTROM = {"": 1.0, "eangstrom": 1.0, "ea": 1.0, "eå": 1.0, "debye": 0.20819433, "d": 0.20819433, "au": _ANGSTROM_OF_BOHR,
               "ebohr": _ANGSTROM_OF_BOHR, "ea0": _ANGSTROM_OF_BOHR}


def _factor_of_dipole(units: str) -> float | None:
    """To ASE's unit e Å; None for an unknown unit."""
    return _E_ANGSTROM.get("".join(c for c in units.lower() if c.isalnum()))


def _array_or_zeros(atoms: Any, name: str) -> Any:
    array = atoms.arrays.get(name)
    return np.zeros(len(atoms)) if array is None else array


class Calculator(AseCalculator):  # type: ignore[misc]  # ASE has no types
    """Energies, forces and stress with error bars, for ASE's optimisers, dynamics and phonons.

    model: a Model, or the file of one (loaded without its statistics, Model.load()).
    std: names of error bars, "energy,forces,stress,energies" or a list; None: none. They are in `results` as energy_std (eV), forces_std ([atoms, 3] eV/Å), stress_std ([6] eV/Å³), energies_std ([atoms] eV), the first three also as
    …_std_epistemic (docs/python.md says what each is), and get_property() gives them. "extrapolation" adds the extrapolation grade of
    each atom ([atoms], above 1: unlike the training data). calibrated, std_points: as Model.predict().
    skin: Å that the neighbour list reaches beyond the cutoff; it is made anew when atoms have moved too far; 0: every time.
    precision: "double" or "single", as Model.predict(); give std=None with it, since error bars need double precision.

    base: of a model that sits on another one, the ASE calculator of that one; `energies` are then shares of the difference.

    Each calculation gives all results but local properties of the model (charges, …), which cost as much again: get_property(name) gives them,
    charges for a property named charge, and with std="properties" their error bars as …_std.
    Tensors of the model come on request too: get_dipole_moment() for a vector named dipole (in e Å; units of debye and e·bohr are converted),
    get_property(NAME) for others in their unit; with std="tensors" also NAME_std and NAME_covariance; NAME_derivatives ([atoms, 3, …]) by the positions.
    Calculators share the model, so that one of each thread or replica costs little memory.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "energies", *_STD_RESULTS, *_EPISTEMIC_RESULTS]
    ignored_changes = {"initial_charges", "initial_magmoms"}
    name = "gapkit"

    def __init__(self, model: ModelOrFile, std: Std = "energy,forces", *, calibrated: bool = True, std_points: int = 0,
                 skin: float = 0.5, base: Any = None, precision: str = "double", **keywords: Any):
        self.model = model_of(model)
        check_base(self.model._keys, base, "Calculator")
        if base is None and self.model.base is not None:
            raise InputError(f"Calculator: the model gives the difference from {self.model._keys.base_text}: give base=calculator")
        self.base = base
        if base is not None:
            self.ignored_changes = set()  # another model may depend on charges and magnetic moments
        of_model = [_result_of(name) for name in self.model.properties]
        self.implemented_properties = [*self.implemented_properties, *of_model, *(name + "_std" for name in of_model)]
        self._of_tensors = {name + ending: name for name, (_, _, target) in self.model._handle.tensors.items()
                            for ending in ("", "_std", "_covariance", *(() if target == "atom" else ("_derivatives",)))}
        self.implemented_properties += list(self._of_tensors)
        self._dipole_factor = _factor_of_dipole(self.model.tensors.get("dipole", ""))
        self._labels: Any = None
        self._warned: set[str] = set()
        names = ",".join(std) if isinstance(std, Sequence) and not isinstance(std, str) else std
        super().__init__(std=names, calibrated=calibrated, std_points=std_points, skin=skin, precision=precision, **keywords)

    def set(self, **keywords: Any) -> dict[str, Any]:
        """Changes std, calibrated, std_points, skin or precision; results of before are dropped."""
        known = {"std", "calibrated", "std_points", "skin", "precision"}
        unknown = sorted(set(keywords) - known)
        if unknown:
            raise InputError(f"Calculator: unknown parameter '{unknown[0]}'; valid: {', '.join(sorted(known))}")
        self._prepare({**self.parameters, **keywords}, keywords)
        changed: dict[str, Any] = super().set(**keywords)
        if changed:
            self.reset()
        return changed

    def _prepare(self, parameters: Mapping[str, Any], changed: Iterable[str]) -> None:
        """Takes parameters over; raises before anything has changed."""
        request = make_request(parameters["std"], calibrated=parameters["calibrated"], precision=parameters["precision"])
        if has_error_bars(request) and not self.model.has_error_bars:
            raise InputError("the model has no posterior, so it has no error bars: Calculator(model, std=None) goes without them, and a fit "
                             "gives them")
        if request.extrapolation and self.model.extrapolation_thresholds is None:
            raise InputError("the model has no extrapolation thresholds: it is of an earlier version, or its error bars were not calibrated by "
                             "leaving structures out; a fit with [calibration] source = \"leave_one_out\" (the default) gives them")
        if "skin" in changed or "std_points" in changed:
            self._evaluator = _gapkit.Evaluator(self.model._handle, parameters["skin"], parameters["std_points"])
        self._request = request

    def check_state(self, atoms: Any, tol: float = 1e-15) -> list[str]:
        """What has changed since the last calculation: any bit of it, as comparing costs less than ASE's tolerance then.

        A changed config type or σ (`info`) counts too, as error bars depend on it.
        """
        before = self.atoms
        if before is None:
            return [name for name in all_changes if name not in self.ignored_changes]
        changes = [name for name, old, new in (("positions", before.arrays["positions"], atoms.arrays["positions"]),
                                               ("numbers", before.arrays["numbers"], atoms.arrays["numbers"]),
                                               ("cell", before.cell.array, atoms.cell.array), ("pbc", before.pbc, atoms.pbc))
                   if not np.array_equal(old, new)]
        if self.base is not None:
            changes += [name for name in ("initial_charges", "initial_magmoms") if name not in self.ignored_changes
                        and not np.array_equal(_array_or_zeros(before, name), _array_or_zeros(atoms, name))]
        if self._labels_of(atoms) != self._labels:
            changes.append("info")
        return changes

    def _labels_of(self, atoms: Any) -> Any:
        info, arrays = atoms.info, atoms.arrays
        keys = [key for key in (self.model._keys.config_type, *SIGMA_FIELDS, *self.model._inputs) if key in info] if info else []
        columns = [name for name in (*SIGMA_COLUMNS, *self.model._inputs) if name in arrays]
        if not keys and not columns:
            return None
        return [(key, repr(info[key])) for key in keys] + [(name, arrays[name].tobytes()) for name in columns]

    def calculate(self, atoms: Any = None, properties: Sequence[str] = ("energy",), system_changes: Sequence[str] = all_changes) -> None:
        """Computes all results for the atoms."""
        super().calculate(atoms, properties, system_changes)
        self.results = {}
        atoms = self.atoms if self.base is None else with_base(self.atoms, self.model._keys, self.base)[0]
        of_model = [_result_of(name) for name in self.model.properties]
        self._request.properties = any(name.removesuffix("_std") in of_model for name in properties)
        self._request.tensors = any(name in self._of_tensors for name in properties)
        self._request.tensors_derivatives = any(name in self._of_tensors and name.endswith("_derivatives") for name in properties)
        if "dipole" in map(self._of_tensors.get, properties) and self._dipole_factor is None:
            raise InputError(f"Calculator: the dipole of the model is in '{self.model.tensors['dipole']}', expected e*angstrom, debye or e*bohr "
                             "to give it in e Å: Model.predict() gives it as it is")
        values = self._evaluator.evaluate(predictable_structure(atoms, self.model._keys, "", self.model._inputs), self._request)
        self._labels = self._labels_of(self.atoms)
        values["free_energy"] = values["energy"]
        self._warn("too_close", values)
        self._warn("unsampled_terms", values)
        self.results = {name: values[name] for name in self.implemented_properties if name in values}
        for name, array in values.get("properties", {}).items():
            self.results[_result_of(name)] = array
        for name, array in values.get("properties_std", {}).items():
            self.results[_result_of(name) + "_std"] = array
        for kind, ending in (("tensors", ""), ("tensors_std", "_std"), ("tensors_covariance", "_covariance"), ("tensors_derivatives", "_derivatives")):
            for name, array in values.get(kind, {}).items():
                factor = self._dipole_factor or 1.0 if name == "dipole" else 1.0
                self.results[name + ending] = array * (factor**2 if ending == "_covariance" else factor)

    # Once for each calculator: dynamics would repeat it in every step.
    def _warn(self, name: str, values: dict[str, Any]) -> None:
        if name not in values or name in self._warned:
            return
        self._warned.add(name)
        text = (f"{values[name]}: too close to each other for a prediction" if name == "too_close" else
                f"environments of {', '.join(values[name])}, of which the training data had none: their energy is left out")
        warnings.warn(text + " (told once for each calculator)", PredictionWarning, stacklevel=4)

    def export_properties(self) -> Properties:
        """The results that ASE has names for."""
        return Properties({name: value for name, value in self.results.items() if name in all_properties})

    @property
    def neighbor_lists_made(self) -> int:
        """How often the neighbour list has been made since the calculator was."""
        return self._evaluator.lists_made

    @property
    def evaluation_seconds(self) -> float:
        """Wall time of the last evaluation in C++, without neighbour list and conversions."""
        return self._evaluator.seconds

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_evaluator"], state["_request"]
        state.pop("get_spin_polarized", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare(self.parameters, self.parameters)
        self.get_spin_polarized = self._deprecated_get_spin_polarized

    def __deepcopy__(self, memo: dict[int, Any]) -> Calculator:
        other = self.__class__.__new__(self.__class__)
        memo[id(self)] = other
        other.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return other
