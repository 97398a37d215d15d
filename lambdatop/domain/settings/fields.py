"""Thresholds as fields of a dataclass: default, unit, inclusive range and meaning stand in one place."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Any


def knob(default: float, unit: str, meaning: str, low: float = 0.0, high: float = math.inf) -> Any:
    """Return a field with the unit, inclusive range and meaning that configuration and documentation show."""
    return field(default=default, metadata={"unit": unit, "help": meaning, "low": low, "high": high})


def window(minutes: int) -> Any:
    """Return a field: how far back a detector reads, minutes."""
    return knob(minutes, "min", "how far back it looks", 1, 60)


def count(default: int, unit: str, meaning: str = "silent below", low: int = 1) -> Any:
    """Return a field: a whole number of things."""
    return knob(default, unit, meaning, low, 1_000_000)


def share(default: float, meaning: str) -> Any:
    """Return a field: a part of a whole, 0..1."""
    return knob(default, "share", meaning, 0, 1)


def ratio(default: float, meaning: str) -> Any:
    """Return a field: a factor from 1 on."""
    return knob(default, "ratio", meaning, 1, 1000)
