from __future__ import annotations

from fakes import console_scene as scene
from fakes.screens import settle
from msgspec.structs import replace
from textual.app import ComposeResult

from lambdatop.config.theme_file import Themes
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.loglines.tail import LogTail as Tail
from lambdatop.tui.logview import buffer
from lambdatop.tui.logview.feed import Fresh
from lambdatop.tui.logview.lines import display_lines, render
from lambdatop.tui.logview.tail import LogTail
from lambdatop.tui.search import parse_filter
from lambdatop.tui.style.spans import plain
from lambdatop.tui.style.theme import ThemedApp

KEY = scene.key("function", "orders-worker")
OTHER = scene.key("function", "emails")


def line(seq: int, words: str = "") -> LogLine:
    return replace(parse(scene.NOW + seq, str(seq), "s", words or f"line {seq}"), seq=seq)


def tail(first: int, last: int, **fields: object) -> Tail:
    return Tail("/aws/lambda/x", tuple(line(i) for i in range(first, last + 1)), last + 1, **fields)  # type: ignore[arg-type]


class TailApp(ThemedApp):
    def __init__(self, themes: Themes) -> None:
        super().__init__(themes.themes.values())
        self.tail = LogTail()

    def compose(self) -> ComposeResult:
        yield self.tail


def shown(app: TailApp) -> list[str]:
    return [app.tail.render_line(y).text.split()[-1] for y in range(app.tail.size.height)]


async def test_follows_until_somebody_scrolls_up_and_resumes_at_the_end(themes: Themes) -> None:
    app = TailApp(themes)
    async with app.run_test(size=(60, 10)) as pilot:
        app.tail.show("KEY", {KEY: tail(1, 50)})
        await settle(pilot)
        assert shown(app)[-1] == "50"
        app.tail.show("KEY", {KEY: tail(1, 60)})
        await settle(pilot)
        assert shown(app)[-1] == "60"
        app.tail.action_cursor_up()
        assert not app.tail.following
        before = shown(app)
        app.tail.show("KEY", {KEY: tail(1, 75)})
        await settle(pilot)
        assert shown(app) == before
        assert app.tail.unseen == 15
        app.tail.action_bottom()
        await settle(pilot)
        assert app.tail.following
        assert app.tail.unseen == 0
        assert shown(app)[-1] == "75"


async def test_a_log_without_room_for_a_row_can_be_scrolled(themes: Themes) -> None:
    """What was seen: a pane that had shrunk to nothing could not be shown any more."""
    app = TailApp(themes)
    async with app.run_test(size=(60, 10)) as pilot:
        app.tail.show("KEY", {KEY: tail(1, 50)})
        await settle(pilot)
        app.tail._visible = lambda: []  # type: ignore[method-assign]
        app.tail.watch_scroll_y(40.0, 10.0)
        assert not app.tail.following
        assert app.tail.cursor is not None


async def test_what_is_read_stays_when_old_lines_leave_the_ring(themes: Themes, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(buffer, "KEEP", 50)
    app = TailApp(themes)
    async with app.run_test(size=(60, 10)) as pilot:
        app.tail.show("KEY", {KEY: tail(1, 50)})
        await settle(pilot)
        app.tail.action_page_up()
        await settle(pilot)
        before = shown(app)
        app.tail.show("KEY", {KEY: tail(1, 70)})
        await settle(pilot)
        assert app.tail.line_count == 50
        assert shown(app) == before


async def test_another_function_another_filter_a_restarted_tail(themes: Themes) -> None:
    app = TailApp(themes)
    async with app.run_test(size=(60, 10)) as pilot:
        app.tail.show("KEY", {KEY: tail(1, 30)})
        app.tail.action_cursor_up()
        app.tail.show("OTHER", {OTHER: tail(1, 3)})
        await settle(pilot)
        assert app.tail.line_count == 3
        assert app.tail.following
        app.tail.show("KEY", {KEY: tail(1, 30)}, parse_filter("line 2"))
        assert app.tail.line_count == 11
        app.tail.show("KEY", {KEY: tail(1, 30)})
        assert app.tail.line_count == 30
        app.tail.show("KEY", {KEY: tail(1, 5)})
        assert app.tail.line_count == 5
        app.tail.show("KEY", {KEY: None})
        assert app.tail.line_count == 5


async def test_the_same_tail_again_adds_nothing(themes: Themes) -> None:
    app = TailApp(themes)
    async with app.run_test(size=(60, 10)):
        same = tail(1, 5)
        for _ in range(3):
            app.tail.show("KEY", {KEY: same})
        assert app.tail.line_count == 5


def test_a_traceback_is_one_event_of_several_lines() -> None:
    event = line(1, "[ERROR] KeyError: 'x'\nTraceback\n  File\n")
    pieces = [plain(render(s, 120)) for s in display_lines(Fresh(event, 1))]
    assert len(pieces) == 3
    assert "ERROR  [ERROR] KeyError" in pieces[0]
    assert pieces[1].lstrip() == "Traceback"
    assert pieces[1].startswith(" " * 13)


def test_prefixes_of_the_runtimes_become_a_short_request_id() -> None:
    rid = "3f0e2c1a-5b7d-4c1e-9a60-0d8f2f4f1b01"
    python = line(1, f"[INFO]\t2026-07-01T14:03:18.120Z\t{rid}\tbatch of 10")
    node = line(2, f"2026-07-01T14:03:18.120Z\t{rid}\tWARN\tslow")
    start = line(3, f"START RequestId: {rid} Version: $LATEST")
    report = line(
        4,
        f"REPORT RequestId: {rid}\tDuration: 12.50 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 64 MB\tInit Duration: 130.1 ms\tStatus: timeout",
    )
    texts = [
        plain(render(next(iter(display_lines(Fresh(e, 1)))), 80))[9:] for e in (python, node, start, report)
    ]
    assert texts[0] == "info   3f0e2c1a batch of 10"
    assert texts[1] == "WARN   3f0e2c1a slow"
    assert texts[2] == "start  3f0e2c1a START Version: $LATEST"
    assert texts[3].startswith(
        "ERROR  3f0e2c1a REPORT  12 ms  billed 13 ms  memory 64 of 128 MB  init 130 ms"
    )
    assert texts[3].endswith("timeout")
    assert plain(render(next(iter(display_lines(Fresh(line(5, "no prefix"), 5)))), 80)).endswith("no prefix")
