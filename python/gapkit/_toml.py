"""Dictionaries as TOML, for the configuration of a fit."""

from __future__ import annotations

import json
import math
from typing import Any, Mapping

import numpy as np

from ._gapkit import InputError


def to_toml(configuration: Mapping[str, Any]) -> str:
    """Tables and arrays of tables follow the plain values. Raises InputError for what TOML does not have."""
    return "\n".join(_lines(configuration, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines, tables = [], []
    for key, value in table.items():
        if not isinstance(key, str):
            raise InputError(f"config: the key {key!r} is no text")
        if isinstance(value, Mapping):
            tables += [f"[{_name((*path, key))}]"] + _lines(value, (*path, key))
        elif isinstance(value, (list, tuple)) and value and all(isinstance(item, Mapping) for item in value):
            for item in value:
                tables += [f"[[{_name((*path, key))}]]"] + _lines(item, (*path, key))
        else:
            lines.append(f"{_name((key,))} = {_value(value, '.'.join((*path, key)))}")
    return lines + tables


def _name(path: tuple[str, ...]) -> str:
    return ".".join(part if part.replace("_", "").replace("-", "").isalnum() and part.isascii() else _text(part) for part in path)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any, name: str) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if math.isfinite(number):
            return repr(number)
        return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"
    if isinstance(value, str) or hasattr(value, "__fspath__"):
        return _text(str(value))
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item, name) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_name((str(key),))} = {_value(item, name)}" for key, item in value.items()) + "}"
    raise InputError(f"config: '{name}' is {type(value).__name__}, expected a truth, number, text, or a list or dictionary of them")
