"""Private names of Textual that the console replaces, each pinned by a test.

`App._fatal_error` prints the traceback with all local variables; a local may hold a credential. The
replacement prints one sentence, and with `--debug` a traceback without locals.
"""

from __future__ import annotations

import sys
import traceback

from rich.segment import Segments
from rich.text import Text
from textual.app import App

from lambdatop.domain.text import clean


def crash_words(error: BaseException | None, debug: bool) -> str:
    """What the terminal shows after a crash of the console: never a local variable."""
    if error is None:
        return "lambdatop stopped because of an internal error."
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    words = f"lambdatop stopped because of an internal error: {type(error).__name__}{place}."
    if not debug:
        return f"{words} Run it with --debug for the traceback."
    return clean("".join(traceback.format_exception(error, chain=True))) + words


class QuietCrash(App[None]):
    """An app whose crash screen shows no local variables."""

    debug_traceback = False

    def _fatal_error(self) -> None:
        self.bell()
        error = self._exception or sys.exc_info()[1]
        words = Text(crash_words(error, self.debug_traceback))
        self._exit_renderables.append(Segments(self.console.render(words, self.console.options)))
        self._close_messages_no_wait()
