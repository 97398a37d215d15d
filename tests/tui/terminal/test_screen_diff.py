"""Differences on the terminal: whatever frames come, it shows what full paintings would have shown."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from lambdatop.tui.terminal.screen_diff import Cells, ink_of

WIDTH, HEIGHT = 24, 4
NO_WRAP = "\x1b[?7l"
INKS = [
    None,
    Style(bold=True),
    Style(color="#ff0000"),
    Style(color="#00ff00", bgcolor="#000080"),
    Style(reverse=True, underline=True),
    Style(bgcolor="#000080", italic=True),
]
words = st.text("ab 01─▃│你好e\u0301", max_size=9)
pieces = st.lists(st.tuples(words, st.sampled_from(INKS)), max_size=5)
Line = list[tuple[str, Style | None]]
frames = st.lists(
    st.lists(st.tuples(st.integers(0, HEIGHT - 1), pieces), min_size=1, max_size=HEIGHT),
    min_size=1,
    max_size=5,
)


def strip(line: Line) -> Strip:
    segments = [Segment(text.lstrip("\u0301"), style) for text, style in line]
    return Strip([s for s in segments if s.text]).adjust_cell_length(WIDTH)


def screen() -> tuple[pyte.Screen, pyte.Stream]:
    made = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(made)
    stream.feed(NO_WRAP)
    return made, stream


def shown(display: pyte.Screen) -> list[list[object]]:
    return [[display.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]


def in_full(strips: list[Strip]) -> list[list[object]]:
    """Return what Textual's own way of writing a whole frame shows."""
    display, stream = screen()
    console = Console(color_system="truecolor", force_terminal=True, width=WIDTH)
    update = LayoutUpdate([[s] for s in strips], Region(0, 0, WIDTH, HEIGHT))
    stream.feed(update.render_segments(console))
    return shown(display)


@settings(max_examples=120, deadline=None)
@given(frames, st.integers(1, 200))
def test_it_shows_what_full_paintings_show(changes: list[list[tuple[int, Line]]], budget: int) -> None:
    cells = Cells()
    cells.resize(WIDTH, HEIGHT)
    display, stream = screen()
    rows = [Strip([]).adjust_cell_length(WIDTH) for _ in range(HEIGHT)]
    for y, row in enumerate(rows):
        cells.put(0, y, row)
    for frame in changes:
        for y, line in frame:
            rows[y] = strip(line)
            cells.put(0, y, rows[y])
        stream.feed(cells.changes(budget))  # perhaps a part of it: the next frame replaces the rest
    while cells.waiting:
        stream.feed(cells.changes(budget))
    assert shown(display) == in_full(rows)


def painted(*lines: str, style: Style | None = None, ascii_only: bool = False) -> Cells:
    cells = Cells(ascii_only=ascii_only)
    cells.resize(WIDTH, len(lines))
    for y, line in enumerate(lines):
        cells.put(0, y, [Segment(line.ljust(WIDTH), style)])
    return cells


def test_nothing_is_written_when_nothing_changed() -> None:
    cells = painted("one", "two")
    assert cells.changes(10_000)
    cells.put(0, 0, [Segment("one")])
    assert cells.changes(10_000) == ""
    assert not cells.waiting


def test_only_what_changed_is_written_and_near_changes_together() -> None:
    cells = painted("0123456789" * 2, style=Style(color="#ff0000"))
    cells.changes(10_000)
    cells.put(3, 0, [Segment("x45y", Style(color="#ff0000"))])
    assert cells.changes(10_000) == "\x1b[1;4Hx45y"
    cells.put(0, 0, [Segment("a", Style(color="#ff0000"))])
    cells.put(19, 0, [Segment("b", Style(color="#ff0000"))])
    assert cells.changes(10_000) == "\x1b[1;1Ha\x1b[18Cb"


def test_only_the_part_of_the_ink_that_differs_is_said() -> None:
    cells = painted("a" * WIDTH, style=Style(color="#010203", bgcolor="#040506"))
    cells.changes(10_000)
    cells.put(2, 0, [Segment("b", Style(color="#070809", bgcolor="#040506"))])
    assert cells.changes(10_000) == "\x1b[1;3H\x1b[38;2;7;8;9mb"


def test_a_frame_that_waits_is_replaced_not_queued() -> None:
    cells = painted(*["old"] * 4)
    first = cells.changes(1)
    assert first.count("old") == 1
    for y in range(4):
        cells.put(0, y, [Segment("new")])
    rest = "".join(cells.changes(10_000) for _ in range(5))
    assert "old" not in rest
    assert rest.count("new") == 4


def test_after_forgetting_everything_is_written_again() -> None:
    cells = painted("one", "two")
    first = cells.changes(10_000)
    cells.forget()
    assert cells.changes(10_000) == first


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("a\x1b[2Jb\x07c\x9bd", "a[2Jbcd"),
        ("x\u202ey\u200bz", "xyz"),
        ("\x0e\x0f", ""),
        ("tab\tend\r\n", "tabend"),
    ],
)
def test_nothing_that_moves_the_cursor_ever_gets_through(said: str, seen: str) -> None:
    cells = Cells()
    cells.resize(WIDTH, 1)
    cells.put(0, 0, [Segment(said)])
    written = cells.changes(10_000)
    assert written.removeprefix("\x1b[1;1H\x1b[m").replace(" ", "").startswith(seen)
    assert not set("\x07\x9b\x0e\x0f\t\r\n\u202e\u200b") & set(written)
    assert "\x1b[2J" not in written


def test_ascii_only_is_ascii_only_in_as_many_columns() -> None:
    cells = painted("╭─│▃█你e\u0301ü…→", ascii_only=True)
    display, stream = screen()
    written = cells.changes(10_000)
    assert written.isascii()
    stream.feed(written)
    assert display.display[0].rstrip() == "+-|-#??e?~>"


def test_a_wide_character_cut_in_two_leaves_no_half() -> None:
    cells = painted("你好")
    display, stream = screen()
    stream.feed(cells.changes(10_000))
    cells.put(1, 0, [Segment("x")])
    cells.put(WIDTH - 1, 0, [Segment("你")])
    stream.feed(cells.changes(10_000))
    assert display.display[0].rstrip() == " x好"


def test_colours_as_the_terminal_has_them() -> None:
    style = Style(bold=True, color="#ff0000", bgcolor="#0000aa")
    assert ink_of(style, ColorSystem.TRUECOLOR)[:3] == ("1", "38;2;255;0;0", "48;2;0;0;170")
    assert ink_of(style, ColorSystem.EIGHT_BIT).foreground.startswith("38;5;")
    few = ink_of(style, ColorSystem.STANDARD)
    assert len(few.foreground) == len(few.background) == 2
    assert ink_of(style, None)[:3] == ("1", "", "")


def test_a_link_is_written_around_its_cells_where_the_terminal_can_and_ends_with_them() -> None:
    address = "https://console.aws.amazon.com/x?y#z"
    line: Line = [("ab", None), ("cd", Style(bold=True, link=address)), ("ef", None)]
    for links in (True, False):
        cells = Cells(links=links)
        cells.resize(WIDTH, 1)
        cells.put(0, 0, strip(line))
        written = cells.changes(10_000)
        opened, ended = f"\x1b]8;;{address}\x1b\\", "\x1b]8;;\x1b\\"
        assert (written.count(opened), written.count(ended)) == (int(links), int(links))
        if links:
            assert written.index(opened) < written.index("cd") < written.index(ended) < written.index("ef")
        display, stream = screen()
        stream.feed(written)
        assert display.display[0].rstrip() == "abcdef"
        cells.put(0, 0, strip([("abcd", None), ("ef", None)]))
        assert address not in cells.changes(10_000)


def test_a_link_at_the_end_of_what_is_written_stays_open_for_nothing_else() -> None:
    cells = Cells(links=True)
    cells.resize(WIDTH, 1)
    cells.put(0, 0, [Segment("x" * WIDTH, Style(link="https://a.b/"))])
    assert cells.changes(10_000).endswith("\x1b]8;;\x1b\\")


@pytest.mark.parametrize(
    "address", ["http://a.b", "https://a.b\x1b\\[2J", "https://a b", "javascript:x", "https://a\x07"]
)
def test_an_address_that_could_end_the_sequence_is_no_link(address: str) -> None:
    assert ink_of(Style(link=address), ColorSystem.TRUECOLOR, True).link == ""
