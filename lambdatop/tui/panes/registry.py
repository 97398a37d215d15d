"""Find the panes: each module of this folder that exports a SPEC is one.

The dashboard, its tabs, keys, commands, help and the table in docs/keys.md are made of this list.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from lambdatop.tui import panes
from lambdatop.tui.hotkeys import HOTKEYS, Hotkey
from lambdatop.tui.panes.spec import PaneSpec, Place


def _found() -> tuple[PaneSpec[Any], ...]:
    """Return every SPEC of a module in this folder, in the order of their keys."""
    names = sorted(module.name for module in iter_modules(panes.__path__))
    modules = [import_module(f"{panes.__name__}.{name}") for name in names]
    return tuple(sorted((m.SPEC for m in modules if hasattr(m, "SPEC")), key=lambda spec: spec.key))


def _hotkey(spec: PaneSpec[Any]) -> Hotkey:
    does = f"show the {spec.does}"
    return Hotkey(spec.name, spec.key, spec.key, f"pane('{spec.name}')", spec.name, does, "dashboard")


PANES: tuple[PaneSpec[Any], ...] = _found()
PANE_HOTKEYS: tuple[Hotkey, ...] = tuple(map(_hotkey, PANES))
ALL_HOTKEYS: tuple[Hotkey, ...] = (*PANE_HOTKEYS, *HOTKEYS)
"""The keys of the panes, then all others."""


def panes_at(place: Place) -> tuple[PaneSpec[Any], ...]:
    """Return the panes of one part of the dashboard, from top to bottom."""
    return tuple(sorted((p for p in PANES if p.place == place), key=lambda p: (-p.share, p.key)))
