"""Cyclic garbage is looked for when nobody types, and not all the time."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from fakes.log_pane import MakeApp
from fakes.screens import press, started
from rich.segment import Segment
from textual.strip import Strip

from lambdatop.cli.commands.console import COLLECT_SELDOM
from lambdatop.tui._textual import keep_strips_out_of_circles
from lambdatop.tui.app import idle_gc


class Knot:
    def __init__(self) -> None:
        self.me: Knot | None = self


@pytest.fixture(autouse=True)
def thawed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the collector after the test, and let only the tests run collections."""
    monkeypatch.setattr(idle_gc, "YOUNG_S", 3_600.0)
    yield
    gc.unfreeze()


def test_a_line_that_is_painted_leaves_nothing_to_look_for() -> None:
    keep_strips_out_of_circles()
    gc.collect()
    gc.disable()
    try:
        for cuts in ([5], [2, 5], [5, 9]):
            strip = Strip([Segment("abcde")], 5)
            assert "".join(part.text for part in strip.divide(cuts)) == "abcde"
            assert "".join(part.text for part in strip.divide(cuts)) == "abcde"
            del strip
        assert gc.collect() == 0
    finally:
        gc.enable()


async def test_a_short_look_needs_a_pause_between_two_keys_only(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    now = [1_000.0]
    monkeypatch.setattr(idle_gc, "monotonic", lambda: now[0])
    async with started(app) as pilot:
        gone = weakref.ref(Knot())
        gc.disable()
        try:
            now[0] += idle_gc.EVERY_S
            await press(pilot, "j")
            assert not app.tidy()  # somebody has just typed
            assert gone() is not None
            now[0] += 2 * idle_gc.PAUSE_S
            assert app.tidy()
            assert gone() is None
            await press(pilot, "j")
            now[0] += 2 * idle_gc.PAUSE_S
            assert app.tidy(), "what fails and closes leaves garbage all the time"
        finally:
            gc.enable()


async def test_a_young_pass_runs_when_there_is_enough_to_see_and_no_key_to_answer(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    now, made, glances = [1_000.0], [0], list[int]()
    monkeypatch.setattr(idle_gc, "monotonic", lambda: now[0])
    async with started(app) as pilot:
        monkeypatch.setattr(gc, "get_count", lambda: (made[0], 0, 0))
        monkeypatch.setattr(gc, "collect", glances.append)
        now[0] += 1.0
        made[0] = idle_gc.MANY - 1
        app._young_pass()
        assert glances == []
        made[0] = idle_gc.MANY
        app._young_pass()
        assert glances == [0]
        await pilot.press("j")
        app._young_pass()
        assert glances == [0], "the key comes first"
        now[0] += 2 * idle_gc.ANSWER_S
        app._young_pass()
        assert glances == [0, 0]


def test_python_counts_what_was_made_since_the_last_young_pass() -> None:
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(*COLLECT_SELDOM)
    try:
        kept = [[] for _ in range(idle_gc.MANY)]  # type: ignore[var-annotated]
        assert gc.get_count()[0] >= idle_gc.MANY
        gc.collect(0)
        assert gc.get_count()[0] < 1_000 < len(kept)
    finally:
        gc.set_threshold(*before)


async def test_a_short_look_passes_over_what_the_last_one_found_in_use(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    now = [1_000.0]
    monkeypatch.setattr(idle_gc, "monotonic", lambda: now[0])
    async with started(app) as pilot:
        kept = Knot()
        gone = weakref.ref(kept)
        now[0] += 2 * idle_gc.PAUSE_S
        assert app.tidy()
        assert gc.get_freeze_count() > 10_000
        del kept
        now[0] += idle_gc.EVERY_S
        assert app.tidy()
        assert gone() is not None, "a short look is short because it does not look there"
        await press(pilot, "j")
        now[0] += idle_gc.QUIET_S + 1
        assert app.tidy()
        assert gone() is None


async def test_short_looks_that_find_much_are_taken_more_often(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    now, took_s = [1_000.0], [0.0]
    monkeypatch.setattr(idle_gc, "monotonic", lambda: now[0])

    def collect() -> None:
        now[0] += took_s[0]

    async with started(app):
        monkeypatch.setattr(gc, "collect", collect)
        pauses = []
        for took in (0.001, 0.016, 0.016, 0.8, 0.001):
            took_s[0] = took
            now[0] += 1.0
            assert app.tidy()
            pauses.append(app._pause_s)
        assert pauses == pytest.approx([15.0, 7.5, 3.75, 2.0, 15.0])


async def test_a_long_look_waits_for_quiet_but_not_for_ever(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    now, looks = [1_000.0], list[str]()
    long_s = 0.3
    monkeypatch.setattr(idle_gc, "monotonic", lambda: now[0])
    async with started(app) as pilot:

        def unfreeze() -> None:
            looks.append("long")
            now[0] += long_s

        monkeypatch.setattr(gc, "unfreeze", unfreeze)

        async def after(seconds: float, *, typing: bool) -> str:
            looks.clear()
            now[0] += seconds
            if typing:
                await press(pilot, "j")
                now[0] += 2 * idle_gc.PAUSE_S
            assert app.tidy()
            return looks[0] if looks else "short"

        assert await after(idle_gc.QUIET_S, typing=True) == "short", "somebody types"
        assert await after(idle_gc.QUIET_S, typing=False) == "long"
        assert await after(idle_gc.QUIET_S, typing=False) == "short", "a tenth of a percent of the time"
        assert await after(idle_gc.SHARE * long_s, typing=False) == "long"
        assert await after(idle_gc.LATEST_S, typing=True) == "long", "somebody types all the time"
