"""Paint whole lines: no border or padding is added, and backgrounds are blended once."""

from __future__ import annotations

from rich.style import Style
from textual.scroll_view import ScrollView

from lambdatop.tui._textual import paint_plainly


class PlainLines(ScrollView, inherit_bindings=False):
    """Lines without border and padding."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        paint_plainly(self)
        self._base: Style | None = None

    @property
    def base(self) -> Style:
        """What lines are painted on. It is made of the styles of all ancestors, which takes long."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        """Repaint for another theme."""
        super().notify_style_update()
        self._base = None
