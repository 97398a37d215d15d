"""The keys of the log pane, as somebody presses them."""

from __future__ import annotations

import pytest
from fakes.fake_console import FakeConsole
from fakes.log_pane import NARROW, MakeApp, OpenLog, marked, numbered, opener, rows, tail, with_log
from fakes.screens import dashboard, press, press_at_once, settle, show, started, text, toasts
from textual.widgets import Input

from lambdatop.tui.logview import buffer
from lambdatop.tui.panes.logs import LogsPane


@pytest.fixture
def open_log(make_app: MakeApp, console: FakeConsole) -> OpenLog:
    """Open the console on a log."""
    return opener(make_app, console)


# -- search ----------------------------------------------------------------------------------------


async def test_search_marks_the_newest_match_and_goes_older_and_newer(open_log: OpenLog) -> None:
    app = open_log(numbered(60, n5="Timeout a", n30="timeout b", n31="x", n55="timeout c"))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "f", *"timeout")
        assert "“timeout” 3" in text(app)
        assert tail(app).following
        await press(pilot, "enter")
        assert marked(app) == "timeout c"
        assert "“timeout” 3/3" in text(app)
        assert not tail(app).following
        await press(pilot, "n")
        assert marked(app) == "timeout b"
        await press(pilot, "n", "n")
        assert marked(app) == "Timeout a"
        assert toasts(app) == ["No older match."]
        assert any("Timeout a" in row for row in rows(app))
        await press(pilot, "N")
        assert marked(app) == "timeout b"
        await press(pilot, "escape", "n")
        assert "“timeout”" not in text(app)
        assert toasts(app)[-1] == "No search yet: press f."


async def test_search_with_a_capital_letter_minds_case(open_log: OpenLog) -> None:
    app = open_log(numbered(20, n5="Timeout a", n9="timeout b"))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "f", *"Time.*a", "enter")
        assert "“Time.*a” 1/1" in text(app)
        assert marked(app) == "Timeout a"
        assert tail(app).line_count == 20  # a search is no filter


async def test_matches_are_highlighted_and_the_filter_stays_what_it_was(open_log: OpenLog) -> None:
    app = open_log(numbered(20, n9="a needle here"))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "slash", *"needle|line", "enter", "f", *"needle", "enter")
        strip = next(s for s in map(tail(app).render_line, range(20)) if "needle" in s.text)
        found = [s for s in strip if s.style is not None and s.style.reverse]
        assert [s.text for s in found] == ["needle"]
        assert "/needle|line/" in text(app).replace("…", "/needle|line/")
        await press(pilot, "escape")
        assert tail(app).book.search is None
        assert tail(app).book.filter.active
        await press(pilot, "escape")
        assert not tail(app).book.filter.active


async def test_keys_typed_behind_a_search_mean_the_lines(open_log: OpenLog, console: FakeConsole) -> None:
    app = open_log(numbered(40, n9="needle a", n20="needle b"))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4")
        await press_at_once(pilot, "f", *"needle", "enter", "n")
        assert marked(app) == "needle a"
        assert console.calls == []
        assert not dashboard(app).query_one("#log-search", Input).display


async def test_a_match_among_lines_not_looked_at_yet_is_found(
    open_log: OpenLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer, "SLICE", 10)
    app = open_log(numbered(400, n3="needle"))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "f", *"needle", "enter")
        assert marked(app) == "needle"


async def test_new_lines_move_neither_the_mark_nor_the_screen(
    open_log: OpenLog, console: FakeConsole
) -> None:
    words = numbered(60, n30="needle")
    app = open_log(words)
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "f", *"needle", "enter")
        before = rows(app)
        show(app, console, with_log([*words, "needle 2", "more"]))
        await settle(pilot)
        assert rows(app) == before
        assert marked(app) == "needle"
        assert "+2 new, End: follow again" in text(app)
        assert "“needle” 1/2" in text(app)
        await press(pilot, "end")
        assert tail(app).following
        assert rows(app)[-1].endswith("more")


# -- switches --------------------------------------------------------------------------------------


async def test_wrap_shows_the_end_of_long_lines_and_follows(open_log: OpenLog, console: FakeConsole) -> None:
    words = numbered(30, n30="long " + "x" * 150 + " tail-end")
    app = open_log(words)
    async with started(app, NARROW) as pilot:
        await press(pilot, "4")
        assert "tail-end" not in text(app)
        await press(pilot, "w")
        assert rows(app)[-1].endswith("tail-end")
        assert "wrap" in text(app).splitlines()[3]
        show(app, console, with_log([*words, "newest"]))
        await settle(pilot)
        assert rows(app)[-1].endswith("newest")
        await press(pilot, "g")
        assert rows(app)[0].endswith("line 1")
        for _ in range(len(words)):
            await press(pilot, "j")
            log = tail(app)
            assert log.following or any(row.shown is log.cursor for row in log._visible())
        assert rows(app)[-1].endswith("newest")
        await press(pilot, "w")
        assert "tail-end" not in text(app)


async def test_switches_are_told_and_turned_off_again(open_log: OpenLog) -> None:
    rid, other = "3f0e2c1a-5b7d-4c1e-9a60-0d8f2f4f1b01", "4f0e2c1a-5b7d-4c1e-9a60-0d8f2f4f1b01"
    app = open_log([f"{rid} a", f"{other} b", f"[ERROR] {rid} c", f"{other} d"])
    async with started(app, (120, 40)) as pilot:
        await press(pilot, "4", "z", "i", "o")
        assert [r.split()[-1] for r in rows(app) if r] == ["a", "c", "b", "d"]
        assert "by request" in text(app)
        assert "no time" in text(app)
        await press(pilot, "e")
        assert [r.split()[-1] for r in rows(app) if r] == ["c"]
        assert "errors only" in text(app)
        await press(pilot, "e", "o", "i")
        assert [r.split()[-1] for r in rows(app) if r] == ["a", "b", "c", "d"]
        assert rows(app)[0].startswith("14:")
        title = next(line for line in text(app).splitlines() if "log tail" in line)
        assert not any(words in title for words in ("by request", "no time", "errors only"))


async def test_errors_one_after_the_other(open_log: OpenLog) -> None:
    app = open_log(numbered(60, n10="[ERROR] a\nmore", n59="[ERROR] b"))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4", "[")
        assert marked(app) == "[ERROR] b"
        await press(pilot, "[", "[")
        assert marked(app) == "[ERROR] a"
        assert toasts(app) == ["No older error."]
        await press(pilot, "]")
        assert marked(app) == "[ERROR] b"


async def test_a_refused_pattern_says_why(open_log: OpenLog) -> None:
    app = open_log(numbered(5))
    async with started(app, (200, 60)) as pilot:
        await press(pilot, "4", "slash", *r"(a)\1", "enter")
        assert "literal: it holds a backreference" in text(app)


async def test_the_pane_names_its_keys_while_it_has_the_focus(open_log: OpenLog) -> None:
    app = open_log(numbered(3))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4")
        assert "f search" in text(app)
        assert dashboard(app).query_one(LogsPane).has_focus_within
        await press(pilot, "1")
        assert "f search" not in text(app)


async def test_the_title_changes_with_the_lines_not_a_frame_later(open_log: OpenLog) -> None:
    app = open_log(numbered(20))
    async with started(app, NARROW) as pilot:
        await press(pilot, "4")
        pane = app.screen.query_one(LogsPane)
        tail(app).action_stamps()
        assert "no time" in str(pane.border_title)
        tail(app).step(-3)
        assert "End: follow again" in str(pane.border_title)
