"""Move through lines with the same keys everywhere."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from lambdatop.tui.bindings import bindings

FAR = 1_000_000_000


class Moving:
    """Mix-in: the keys of the scope `moving`. Hosts replace `step` and `page_lines`."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("moving")

    @property
    def page_lines(self) -> int:
        """Lines of a page."""
        return 1

    def step(self, lines: int) -> None:
        """Move by some lines; beyond the ends it stops there."""

    def action_cursor_down(self) -> None:
        """Move one line down."""
        self.step(1)

    def action_cursor_up(self) -> None:
        """Move one line up."""
        self.step(-1)

    def action_top(self) -> None:
        """Move to the first line."""
        self.step(-FAR)

    def action_bottom(self) -> None:
        """Move to the last line."""
        self.step(FAR)

    def action_half_down(self) -> None:
        """Move half a page down."""
        self.step(max(1, self.page_lines // 2))

    def action_half_up(self) -> None:
        """Move half a page up."""
        self.step(-max(1, self.page_lines // 2))

    def action_page_down(self) -> None:
        """Move a page down."""
        self.step(self.page_lines)

    def action_page_up(self) -> None:
        """Move a page up."""
        self.step(-self.page_lines)
