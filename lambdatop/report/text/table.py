"""Write plain text tables: aligned columns for people, Markdown for tickets. No colour."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

Row = Sequence[str]

_AT_AN_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore that could begin or end emphasis; one within a word is not markup and stays readable."""
_BREAKS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Whatever some reader takes for the end of a line."""
_PICTURES = "\u203c-\u3299\U0001f000-\U0001faff"
_CONTINUES = re.compile(f"[{_PICTURES}][\U0001f3fb-\U0001f3ff]|\u200d[{_PICTURES}]|.[\u1160-\u11ff]")
"""What stands with the one before it: a skin tone, a joined picture, vowels and ends of Korean syllables."""
_BARE_LINK = re.compile(r"(?<=www)(?=\.)|(?<=\w)(?=\.[^\W\d_]{2})|(?=://)|(?<=/)(?=/)", re.IGNORECASE)
"""Where renderers see a link that nobody marked as one: before a dot or colon, between slashes."""
_ONLY_CODE_HELPS = re.compile(
    r"(?:@[\w.@-]+|#\d+|GH-\d+"  # an address or somebody who is notified, an issue
    r"|(?<![\w+./-])[\w+./-]*+:(?!\d\d:)[\w+-]+:[\w+./:@#-]*"  # a picture; an ARN looks like many of them
    r"|:(?!\d\d:)[\w+-]+:)+",
    re.IGNORECASE | re.ASCII,
)
"""What renderers act on in the text that is left when all markup is understood, so that no escape helps.

GitHub's cmark-gfm looks for addresses in text whose escapes are resolved already, and names, issues and
pictures are looked for in the finished page. None of them looks into code.
"""


def width(text: str) -> int:
    """Return the columns that a text takes in a terminal.

    Joining, combining and colouring characters take none.
    """
    if text.isascii():
        return len(text)
    columns = last = 0
    for before, char in zip("\0" + text, text, strict=False):
        if char == "\ufe0f":  # the picture of what else is a sign of one column
            columns, last = columns + 2 - last, 2
        elif unicodedata.category(char) not in ("Mn", "Me", "Cf") and not _CONTINUES.fullmatch(before + char):
            last = 2 if unicodedata.east_asian_width(char) in "WF" else 1
            columns += last
    return columns


def text_table(head: Row | None, rows: Sequence[Row], right: Sequence[int] = ()) -> str:
    """Return aligned columns with two spaces between them; columns in `right` are flush right."""
    lines = [list(head)] if head else []
    lines += [[cell.replace("\n", " ") for cell in row] for row in rows]
    if not lines:
        return ""
    widths = [max(width(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(_line(line, widths, right) for line in lines)


def _line(cells: Row, widths: Sequence[int], right: Sequence[int]) -> str:
    padded = []
    for i, cell in enumerate(cells):
        space = " " * (widths[i] - width(cell))
        padded.append(space + cell if i in right else cell + space)
    return "  ".join(padded).rstrip()


def markdown_table(head: Row, rows: Sequence[Row], right: Sequence[int] = ()) -> str:
    """Return a Markdown table; what would end a cell or start markup is escaped."""
    rule = ["---:" if i in right else "---" for i in range(len(head))]
    body = [[markdown_cell(cell) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in [list(head), rule, *body])


def markdown_cell(text: str) -> str:
    """Return foreign text as a Markdown cell: it is shown as it is, without effect."""
    # One tilde alone strikes nothing out, and we write it ourselves before figures that are assumed.
    marks = "|`*<>[]&$~" if text.count("~") > 1 else "|`*<>[]&$"
    made, end = [], 0
    for found in _ONLY_CODE_HELPS.finditer(text):
        made += [_escaped(text[end : found.start()], marks), f"`{found.group()}`"]
        end = found.end()
    return "".join((*made, _escaped(text[end:], marks)))


def _escaped(text: str, marks: str) -> str:
    """Return text with everything escaped that would end a cell or start markup."""
    text = _BREAKS.sub(" ", text.replace("\\", "\\\\"))
    for mark in marks:
        text = text.replace(mark, f"\\{mark}")
    return _BARE_LINK.sub(r"\\", _AT_AN_EDGE.sub(r"\\_", text))
