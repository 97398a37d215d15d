"""Close a screen of the console: at most once, and only while it is on top.

A slow line delivers several keys in one piece, and each of two Enters may ask a screen to close before it is
gone. For the second one Textual would take another screen from the stack, or end the console without any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen

from lambdatop.tui._textual import HearsWhileOpen

ResultT = TypeVar("ResultT")

if TYPE_CHECKING:

    class _Screen(Screen[ResultT]):
        """What it is mixed into."""

else:

    class _Screen(Generic[ResultT]):
        """No node: styles are inherited from the first base that is one."""


class ClosesOnce(HearsWhileOpen, _Screen[ResultT]):
    """Mixed into every screen that can be closed, before Textual's own."""

    @property
    def is_on_stack(self) -> bool:
        """Whether it is on the stack, below others perhaps; a closed one lives on for some turns."""
        return self in self.app.screen_stack

    def dismiss(self, result: ResultT | None = None) -> AwaitComplete:
        """Close it with a result; nothing happens where another screen is on top, or it is the only one."""
        if not self.is_active or len(self.app.screen_stack) < 2:
            return AwaitComplete()
        return super().dismiss(result)


class Modal(ClosesOnce[ResultT], ModalScreen[ResultT]):
    """Base of all dialogs."""

    def action_scroll_body(self, direction: int) -> None:
        """Scroll the part that may be longer than the screen; what is around it stays."""
        body = self.query_one("#body")
        body.scroll_relative(y=direction * max(1, body.size.height - 2), animate=False)
