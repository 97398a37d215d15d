"""Render the basic values of our JSON: strict numbers, UTC times, nothing that a parser refuses. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lambdatop.domain import units
from lambdatop.domain.plans.finding import Ref

Json = dict[str, Any]


def iso(at: float | None) -> str | None:
    """Return seconds since the epoch as `2026-11-21T00:27:03.120Z`; null for what no calendar holds."""
    if at is None or not math.isfinite(at):
        return None
    return units.iso(at, "milliseconds")


def plain(value: object) -> Any:
    """Return a value as strict JSON has it: no NaN, no infinity, mappings as objects, tuples as arrays."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (str, int, bool)):
        return value
    return str(value)


def ref_json(ref: Ref) -> Json:
    """Return what a finding or plan is about."""
    return {"kind": ref.key.kind, "arn": ref.arn, "name": ref.name}


def finite(values: Mapping[str, Any]) -> Json:
    """Return all values as strict JSON."""
    return {key: plain(value) for key, value in values.items()}
