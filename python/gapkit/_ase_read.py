#!/usr/bin/python3
"""Writes the frames of a file that ASE reads as extended XYZ, every digit of them. Needs ASE; gap-fit and gap-predict start it as a program.

    gapkit_ase_read.py INPUT FORMAT      FORMAT: ASE's name of it, or "" to let ASE find out; the frames go to the standard output

Energy, forces and stress of a frame's calculator become `energy` (eV), `forces` (eV/Å) and `stress` (eV/Å³; xx yy zz yz xz xy), and `free_energy`
where it differs. Values of info and arrays, and key-value pairs of a database, keep their names; what extended XYZ cannot hold is left out. The
last line on standard error says what was wrong.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Iterable, Iterator, TextIO

try:
    import numpy as np
except ImportError:
    sys.exit("no ASE")  # which needs it; the package gapkit does not come here without NumPy

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_RESERVED = {"Lattice", "Properties", "pbc", "species", "pos"}


def convert(path: str, file_format: str, out: TextIO) -> int:
    """Writes the frames of a file, and returns their number. Raises what ASE raises, and ValueError if there are no frames."""
    from ase.io.formats import UnknownFileTypeError, filetype
    try:
        known = file_format or filetype(path, guess=False)
    except UnknownFileTypeError as error:
        raise ValueError("ASE does not know the format") from error
    frames = 0
    for atoms in read_frames(path, known):
        out.write(frame_text(atoms))
        frames += 1
    if frames == 0:
        raise ValueError("the file holds no frames")
    return frames


def read_frames(path: str, known_format: str) -> Iterator[Any]:
    if known_format not in ("db", "json"):
        import ase.io
        yield from ase.io.iread(path, index=":", format=known_format, do_not_split_by_at_sign=True)
        return
    import ase.db
    for row in ase.db.connect(path, type=known_format, use_lock_file=False).select():
        atoms = row.toatoms()
        atoms.info.update(row.key_value_pairs)  # ase.io leaves them out
        yield atoms


def frame_text(atoms: Any) -> str:
    info: dict[str, Any] = dict(atoms.info)
    columns = {name: np.asarray(values) for name, values in atoms.arrays.items() if name not in ("numbers", "positions")}
    results = getattr(atoms.calc, "results", None) or {}
    for name in ("energy", "free_energy", "stress"):
        if results.get(name) is not None:
            info[name] = np.asarray(results[name], dtype=float).tolist()
    if "energy" in info and info.get("free_energy") == info["energy"]:
        del info["free_energy"]
    if results.get("forces") is not None:
        columns["forces"] = np.asarray(results["forces"], dtype=float)

    parts, properties, rows = [], "species:S:1:pos:R:3", [[symbol, _words(r)] for symbol, r in zip(atoms.symbols, atoms.positions)]
    for name, values in columns.items():
        kind = _column_kind(name, values, len(atoms))
        if kind is None:
            continue
        properties += f":{name}:{kind}:{1 if values.ndim == 1 else values.shape[1]}"
        for row, value in zip(rows, values):
            row.append(_words(np.atleast_1d(value)))
    if atoms.cell.rank > 0:
        parts.append(f'Lattice="{_words(atoms.cell.array.ravel())}"')
    parts += ["Properties=" + properties, 'pbc="' + _words(atoms.pbc) + '"']
    parts += [f"{key}={text}" for key, text in ((key, _field(key, value)) for key, value in info.items()) if text is not None]
    return f"{len(atoms)}\n{' '.join(parts)}\n" + "".join(" ".join(row) + "\n" for row in rows)


def _words(values: Iterable[Any]) -> str:
    return " ".join(_word(value) for value in np.asarray(values).tolist())


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    return repr(value) if isinstance(value, (int, float)) else str(value)


def _column_kind(name: str, values: Any, atoms: int) -> str | None:
    """R, I, L or S; None for what cannot be a column."""
    if not _NAME.fullmatch(name) or name in _RESERVED or values.ndim not in (1, 2) or len(values) != atoms or values.size == 0:
        return None
    kind: str | None = {"f": "R", "i": "I", "u": "I", "b": "L", "U": "S"}.get(values.dtype.kind)
    if kind == "S" and not all(text and not re.search(r"\s", text) for text in values.ravel().tolist()):
        return None
    return kind


def _field(key: Any, value: Any) -> str | None:
    """Text of a value of the whole frame; None for what cannot be one."""
    if not isinstance(key, str) or not _NAME.fullmatch(key) or key in _RESERVED or value is None:
        return None
    if isinstance(value, str):
        return None if re.search(r'[\n\r"\\]', value) else f'"{value}"'
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    if array.dtype.kind not in "fiub" or array.size == 0 or array.ndim > 2:
        return None
    # Of two dimensions: nine numbers row by row, as a virial or stress; other shapes have no common form.
    if array.ndim == 2 and array.shape != (3, 3):
        return None
    return _words(array.ravel()) if array.ndim == 0 else f'"{_words(array.ravel())}"'


def reason_of(error: BaseException) -> str:
    """One line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def main() -> None:
    path, file_format = sys.argv[1:3]
    try:
        import ase.io  # noqa: F401
    except ImportError:
        sys.exit("no ASE")
    try:
        convert(path, file_format, sys.stdout)
        sys.stdout.flush()
    except Exception as error:
        sys.exit(reason_of(error))


if __name__ == "__main__":
    main()
