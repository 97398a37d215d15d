"""Keep what the terminal shows, cell by cell, and write the fewest characters that update it.

Frames are put into `wanted`; `changes` compares with what was written (`shown`) and pays in pieces, so
a frame that a slow line has no room for is never queued: the next call writes the newest state. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from lambdatop.tui.style.theme import to_ascii

GAP = 9
"""Unchanged cells that are written again rather than jumped over: a jump costs four to six characters."""

_ATTRIBUTES = (
    ("bold", "1"),
    ("dim", "2"),
    ("italic", "3"),
    ("underline", "4"),
    ("blink", "5"),
    ("blink2", "6"),
    ("reverse", "7"),
    ("conceal", "8"),
    ("strike", "9"),
    ("underline2", "21"),
    ("overline", "53"),
)
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f") | frozenset(map(chr, range(0xE0020, 0xE0080)))
"""What is invisible and belongs to what is seen; where, the cleaning gate knows (`domain/sanitize.py`)."""


class Ink(NamedTuple):
    """How a cell looks, as parameters of SGR; "" is the terminal's own. `link` is the address behind it."""

    attributes: str = ""
    foreground: str = ""
    background: str = ""
    link: str = ""


PLAIN = Ink()
_UNKNOWN = "\0"
_LINK = re.compile(r"https://[!-~]{1,500}")
"""What may stand in OSC 8: nothing that could end it."""
_ASCII_ONE_EACH = re.compile("[ -~]*")
_ONE_EACH = re.compile("[ -~\u00a0-\u00ac\u00ae-\u02ff\u2013\u2014\u2022\u2026\u2190-\u2193\u2500-\u25cf]*")
"""Most of what there is to show: characters of one cell, about which everybody agrees."""


@lru_cache(maxsize=16_384)
def ink_of(style: Style, colors: ColorSystem | None, links: bool = False) -> Ink:
    """Return a style in the colours that this terminal has (None: none at all), with its link if it can."""
    attributes = ";".join(code for name, code in _ATTRIBUTES if getattr(style, name))
    link = style.link if links and style.link and _LINK.fullmatch(style.link) else ""
    if colors is None:
        return Ink(attributes, link=link)
    fore, back = style.color, style.bgcolor
    return Ink(
        attributes,
        ";".join(fore.downgrade(colors).get_ansi_codes()) if fore else "",
        ";".join(back.downgrade(colors).get_ansi_codes(foreground=False)) if back else "",
        link,
    )


@lru_cache(maxsize=4_096)
def _cells_of(text: str) -> tuple[str, ...]:
    """Return a text cell by cell; the second cell of a wide character is empty.

    Nothing that moves the cursor gets through, whatever cleaning there was before.
    """
    cells: list[str] = []
    for start, end, width in split_graphemes(text)[0]:
        shown = "".join(c for c in text[start:end] if c.isprintable() or c in _JOINERS)
        if width == 0 and cells and shown:
            cells[-1] += shown
        elif width:
            cells += [shown or " ", ""] if width == 2 else [shown or " "]
    return tuple(cells)


@lru_cache(maxsize=4_096)
def _ascii_cells_of(text: str) -> tuple[str, ...]:
    """Return the same for a terminal that shows nothing but ASCII: one character for each cell."""
    return tuple(to_ascii(cell[0]) if cell else "?" for cell in _cells_of(text))


class Cells:
    """Two screens of cells, the wanted one and the shown one."""

    def __init__(
        self,
        colors: ColorSystem | None = ColorSystem.TRUECOLOR,
        *,
        ascii_only: bool = False,
        links: bool = False,
    ):
        self._colors, self._links = colors, links
        self._split = _ascii_cells_of if ascii_only else _cells_of
        self._one_each = (_ASCII_ONE_EACH if ascii_only else _ONE_EACH).fullmatch
        self._pen = Pen()
        self._dirty: dict[int, None] = {}
        self.resize(0, 0)

    def resize(self, width: int, height: int) -> None:
        """Set another size: everything is unknown and blank."""
        self.width, self.height = width, height
        self._text = [[" "] * width for _ in range(height)]
        self._ink = [[PLAIN] * width for _ in range(height)]
        self.forget()

    def forget(self) -> None:
        """Forget what the terminal shows: all of it will be written again."""
        self._shown_text = [[_UNKNOWN] * self.width for _ in range(self.height)]
        self._shown_ink = [[PLAIN] * self.width for _ in range(self.height)]
        self._dirty = dict.fromkeys(range(self.height))
        self._pen = Pen()

    def put(self, x: int, y: int, segments: Iterable[Segment]) -> None:
        """Write a piece of a line into the wanted screen; what is outside of it is cut off."""
        if not 0 <= y < self.height or x < 0:
            return
        text, inks, width = self._text[y], self._ink[y], self.width
        self._dirty[y] = None
        for said, style, control in segments:
            if control or not said:
                continue
            cells: Sequence[str] = said if self._one_each(said) else self._split(said)
            end = x + len(cells)
            if x >= width:
                return
            if end > width:
                cells, end = cells[: width - x], width
                cells = [*cells[:-1], " "] if self._split(said)[width - x] == "" else cells
            _part(text, x)
            _part(text, end)
            text[x:end] = cells
            ink = ink_of(style, self._colors, self._links) if style else PLAIN
            inks[x:end] = [ink] * len(cells)
            x = end

    @property
    def waiting(self) -> bool:
        """Whether there may be something to write."""
        return bool(self._dirty)

    def changes(self, budget: int) -> str:
        """Return what to write next: about `budget` characters, at least one piece.

        Empty when all is shown.
        """
        pen, used = self._pen, len(self._pen.written)
        while self._dirty and len(pen.written) - used < budget:
            y = next(iter(self._dirty))
            for start, end in self._runs(y):
                pen.draw(start, y, self._text[y][start:end], self._ink[y][start:end], self.width)
                self._shown(y, start, end)
                if len(pen.written) - used >= budget:
                    break
            else:
                del self._dirty[y]
        return pen.take()

    def park(self, x: int, y: int) -> str:
        """Return what moves the cursor to a place."""
        self._pen.draw(x, y, (), (), self.width)
        return self._pen.take()

    def _shown(self, y: int, start: int, end: int) -> None:
        self._shown_text[y][start:end] = self._text[y][start:end]
        self._shown_ink[y][start:end] = self._ink[y][start:end]

    def _runs(self, y: int) -> Iterator[tuple[int, int]]:
        """Yield the parts of a line that are not shown as wanted."""
        text, ink, old, old_ink = self._text[y], self._ink[y], self._shown_text[y], self._shown_ink[y]
        if text == old and ink == old_ink:
            return
        if not (_simple(text) and _simple(old)):
            yield 0, self.width  # terminals disagree about widths: the whole line, each odd one put in place
            return
        start = end = -1
        for x in [i for i in range(self.width) if text[i] != old[i] or ink[i] != old_ink[i]]:
            if start >= 0 and x - end >= GAP:
                yield start, end
                start = x
            elif start < 0:
                start = x
            end = x + 1
        yield start, end


def _part(row: list[str], x: int) -> None:
    """Cut a wide character in two blanks when a piece ends in the middle of it."""
    if 0 < x < len(row) and row[x] == "":
        row[x - 1] = row[x] = " "


def _simple(row: Sequence[str]) -> bool:
    """Return whether every cell holds one character of one cell (or is not known)."""
    return set(map(len, row)) <= {1}


class Pen:
    """Writes cells, and remembers where the cursor is and which ink it has."""

    def __init__(self) -> None:
        self._x = self._y = -1
        self._ink: Ink | None = None
        self.written = ""

    def take(self) -> str:
        """Return what was written since the last call."""
        written, self.written = self.written, ""
        return written

    def draw(self, x: int, y: int, text: Sequence[str], inks: Sequence[Ink], width: int) -> None:
        """Draw some neighbouring cells of one line; `width` is the terminal's."""
        made, simple = [self._go(x, y)], _simple(text)
        start, length = 0, len(text)
        while start < length:
            ink, end = inks[start], start + 1
            while end < length and (inks[end] is ink or inks[end] == ink):
                end += 1
            if ink != self._ink:
                made.append(self._dip(ink))
            made += text[start:end] if simple else self._odd(x, y, text, start, end, width)
            start = end
        if self._ink is not None and self._ink.link:  # whatever else is written is no part of it
            self._ink = self._ink._replace(link="")
            made.append(_link(""))
        self.written += "".join(made)
        # At the right edge terminals differ about where the cursor is.
        self._x, self._y = (x + len(text), y) if x + len(text) < width else (-1, -1)

    def _odd(self, x: int, y: int, text: Sequence[str], start: int, end: int, width: int) -> Iterator[str]:
        """Yield cells among which some are wide or composed: terminals do not agree about how wide."""
        for i in range(start, end):
            wide = i + 1 < len(text) and text[i + 1] == ""
            if len(text[i]) == 1 and not wide:
                yield text[i]
            elif text[i]:  # clear the place, and do not believe where the cursor is afterwards
                after = x + i + 1 + wide
                yield f"{' ' * (1 + wide)}{_place(x + i, y)}{text[i]}"
                yield _place(after, y) if after < width else ""

    def _go(self, x: int, y: int) -> str:
        if self._y == y and self._x == x:
            return ""
        if self._y == y and 0 <= self._x < x:
            return f"\x1b[{x - self._x}C" if x - self._x > 1 else "\x1b[C"
        return _place(x, y)

    def _dip(self, ink: Ink) -> str:
        old, self._ink = self._ink, ink
        link = _link(ink.link) if ink.link != (old.link if old is not None else "") else ""
        if old is not None and ink[:3] == old[:3]:
            return link
        if old is None or ink.attributes != old.attributes:
            codes = [code for code in ink[:3] if code]
            return link + (f"\x1b[0;{';'.join(codes)}m" if codes else "\x1b[m")
        codes = []
        if ink.foreground != old.foreground:
            codes.append(ink.foreground or "39")
        if ink.background != old.background:
            codes.append(ink.background or "49")
        return f"{link}\x1b[{';'.join(codes)}m"


def _link(address: str) -> str:
    """Return the sequence that begins a link, or ends it (OSC 8); terminals without links ignore it."""
    return f"\x1b]8;;{address}\x1b\\"


def _place(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"
