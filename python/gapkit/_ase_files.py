"""Files that only ASE reads, for the C++ part: as extended XYZ in a file without a name, which goes with the process."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TextIO, cast

from . import _ase_read
from ._gapkit import InputError

_files: dict[str, tuple[tuple[int, int], TextIO]] = {}  # size and time of change, converted file; by path


def converted(path: str, file_format: str) -> str:
    """The path of an extended-XYZ file with the frames of `path`. Raises InputError with the end of a sentence."""
    path = os.path.abspath(path)
    status = os.stat(path)
    state = (status.st_size, status.st_mtime_ns)
    if path not in _files or _files[path][0] != state:
        try:
            import ase.io  # noqa: F401
        except ImportError as error:
            raise InputError(f"needs ASE, which this Python ({sys.executable}) does not have: install python3-ase, or 'pip install ase'") from error
        file = cast(TextIO, tempfile.TemporaryFile("w+", encoding="utf-8"))
        try:
            _ase_read.convert(path, file_format, file)
        except Exception as error:
            file.close()
            raise InputError(f"failed: {_ase_read.reason_of(error)}") from error
        file.flush()
        _files[path] = (state, file)
    return f"/proc/self/fd/{_files[path][1].fileno()}"
