"""Suspend and resume the console in its terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.color import ColorSystem
from textual.binding import Binding, BindingType

from lambdatop.config.theme_file import DEFAULT_THEME
from lambdatop.tui._textual import FramedApp
from lambdatop.tui.terminal.capabilities import Traits

FEW_COLORS_THEME = "ansi-16"


class TerminalApp(FramedApp):
    """Mixed into the console: Ctrl-Z, and a theme that suits the colours there are."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+z", "to_shell", show=False)]

    traits = Traits()
    when_painted: Callable[[], object] | None = None
    """What is put off until the first frame is on its way to the terminal."""

    ends: Sequence[int] = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    """Signals that end the app as its own key does."""

    typed: Callable[[], object] = staticmethod(lambda: None)
    """Is told of each key as soon as it is read, in the thread that reads."""

    def post_display_hook(self) -> None:
        """Note that a frame was shown."""
        begin, self.when_painted = self.when_painted, None
        if begin is not None:
            begin()

    def theme_for(self, wanted: str) -> str:
        """Return the theme of the settings; a default gives way where it would be sixteen wrong colours."""
        few = self.traits.colors is ColorSystem.STANDARD
        return FEW_COLORS_THEME if few and wanted == DEFAULT_THEME else wanted

    def action_to_shell(self) -> None:
        """Stop, as every program does, and go on with `fg`."""
        if os.getsid(0) == os.getpid():  # a session of its own, as in a container: no shell would wake it
            self.notify("There is no shell to go back to; q quits.", markup=False)
        else:
            self.action_suspend_process()
