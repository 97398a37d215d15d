"""The glass of a terminal: which character and which ground each cell has, quickly enough to time keys by it.

It understands what Textual's apps and lambdatop write, and answers the two questions that they ask. Every
character counts as one cell wide. (`pyte` understands everything, at a tenth of the speed.)
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable
from functools import lru_cache

WHERE, SYNC = "\x1b[1;1R", "\x1b[?2026;2$y"
"""Where the cursor is, and that frames may be written between marks: what a terminal of today answers."""
_TOKEN = re.compile(
    r"\x1b\[([?<>=]?[\d;:]*)([ -/]*[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[P_^][^\x1b]*\x1b\\"
    r"|\x1b[()][0-9A-Z]|\x1b[^\[\]P_^()]"
    r"|([^\x00-\x1f\x7f]+)|([\r\n\x08])|[\x00-\x1a\x1c-\x1f\x7f]"
)


@lru_cache(maxsize=4_096)
def _grounds(parameters: str) -> tuple[tuple[str, str], ...]:
    """Return what a sequence of SGR does to the background: ("reset" | "back" | "reverse", value)."""
    codes, said, i = (parameters or "0").split(";"), [], 0
    while i < len(codes):
        code = codes[i] or "0"
        long = 5 if codes[i + 1 : i + 2] == ["2"] else 3
        if code in ("38", "48"):
            if code == "48":
                said.append(("back", ";".join(codes[i : i + long])))
            i += long
            continue
        if code == "0":
            said.append(("reset", ""))
        elif code in ("7", "27"):
            said.append(("reverse", code))
        elif code == "49":
            said.append(("back", ""))
        elif (len(code) == 2 and code[0] == "4") or (len(code) == 3 and code[:2] == "10"):
            said.append(("back", code))
        i += 1
    return tuple(said)


class Glass:
    """Cells as they are shown; `answer` is called with what a terminal says when it is asked."""

    def __init__(self, columns: int, lines: int, answer: Callable[[str], object] = lambda _: None) -> None:
        """Make a glass.

        `at_frame` may be set: it is called at the end of each frame that is marked as such.
        """
        self.columns, self.lines, self._answer = columns, lines, answer
        self.at_frame: Callable[[], object] = lambda: None
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._x = self._y = 0
        self._back, self._reverse = "", False
        self._clear()

    def _clear(self) -> None:
        self.text = [[" "] * self.columns for _ in range(self.lines)]
        self.ground = [[""] * self.columns for _ in range(self.lines)]

    def feed(self, data: bytes) -> None:
        """Show some bytes; a sequence may come in pieces."""
        said, end = self._rest + self._decode(data), 0
        for found in _TOKEN.finditer(said):
            if found.start() != end:
                break  # the beginning of a sequence whose end has not come
            end = found.end()
            parameters, final, plain, control = found.groups()
            if plain is not None:
                self._write(plain)
            elif final is not None:
                self._obey(parameters, final)
            elif control is not None:
                self._move(control)
        self._rest = said[end:]

    def line(self, y: int) -> str:
        """Return the characters of one line."""
        return "".join(self.text[y])

    def shows(self, words: str) -> bool:
        """Return whether these words stand on one of the lines."""
        return any(words in self.line(y) for y in range(self.lines))

    def grounds(self, x: int) -> list[str]:
        """Return the background of all lines in one column."""
        return [line[x] for line in self.ground]

    def _write(self, plain: str) -> None:
        if not 0 <= self._y < self.lines:
            return
        end = min(self.columns, self._x + len(plain))
        fits = end - self._x
        if fits > 0:
            ground = f"r{self._back}" if self._reverse else self._back
            self.text[self._y][self._x : end] = plain[:fits]
            self.ground[self._y][self._x : end] = [ground] * fits
        self._x = end

    def _move(self, control: str) -> None:
        if control == "\r":
            self._x = 0
        elif control == "\n":
            self._y = min(self.lines - 1, self._y + 1)
        else:
            self._x = max(0, self._x - 1)

    def _obey(self, parameters: str, final: str) -> None:
        if final == "m" and parameters[:1] not in "<>=?"[: len(parameters)]:
            self._dip(parameters)
        elif final == "H":
            y, _, x = parameters.partition(";")
            self._y, self._x = int(y or 1) - 1, int(x or 1) - 1
        elif final == "C":
            self._x += int(parameters or 1)
        elif (final == "J" and parameters == "2") or (final == "h" and parameters == "?1049"):
            self._clear()
        elif final == "l" and parameters == "?2026":
            self.at_frame()
        elif final == "n" and parameters == "6":
            self._answer(WHERE)
        elif final == "$p" and parameters == "?2026":
            self._answer(SYNC)

    def _dip(self, parameters: str) -> None:
        for what, value in _grounds(parameters):
            if what == "reset":
                self._back, self._reverse = "", False
            elif what == "back":
                self._back = value
            else:
                self._reverse = value == "7"
