"""Show all keys, from the hotkey table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lambdatop.domain.facts.permissions import SIGNS, Permissions
from lambdatop.domain.mitigations.registry import REGISTRY
from lambdatop.tui.bindings import bindings
from lambdatop.tui.hotkeys import BY_ID, WHERE, Hotkey, in_scope
from lambdatop.tui.pages.confirm import PERMISSION_SLOT
from lambdatop.tui.panes.registry import ALL_HOTKEYS, PANES
from lambdatop.tui.screens.base import ELSEWHERE, FrameScreen
from lambdatop.tui.style.spans import Span, Spans, fit, spans, wrapped

KEYS = 16
WIDE = 200
BESIDES = 5
"""Cells of the screen's width that the page does not have: margins and the scrollbar."""
READING = (
    *((c.title.strip(), c.help) for spec in PANES for c in spec.columns if c.help),
    ("grey", "old data: the line under the pane's title says why"),
)


def help_lines(
    mode: str,
    notes: tuple[str, ...] = (),
    permissions: Permissions | None = None,
    width: int = WIDE,
) -> Spans:
    """Return the whole page, with keys and their texts in lines of `width` cells.

    `notes` say what is different here (in the demo: where it differs from AWS).

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
                note = " (not in read-only mode)" if off else ""
                words = [Span(hotkey.help, "muted"), Span(note, "warning"), *_allowed(hotkey, permissions)]
                pieces += _entry(spans((hotkey.shown, "muted" if off else "")), words, width)
        pieces.append(Span("\n"))
    pieces += [Span("reading the screen", "accent"), Span("\n")]
    for name, text in READING:
        pieces += _entry(spans(name), [Span(text, "muted")], width)
    pieces += [Span("\nNo key changes anything at once: each opens a dialog with the plan.\n", "muted")]
    return tuple(pieces)


def _entry(name: Spans, words: Sequence[Span], width: int) -> list[Span]:
    """Return a key or title, and its text beside it: what is too long stands below the text."""
    lines = wrapped(words, width - KEYS, 0)
    return [
        piece
        for number, line in enumerate(lines)
        for piece in (*fit(() if number else name, KEYS), *line, Span("\n"))
    ]


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
            yield Static(self._page(), markup=False)

    def _page(self) -> Content:
        app = self.console_app
        width = self.app.size.width - BESIDES
        return app.inks.content(help_lines(app.mode, app.notes(), app.frame.snapshot.permissions, width))

    def on_resize(self, event: events.Resize) -> None:
        """Write the page for another width."""
        super().on_resize(event)
        self.query_one("#keys Static", Static).update(self._page())

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
