"""Show all keys, from the hotkey table."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from lambdatop.domain.facts.permissions import SIGNS, Permissions
from lambdatop.domain.mitigations.registry import REGISTRY
from lambdatop.tui.bindings import bindings
from lambdatop.tui.hotkeys import BY_ID, WHERE, Hotkey, in_scope
from lambdatop.tui.pages.confirm import PERMISSION_SLOT
from lambdatop.tui.panes.registry import ALL_HOTKEYS, PANES
from lambdatop.tui.screens.base import ELSEWHERE, FrameScreen
from lambdatop.tui.style.spans import Span, Spans, fit, spans

KEYS = 16
READING = (
    *((c.title.strip(), c.help) for spec in PANES for c in spec.columns if c.help),
    ("grey", "old data: the line under the pane's title says why"),
)


def help_lines(mode: str, notes: tuple[str, ...] = (), permissions: Permissions | None = None) -> Spans:
    """Return the whole page; `notes` say what is different here (in the demo: where it differs from AWS).

    With `permissions` each mitigation shows whether the caller may do it: yes, no or ? (as IAM simulates it).
    """
    pieces: list[Span] = [Span("\n")]
    for note in notes:
        pieces += [Span(f"{note}\n", "warning")]
    if notes:
        pieces.append(Span("\n"))
    for scope, where in WHERE.items():
        pieces += [Span(where, "accent"), Span("\n")]
        for hotkey in ALL_HOTKEYS:
            if hotkey.scope == scope:
                off = hotkey.is_mutation and mode == "read-only"
                pieces += fit(spans((hotkey.shown, "muted" if off else "")), KEYS)
                note = " (not in read-only mode)" if off else ""
                pieces += [Span(hotkey.help, "muted"), Span(note, "warning")]
                pieces += [*_allowed(hotkey, permissions), Span("\n")]
        pieces.append(Span("\n"))
    pieces += [Span("reading the screen", "accent"), Span("\n")]
    for name, text in READING:
        pieces += [*fit(spans(name), KEYS), Span(text, "muted"), Span("\n")]
    pieces += [Span("\nNo key changes anything at once: each opens a dialog with the plan.\n", "muted")]
    return tuple(pieces)


def _allowed(hotkey: Hotkey, permissions: Permissions | None) -> Spans:
    if permissions is None or not hotkey.mitigation:
        return ()
    spec = REGISTRY[hotkey.mitigation]
    answer = permissions.of(spec.iam or spec.iam_elevated)
    return spans("  ", (f"allowed: {SIGNS[answer]}", PERMISSION_SLOT[answer]))


class HelpScreen(FrameScreen):
    """The key table."""

    BINDINGS = bindings("dashboard")
    AUTO_FOCUS = "#keys"

    def body(self) -> ComposeResult:
        """Yield one page that scrolls."""
        with VerticalScroll(id="keys"):
            app = self.console_app
            yield Static(
                app.inks.content(help_lines(app.mode, app.notes(), app.frame.snapshot.permissions)),
                markup=False,
            )

    def hotkeys(self) -> Iterator[Hotkey]:
        """Yield Esc, which leads back."""
        yield BY_ID["back"]
        yield from in_scope("everywhere")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the dashboard's keys except Esc."""
        return action not in ELSEWHERE

    def undo(self) -> None:
        """Undo what the screen below undoes: the keys that are shown here are those of that screen."""
        below = self.app.screen_stack[-2]
        if isinstance(below, FrameScreen):
            below.undo()

    def action_back(self) -> None:
        """Return to the former screen."""
        self.dismiss()
