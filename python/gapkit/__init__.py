"""Gaussian Approximation Potentials with error bars.

    model = gapkit.Model.load("silicon.h5")
    prediction = model.predict(atoms, std="energy,forces")     # arrays, with error bars
    atoms.calc = gapkit.Calculator(model)                      # molecular dynamics, relaxations, phonons with ASE
    model = gapkit.fit(frames)                                 # or files; config = dict, TOML or None
    table = gapkit.errors(model, frames, std="energy,forces")  # RMSE, MAE, and what the error bars are worth
    model = gapkit.append(model, more_frames)                  # refit, merge: without the old data; recalibrate
    ensemble = gapkit.Ensemble(model, 10)                      # members of the posterior
    batch = gapkit.choose_batch(model, frames, 5)              # worth a label
    gapkit.plots.parity(gapkit.compare(model, frames))         # figures

Units: Å, eV, eV/Å; stress in eV/Å³, Voigt order xx yy zz yz xz xy, positive under tension. docs/python.md has more.
ASE is needed for `Calculator` and for files in its formats, Matplotlib for `plots`; they are imported there.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

try:
    import numpy as _numpy  # noqa: F401
except ImportError as error:
    raise ImportError("gapkit needs NumPy, which this Python does not have: install python3-numpy and use /usr/bin/python3, or 'pip install "
                      "numpy'") from error

from ._base import BaseWarning
from ._frames import Frame
from ._gapkit import Error, InputError, NumericalError, set_threads, threads
from ._gapkit import version as __version__
from .active import Choice, choose_batch
from .comparison import Compared, Comparison, compare, errors
from .ensemble import Ensemble, EnsemblePrediction
from .fitting import FitWarning, Progress, fit
from .model import Model
from .prediction import Prediction, PredictionWarning, Predictions
from .potentials import Evaluation, evaluate_potential
from .updates import append, merge, recalibrate, refit

if TYPE_CHECKING:
    from . import plots
    from .calculator import Calculator

__all__ = ["BaseWarning", "Calculator", "Choice", "Compared", "Comparison", "Ensemble", "EnsemblePrediction", "Error", "Evaluation", "FitWarning", "Frame",
           "InputError", "Model", "NumericalError", "Prediction", "PredictionWarning", "Predictions", "Progress", "__version__", "append", "choose_batch",
           "compare", "errors", "evaluate_potential", "fit", "merge", "plots", "recalibrate", "refit", "set_threads", "threads"]

# The threads of OpenMP do not survive a fork: in the child process a computation on several threads would wait for them forever.
os.register_at_fork(after_in_child=lambda: set_threads(1))


def __getattr__(name: str) -> Any:
    if name == "Calculator":
        from .calculator import Calculator
        return Calculator
    if name == "plots":
        return importlib.import_module(".plots", __name__)
    raise AttributeError(f"module 'gapkit' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
