from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import NamedTuple

from fakes.screens import settle
from textual.app import ComposeResult

from lambdatop.config.theme_file import Themes
from lambdatop.tui.frame import EMPTY_FRAME, Frame
from lambdatop.tui.style.spans import Spans, spans
from lambdatop.tui.style.theme import ThemedApp
from lambdatop.tui.widgets.columns import Column
from lambdatop.tui.widgets.keyed_table import HEADER, KeyedTable
from lambdatop.tui.widgets.rows import Rows


class Row(NamedTuple):
    name: str
    value: int | None


def name_cell(row: Row, frame: Frame, width: int) -> Spans:
    return spans(row.name)


def value_cell(row: Row, frame: Frame, width: int) -> Spans:
    return spans(str(row.value))


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", "name", 10, name_cell, "left", flex=1, sort=lambda r: r.name, descending=False),
    Column("value", "value/min", 9, value_cell, sort=lambda r: r.value),
)


class TableApp(ThemedApp):
    def __init__(self, themes: Themes) -> None:
        super().__init__(themes.themes.values())
        self.table: KeyedTable[Row] = KeyedTable(COLUMNS, sort="value")
        self.moves: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_keyed_table_cursor_moved(self, event: KeyedTable.CursorMoved) -> None:
        self.moves.append(event.key)


def rows(count: int, **changed: int) -> Rows[Row]:
    made = [Row(f"f{i}", changed.get(f"f{i}", count - i)) for i in range(count)]
    return Rows(made, attrgetter("name"))


@contextmanager
def painted(table: KeyedTable[Row]) -> Iterator[list[int]]:
    """Yield the lines that are rendered while the block runs."""
    lines: list[int] = []
    original = table.render_line

    def spy(y: int):  # type: ignore[no-untyped-def]
        lines.append(y)
        return original(y)

    table.render_line = spy  # type: ignore[method-assign]
    yield lines
    del table.render_line


async def test_only_changed_rows_are_painted(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        app.table.show_rows(rows(100), EMPTY_FRAME)
        await settle(pilot)
        with painted(app.table) as lines:
            app.table.show_rows(rows(100), EMPTY_FRAME)
            await settle(pilot)
            assert lines == []
            same = list(rows(100))
            same[3] = Row("renamed", 97)
            same[50] = Row("far below", 50)
            app.table.show_rows(Rows(same, attrgetter("name")), EMPTY_FRAME)
            await settle(pilot)
            assert set(lines) == {HEADER + 3}


async def test_moving_paints_two_rows(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        app.table.show_rows(rows(100), EMPTY_FRAME)
        app.table.focus()
        await settle(pilot)
        with painted(app.table) as lines:
            app.table.action_cursor_down()
            await settle(pilot)
            assert set(lines) == {HEADER, HEADER + 1}


async def test_ten_thousand_rows_render_what_is_seen(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        with painted(app.table) as lines:
            app.table.show_rows(rows(10_000), EMPTY_FRAME)
            app.table.action_bottom()
            await settle(pilot)
            assert len(set(lines)) <= 20
        assert app.table.cursor_key == "f9999"
        assert len(app.table._strips) <= 60
        app.table.action_page_up()
        assert app.table.cursor_key == f"f{9999 - app.table.page_lines}"


async def test_cursor_follows_its_key_and_stays_in_sight(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        app.table.show_rows(rows(100), EMPTY_FRAME)
        await settle(pilot)
        app.table.move_to("f5")
        app.table.show_rows(rows(100, f5=-1), EMPTY_FRAME)
        await settle(pilot)
        assert app.table.cursor_key == "f5"
        assert app.table.row_keys[-1] == "f5"
        assert app.table.cursor_row == Row("f5", -1)
        assert app.table._is_visible(99)
        assert app.moves == ["f0", "f5"]


async def test_a_cursor_out_of_sight_does_not_drag_the_screen(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        app.table.show_rows(rows(100), EMPTY_FRAME)
        await settle(pilot)
        app.table.scroll_to(y=50, animate=False, force=True)
        await settle(pilot)
        app.table.show_rows(rows(100, f9=1000), EMPTY_FRAME)
        await settle(pilot)
        assert app.table.scroll_offset.y == 50


async def test_a_lost_key_gives_way_to_the_row_in_its_place(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        app.table.show_rows(rows(10), EMPTY_FRAME)
        await settle(pilot)
        app.table.move_to("f4")
        seen = []
        for left in (rows(10).only(lambda row: row.name != "f4"), rows(3), rows(0)):
            app.table.show_rows(left, EMPTY_FRAME)
            seen.append(app.table.cursor_key)
        assert seen == ["f5", "f2", None]
        assert app.table.cursor_row is None
        app.table.action_cursor_down()
        app.table.move_to("gone")
        app.table.show_rows(rows(2), EMPTY_FRAME)
        assert app.table.cursor_key == "f0"


async def test_clicks_put_the_cursor(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        app.table.show_rows(rows(100), EMPTY_FRAME)
        app.table.scroll_to(y=10, animate=False, force=True)
        await settle(pilot)
        await pilot.click(app.table, offset=(3, 4))
        assert app.table.cursor_key == "f13"
        await pilot.click(app.table, offset=(3, 0))
        assert app.table.cursor_key == "f13"


async def test_without_the_focus_the_cursor_stays_on_the_first_line(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        app.set_focus(None)
        await settle(pilot)
        app.table.show_rows(rows(5), EMPTY_FRAME)
        await settle(pilot)
        app.table.show_rows(rows(5, f3=100), EMPTY_FRAME)
        seen = [app.table.cursor_key]
        app.table.focus()
        await settle(pilot)
        app.table.show_rows(rows(5), EMPTY_FRAME)
        seen.append(app.table.cursor_key)
        assert seen == ["f3", "f3"]


async def test_greyed_rows_and_words_of_an_empty_table(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        app.table.set_empty_text(spans("nothing here"))
        await settle(pilot)
        assert "nothing here" in app.table.render_line(HEADER + 1).text
        app.table.show_rows(rows(3), EMPTY_FRAME)
        await settle(pilot)
        before = [s.style for s in app.table.render_line(HEADER + 1)]
        app.table.show_rows(rows(3), EMPTY_FRAME, greyed=True)
        await settle(pilot)
        strip = app.table.render_line(HEADER + 1)
        assert "f1" in strip.text
        assert [s.style for s in strip] != before
        stale = app.inks.rich("stale").color
        assert {s.style.color for s in strip if s.style and s.text.strip()} == {stale}


async def test_a_new_theme_repaints(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        app.theme = "midnight"
        app.table.show_rows(rows(3), EMPTY_FRAME)
        await settle(pilot)
        before = [s.style for s in app.table.render_line(HEADER)]
        app.theme = "paper"
        await settle(pilot)
        assert [s.style for s in app.table.render_line(HEADER)] != before


async def test_builtin_themes_have_all_inks(themes: Themes) -> None:
    app = TableApp(themes)
    async with app.run_test(size=(40, 20)) as pilot:
        for name in ("textual-dark", "ansi-light", "nord"):
            app.theme = name
            await settle(pilot)
            assert app.inks.rich("critical").color is not None
            assert app.inks.rich("stale").color is not None
