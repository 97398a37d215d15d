"""Make Textual's bindings from the hotkey table."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from lambdatop.tui.hotkeys import Hotkey, Scope, in_scope


def binding(hotkey: Hotkey) -> Binding:
    """Return the binding of one entry. The footer is our own, so Textual need not show it."""
    h = hotkey
    return Binding(h.keys, h.action, h.label, show=False, priority=h.priority, id=h.id, tooltip=h.help)


def bindings(*scopes: Scope) -> list[BindingType]:
    """Return the bindings of some scopes."""
    return [binding(hotkey) for hotkey in in_scope(*scopes)]
