"""Break shell commands over lines of a narrow screen so that no part of one runs by itself. Pure.

A command that is cut by bare line ends is, copied, a first line that runs without its last words: the region
and the profile. Here each line but the last ends in a backslash, and parentheses hold all of them together:
without the last line the shell goes on asking, without the first one it refuses.
"""

from __future__ import annotations

import shlex

_ROOM = 3
"""Cells that a line keeps for a parenthesis, a space and the backslash."""
_LEAST = 20


def command_lines(command: str, width: int) -> list[str]:
    """Return lines of one command, each at most `width` cells (at least 20); one that fits stays as it is."""
    if len(command) <= width:
        return [command]
    room = max(_LEAST, width) - _ROOM
    lines: list[str] = []
    for word in shlex.split(command):
        head, *tail = _pieces(word, room)
        if lines and len(lines[-1]) + 1 + len(head) <= room:
            lines[-1] += f" {head}"
        else:
            lines += ([f"{lines.pop()} "] if lines else []) + [head]
        # A long word goes on at the very beginning of the next line; indented it is two, which `aws` refuses.
        lines += tail
    return [f"({lines[0]}\\", *(f"{line}\\" for line in lines[1:-1]), f"{lines[-1]})"]


def _pieces(word: str, room: int) -> list[str]:
    """Return a word in pieces that fit, each quoted; the shell joins adjacent ones."""
    if len(shlex.quote(word)) <= room:
        return [shlex.quote(word)]
    pieces, rest = [], word
    while rest:
        size = room
        while size > 1 and len(shlex.quote(rest[:size])) > room:
            size -= 1
        pieces.append(shlex.quote(rest[:size]))
        rest = rest[size:]
    return pieces
