"""What a long computation tells while it runs."""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import dataclass
from typing import Any, Callable, TextIO, Union

from ._gapkit import InputError


class FitWarning(UserWarning):
    """Something looks wrong in data, configuration or fit; the text is the sentence that gap-fit shows."""


@dataclass(frozen=True)
class Progress:
    """A step of a long computation, or a line for its log."""

    phase: str
    """"scan", "fit", "training errors", …"""
    done: float
    """work done so far, in `unit`"""
    total: float
    """work in all, 0 if unknown"""
    unit: str
    """"frames", "atoms", …"""
    message: str
    """a line for the log; empty for a mere step"""


ProgressOption = Union[Callable[[Progress], None], bool, None]


class TerminalLine:
    """One line on a terminal, redrawn at most ten times a second, gone at the end."""

    def __init__(self, out: TextIO):
        self._out = out
        self._last = 0.0
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.message or now - self._last < 0.1:
            return
        self._last = now
        share = f" of {progress.total:.0f} ({100 * progress.done / progress.total:.0f} %)" if progress.total > 0 else ""
        self._draw(f"gapkit: {progress.phase}: {progress.done:.0f}{share} {progress.unit}"[:79])

    def _draw(self, line: str) -> None:
        self._out.write("\r" + line.ljust(self._width))
        self._out.flush()
        self._width = len(line)

    def clear(self) -> None:
        if self._width > 0:
            self._draw("")
            self._out.write("\r")
            self._out.flush()


class Reporter:
    """Hands steps to the user's function or the terminal, and makes Python warnings of warnings, each once."""

    def __init__(self, option: ProgressOption):
        if not (callable(option) or option in (None, True, False)):
            raise InputError(f"progress: a function, True, False or None is expected, found {option!r}")
        self._line: TerminalLine | None = None
        self._show: Callable[[Progress], None] | None = option if callable(option) else None
        if option is True or (option is None and sys.stderr is not None and sys.stderr.isatty()):
            self._show = self._line = TerminalLine(sys.stderr)
        self._warned: set[str] = set()

    def __call__(self, phase: str, done: float, total: float, unit: str, message: str, is_warning: bool) -> None:
        if is_warning:
            self.warn(message, phase)
        elif self._show is not None:
            self._show(Progress(phase, done, total, unit, message))

    def warn(self, message: str, phase: str = "") -> None:
        in_round = phase.startswith("calibration round ")
        # A round of the calibration repeats the warnings of the fit with other numbers.
        key = "".join(c for c in message if not c.isdigit()) if in_round else message
        if key in self._warned:
            return
        self._warned |= {message, "".join(c for c in message if not c.isdigit())}
        if self._line is not None:
            self._line.clear()
        warnings.warn(message, FitWarning, stacklevel=_outside())

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._line is not None:
            self._line.clear()


def _outside() -> int:
    """The stack level of the first caller that is not of this package, so that warnings name the user's line."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == "gapkit":
        frame = frame.f_back
        level += 1
    return level
