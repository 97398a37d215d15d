"""The situations of every mitigation, found in the modules `situations_of_*` of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

import fakes
from fakes.plan_situations import Cases

from lambdatop.domain.mitigations.registry import REGISTRY

UNDOS = "situations_of_undos"
"""Holds entries of the journal, not situations."""


def _found() -> dict[str, Cases]:
    names = (module.name for module in iter_modules(fakes.__path__))
    names = (name for name in names if name.startswith("situations_of_") and name != UNDOS)
    found: dict[str, Cases] = {}
    for name in names:
        found |= import_module(f"fakes.{name}").CASES
    return found


CASES: Mapping[str, Cases] = _found()


def untried(tried: set[str], where: str) -> str:
    """Return what to do about mitigations that a table of the tests lacks, "" where it has all."""
    missing = sorted(REGISTRY.keys() - tried)
    return f"add {', '.join(missing)} to {where}" if missing else ""
