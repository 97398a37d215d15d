"""Search a regular expression by an automaton that is built while it reads: one step a character. Pure.

The parsed pattern becomes nodes (Thompson); sets of nodes become states when a text first leads to them.
Beginnings, ends and word boundaries are decided when the character behind them is known.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lambdatop.domain.errors import LambdatopError

MAX_NODES = 2_000
MAX_STATES = 2_000
HIGHLIGHTS = 50
"""Matches told of one text."""

Span = tuple[int, int]
REPEATS = ("MAX_REPEAT", "MIN_REPEAT")
# The parse tree of `re` has no public name; a test pins what is used of it.
_names: Any = importlib.import_module("re._constants")
ENDLESS: Any = _names.MAXREPEAT
_NONE, _WORD, _OTHER = "", "word", "other"


class PatternError(LambdatopError):
    """A pattern that is not a regular expression, or one that cannot be searched in linear time."""


@dataclass(slots=True)
class _Node:
    """`test` reads a character; `at` passes at a boundary; without either it passes without a test."""

    outs: tuple[int, ...] = ()
    test: Callable[[str], bool] | None = None
    at: str = ""


class _Program:
    """A pattern as nodes; node 0 accepts. `backwards` reads texts from right to left."""

    def __init__(self, tree: Any, flags: int, *, backwards: bool) -> None:
        self.nodes = [_Node()]
        self.backwards = backwards
        self._dot_all = bool(flags & re.DOTALL)
        self.start = self._sequence(tree, 0, bool(flags & re.IGNORECASE))

    def _add(self, node: _Node) -> int:
        if len(self.nodes) >= MAX_NODES:
            raise PatternError("its counted repetitions make it too large")
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _sequence(self, tree: Any, after: int, fold: bool) -> int:
        for op, value in tree if self.backwards else reversed(list(tree)):
            after = self._item(str(op), value, after, fold)
        return after

    def _item(self, name: str, value: Any, after: int, fold: bool) -> int:
        if name in REPEATS:
            return self._repeat(int(value[0]), value[1], value[2], after, fold)
        if name == "SUBPATTERN":
            return self._sequence(value[3], after, (fold or bool(value[1])) and not value[2])
        if name == "BRANCH":
            return self._add(_Node(tuple(self._sequence(b, after, fold) for b in value[1])))
        if name == "AT":
            return self._add(_Node((after,), at=str(value)))
        return self._add(_Node((after,), test=_reads(name, value, fold, self._dot_all)))

    def _repeat(self, low: int, high: Any, body: Any, after: int, fold: bool) -> int:
        entry = after
        if high is ENDLESS:
            entry = self._add(_Node())
            self.nodes[entry].outs = (self._sequence(body, entry, fold), after)
        else:
            for _ in range(int(high) - low):
                entry = self._add(_Node((self._sequence(body, entry, fold), after)))
        for _ in range(low):
            entry = self._sequence(body, entry, fold)
        return entry


def _reads(name: str, value: Any, fold: bool, dot_all: bool) -> Callable[[str], bool]:
    if name == "ANY":
        return lambda c: dot_all or c != "\n"
    items = [(name.removeprefix("NOT_"), value)] if name != "IN" else [(str(op), v) for op, v in value]
    negated = name == "NOT_LITERAL" or items[0][0] == "NEGATE"

    def reads(c: str) -> bool:
        faces = {c, c.lower(), c.upper()} if fold else {c}
        return any(_is(face, *item) for item in items for face in faces if len(face) == 1) is not negated

    return reads


def _is(c: str, name: str, value: Any) -> bool:
    if name == "LITERAL":
        return bool(ord(c) == value)
    if name == "RANGE":
        return bool(value[0] <= ord(c) <= value[1])
    if name != "CATEGORY":
        return False
    kind = str(value).removeprefix("CATEGORY_")
    word = kind.removeprefix("NOT_")
    is_one = c.isdecimal() if word == "DIGIT" else c.isspace() if word == "SPACE" else _kind(c) == _WORD
    return is_one is (word == kind)


def _kind(c: str) -> str:
    return _WORD if c.isalnum() or c == "_" else _OTHER


def _passes(at: str, before: str, after: str) -> bool:
    if at in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
        return before == _NONE
    if at in ("AT_END", "AT_END_STRING"):
        return after == _NONE
    return ((before == _WORD) != (after == _WORD)) is (at == "AT_BOUNDARY")


class _State(dict[str, "tuple[bool, _State]"]):
    """A set of nodes and the character behind it; knows where each next character leads (when asked)."""

    __slots__ = ("behind", "machine", "nodes")

    def __init__(self, machine: _Machine, nodes: frozenset[int], behind: str) -> None:
        super().__init__()
        self.machine, self.nodes, self.behind = machine, nodes, behind

    def __missing__(self, c: str) -> tuple[bool, _State]:
        self[c] = found = self.machine.step(self, c)
        return found


class _Machine:
    """A deterministic automaton that is built while it reads, and forgotten when it grows too large."""

    def __init__(self, program: _Program, *, anywhere: bool) -> None:
        self._program = program
        self._anywhere = anywhere
        self._states: dict[tuple[frozenset[int], str], _State] = {}

    def begin(self, behind: str) -> _State:
        """Return the state before the first character; `behind` is the character before it."""
        return self._state(frozenset((self._program.start,)), behind)

    def step(self, state: _State, c: str) -> tuple[bool, _State]:
        """Return whether it accepts before `c` (or at the end, for ""), and the state after it."""
        ahead = _kind(c) if c else _NONE
        reached = self._closure(state.nodes, state.behind, ahead)
        nodes = [self._program.nodes[i] for i in reached]
        after = {n.outs[0] for n in nodes if c and n.test is not None and n.test(c)}
        if self._anywhere:
            after.add(self._program.start)
        return 0 in reached, self._state(frozenset(after), ahead)

    def _state(self, nodes: frozenset[int], behind: str) -> _State:
        state = self._states.get((nodes, behind))
        if state is None:
            if len(self._states) >= MAX_STATES:
                for old in self._states.values():
                    old.clear()
                self._states.clear()
            state = self._states[nodes, behind] = _State(self, nodes, behind)
        return state

    def _closure(self, nodes: frozenset[int], behind: str, ahead: str) -> set[int]:
        before, after = (ahead, behind) if self._program.backwards else (behind, ahead)
        seen, todo = set(nodes), list(nodes)
        while todo:
            node = self._program.nodes[todo.pop()]
            if node.test is None and (not node.at or _passes(node.at, before, after)):
                new = [i for i in node.outs if i not in seen]
                seen.update(new)
                todo += new
        return seen


class Search:
    """Searches with two automata: forwards for the nearest end of a match, backwards for its beginning."""

    def __init__(self, tree: Any, flags: int) -> None:
        self._ends = _Machine(_Program(tree, flags, backwards=False), anywhere=True)
        self._starts = _Machine(_Program(tree, flags, backwards=True), anywhere=False)

    def found(self, text: str) -> bool:
        """Return whether the pattern occurs in the text."""
        return self._end(text, 0) is not None

    def spans(self, text: str) -> list[Span]:
        """Return where it occurs; of several ends the nearest."""
        found: list[Span] = []
        at = 0
        while len(found) < HIGHLIGHTS and (end := self._end(text, at)) is not None and end > at:
            found.append((self._start(text, at, end), end))
            at = end
        return found

    def _end(self, text: str, at: int) -> int | None:
        state = self._ends.begin(_kind(text[at - 1]) if at else _NONE)
        for i, c in enumerate(text[at:] if at else text, at):
            accepts, state = state[c]
            if accepts:
                return i
        return len(text) if state[""][0] else None

    def _start(self, text: str, low: int, end: int) -> int:
        state = self._starts.begin(_kind(text[end]) if end < len(text) else _NONE)
        best = end
        for i in range(end, low - 1, -1):
            accepts, state = state[text[i - 1] if i else ""]
            if accepts:
                best = i
        return best
