"""Hold the few characters that are not letters, and their ASCII forms for terminals without UTF-8.

Renderers write Unicode; the widgets translate at the very edge (`to_ascii`), so no renderer has to ask.
"""

from __future__ import annotations

SPARK = "▁▂▃▄▅▆▇█"
BAR = "▏▎▍▌▋▊▉█"
EMPTY = "·"
UP, DOWN = "↑", "↓"
ON, OFF = "●", "○"
ARROW = "→"
CORNER = "└"
SORT_DOWN, SORT_UP = "▾", "▴"
BULLET = "•"
TIMES = "\u00d7"

_ASCII = str.maketrans("▁▂▃▄▅▆▇█▏▎▍▌▋▊▉·↑↓●○→▾▴•\u00d7\u2013—…½␊≥≤│─└", "_.-:=+*#-----##.^v*o>v^-x--~2/><|-'")
# What Textual itself draws: borders, scrollbars, the palette's frame.
_ASCII |= str.maketrans("╭╮╰╯┌┐┘├┤┬┴┼╔╗╚╝", "+" * 16)
_ASCII |= str.maketrans("━═╸╺▀▔┃║▐▕╹╻■□▪▫←▶◀▲▼✓✗", "------||||||##..<><^vvx")
_ASCII |= str.maketrans("\u2018\u2019\u201c\u201d\u00a0", "''\"\" ")


def trend(word: str) -> str:
    """Return the arrow of a trend word, a blank when there is none to show."""
    return {"up": UP, "down": DOWN}.get(word, " ")


def to_ascii(text: str) -> str:
    """Return `text` in as many ASCII characters; what has no likeness becomes `?`."""
    if text.isascii():
        return text
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
