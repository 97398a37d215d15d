"""Write the first frame: name and mode, while what makes the panes is still being loaded.

That takes a third of a second, on a bastion with cold disks some seconds, in which nothing on the screen
would say that the command has been understood. So this is plain text, written without Textual; the
console's own first frame is put over it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?1049l\x1b[?25h"
NAME, WORDS = " lambdatop", "starting…"


@contextmanager
def opening(fd: int, mode: str, *, ascii_only: bool) -> Iterator[None]:
    """Show it; if anything goes wrong inside, the screen is given back before the words about it come."""
    _write(fd, ENTER + line(mode, _width(fd), ascii_only=ascii_only))
    try:
        yield
    except BaseException:
        close(fd)
        raise


def close(fd: int) -> None:
    """Give the screen back; what the console has taken over it gives back itself."""
    _write(fd, LEAVE)


def line(mode: str, width: int, *, ascii_only: bool) -> str:
    """Return the first line, as the header will have it."""
    words = WORDS.replace("…", "...") if ascii_only else WORDS
    badge = "READ-ONLY" if mode == "read-only" else mode.upper()
    room = width - len(NAME) - len(words) - len(badge) - 4
    if room < 0:
        return f"\x1b[H\x1b[1m{NAME[:width]}\x1b[m"
    return f"\x1b[H\x1b[1m{NAME}\x1b[m  \x1b[2m{words}\x1b[m{' ' * room} \x1b[1m{badge}\x1b[m"


def _width(fd: int) -> int:
    try:
        return os.get_terminal_size(fd).columns
    except OSError:
        return 0


def _write(fd: int, text: str) -> None:
    """Write to the terminal; one that is gone is noticed later, by whoever reads from it."""
    try:
        os.write(fd, text.encode())
    except OSError:
        return
