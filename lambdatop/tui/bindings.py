"""Textual bindings from the hotkey table."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from lambdatop.tui.hotkeys import Scope, in_scope


def bindings(*scopes: Scope) -> list[BindingType]:
    """Return the bindings of some scopes.

    The footer is our own, so Textual need not show them.
    """
    return [
        Binding(h.keys, h.action, h.label, show=False, priority=h.priority, id=h.id, tooltip=h.help)
        for h in in_scope(*scopes)
    ]
