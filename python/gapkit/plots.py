"""Figures with Matplotlib, for notebooks and scripts.

Each function draws into `ax` (Axes of Matplotlib; None: a new figure) and returns it; nothing is shown or saved.

    comparison = gapkit.compare(model, test_frames, std="energy,forces")
    ax = gapkit.plots.parity(comparison, "forces")
    ax.figure.savefig("parity.png")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Sequence, Union

import numpy as np

from . import _gapkit
from ._gapkit import InputError
from .comparison import Compared, Comparison
from .prediction import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["calibration_curve", "error_against_error_bar", "learning_curve", "parity"]

_MANY = 5000  # points; beyond that their density is drawn
_GREY = "0.45"
_TARGETS = ("energy", "forces", "stress")


def parity(comparison: Comparison, target: str = "forces", ax: Axes | None = None) -> Axes:
    """Predicted against reference values: energy (eV/atom, relative to isolated atoms), forces (eV/Å) or stress (GPa). The title has the
    root mean square and mean absolute errors. Raises InputError if there are no reference values of the target."""
    data = _target(comparison, target)
    ax = _axes(ax)
    if len(data) > _MANY:
        ax.hexbin(data.reference, data.predicted, gridsize=80, bins="log", mincnt=1, linewidths=0.1)
    else:
        ax.plot(data.reference, data.predicted, ".", markersize=4, alpha=0.6)
    low, high = _range(np.concatenate([data.reference, data.predicted]))
    ax.plot([low, high], [low, high], color=_GREY, linewidth=1, zorder=0)
    ax.set(xlim=(low, high), ylim=(low, high), xlabel=f"reference {_words(data)} ({data.unit})",
           ylabel=f"predicted {_words(data)} ({data.unit})", aspect="equal")
    row = comparison.errors["all"][target]
    ax.set_title(f"{target}: RMSE {row['rmse']:.3g}, MAE {row['mae']:.3g} {data.error_unit}")
    return ax


def error_against_error_bar(comparison: Comparison, target: str = "forces", ax: Axes | None = None, *, bins: int = 10) -> Axes:
    """Absolute errors against predicted error bars, both logarithmic, in meV/atom, eV/Å or GPa, and the root mean square error in `bins`
    bins of equal count (fewer if there are less than 5 errors in each), which lies on the diagonal where the error bars are right.
    Raises InputError for a comparison without error bars of the target."""
    data = _with_bars(comparison, target)
    if bins < 1:
        raise InputError(f"bins is {bins}, expected 1 or more")
    error, std = np.abs(data.bar_errors), data.bar_stds
    ax = _axes(ax)
    smallest = max(float(error.max(initial=0.0)), float(std.max())) * 1e-4
    shown = np.maximum(error, smallest)
    if len(error) > _MANY:
        ax.hexbin(std, shown, gridsize=80, bins="log", mincnt=1, xscale="log", yscale="log", linewidths=0.1)
    else:
        ax.plot(std, shown, ".", markersize=4, alpha=0.4)
    order = np.argsort(std, kind="stable")
    parts = np.array_split(order, max(1, min(bins, len(order) // 5)))
    bars = np.array([np.sqrt(np.mean(std[part] ** 2)) for part in parts])
    rms = np.array([np.sqrt(np.mean(error[part] ** 2)) for part in parts])
    ax.plot(bars, rms, "o-", color="black", markersize=4, label="root mean square error")
    low, high = float(std.min()), float(std.max())
    ax.plot([low, high], [low, high], color=_GREY, linewidth=1, linestyle="--", label="error = error bar")
    ax.set(xscale="log", yscale="log", xlabel=f"error bar of {_words(data)} ({data.error_unit})",
           ylabel=f"error of {_words(data)} ({data.error_unit})")
    ax.legend(frameon=False)
    return ax


def calibration_curve(comparison: Comparison, target: str = "forces", ax: Axes | None = None) -> Axes:
    """Share of the errors within the central interval of each probability, against that probability. On the diagonal the error bars are
    right; below it they are too small. Raises InputError for a comparison without error bars of the target."""
    data = _with_bars(comparison, target)
    levels = np.linspace(0.0, 1.0, 101)
    observed: Array = _gapkit.observed_fractions(data.bar_errors, data.bar_stds, levels)
    ax = _axes(ax)
    ax.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--")
    ax.plot(levels, observed)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability of the interval", ylabel="share of the errors within it", aspect="equal")
    title = target
    bars = comparison.errors.get("error_bars")
    if bars is not None and "zms" in bars["all"][target]:
        title += f": ZMS {bars['all'][target]['zms']['value']:.2f},\n{100 * bars['all'][target]['coverage68']['value']:.0f} % within one error bar"
    ax.set_title(title)
    return ax


def learning_curve(sizes: Sequence[float], errors: Sequence[Union[float, Mapping[str, Any]]], target: str = "forces",
                   ax: Axes | None = None, *, label: str | None = None) -> Axes:
    """Root mean square errors of models that were fitted to data of different sizes, on logarithmic axes.

    sizes: frames (or labels) of each fit. errors: the dictionaries of gapkit.errors(), of which the target is drawn, or numbers in its
    unit (energy meV/atom, forces eV/Å, stress GPa). label: for the legend; a second call with the same `ax` adds a curve.
    """
    if target not in _TARGETS:
        raise InputError(f"unknown target {target!r}; valid: {', '.join(_TARGETS)}")
    values = [row["all"][target]["rmse"] if isinstance(row, Mapping) else row for row in errors]
    if len(sizes) != len(values) or not values:
        raise InputError(f"learning_curve: there are {len(sizes)} sizes and {len(values)} errors, expected as many, and at least one")
    for k, (size, value) in enumerate(zip(sizes, values)):
        if value is None:
            raise InputError(f"learning_curve: errors[{k}] has no {target}: no frame had a reference value")
        if not (np.isfinite(size) and size > 0 and np.isfinite(value) and value > 0):
            raise InputError(f"learning_curve: point {k} is {size}, {value}; expected numbers above 0")
    order = np.argsort(np.asarray(sizes, dtype=float), kind="stable")
    ax = _axes(ax)
    ax.plot(np.asarray(sizes, dtype=float)[order], np.asarray(values, dtype=float)[order], "o-", label=label)
    unit = {"energy": "meV/atom", "forces": "eV/Å", "stress": "GPa"}[target]
    ax.set(xscale="log", yscale="log", xlabel="training frames", ylabel=f"RMSE of {target} ({unit})")
    ticks = sorted({float(x) for line in ax.lines for x in line.get_xdata()})
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    if label is not None:
        ax.legend(frameon=False)
    return ax


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("gapkit.plots needs Matplotlib, which this Python does not have: install python3-matplotlib, or 'pip install "
                          "matplotlib'") from error
    new: Axes = pyplot.subplots()[1]
    return new


def _target(comparison: Comparison, target: str) -> Compared:
    if target not in _TARGETS:
        raise InputError(f"unknown target {target!r}; valid: {', '.join(_TARGETS)}")
    if not isinstance(comparison, Comparison):
        raise InputError(f"gapkit.compare(model, frames) is expected, found {type(comparison).__name__}")
    data: Compared = getattr(comparison, target)
    if len(data) == 0:
        raise InputError(f"the comparison has no {target}: the frames have no reference values of it")
    return data


def _with_bars(comparison: Comparison, target: str) -> Compared:
    data = _target(comparison, target)
    if len(data.bar_stds) == 0:
        raise InputError(f"the comparison has no error bars of {target}: gapkit.compare(model, frames, std=\"{target}\") gives them")
    return data


def _range(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.03 * (high - low) or 0.5
    return low - margin, high + margin


def _words(data: Compared) -> str:
    return {"energy": "energy", "forces": "force components", "stress": "stress components"}[data.name]
