"""The engine's thread leaves the interpreter to whoever answers a key."""

from __future__ import annotations

import threading
import time

import pytest

from lambdatop.engine.clock import ANSWER_S, SystemClock


def test_after_a_key_others_give_way_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [1_000.0], list[float]()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    own = SystemClock()
    monkeypatch.setattr(own._answered, "wait", slept.append)
    own.give_way()
    assert slept == []
    own.typed()
    now[0] += ANSWER_S / 4
    own.give_way()
    assert slept == [pytest.approx(ANSWER_S * 3 / 4)]
    now[0] += ANSWER_S
    own.give_way()
    assert len(slept) == 1


def test_a_key_that_is_held_down_does_not_stop_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept, worked = [1_000.0], 0.0, 0.0

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds
        now[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    own = SystemClock()
    monkeypatch.setattr(own._answered, "wait", sleep)
    for _ in range(1_000):
        own.typed()
        own.give_way()
        worked += 0.002
        now[0] += 0.002
    assert 0 < slept <= 1.05 * worked


def test_nobody_waits_for_a_key_that_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [1_000.0], list[float]()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    own = SystemClock()
    own.typed()
    own.answered()
    monkeypatch.setattr(own._answered, "wait", slept.append)
    own.give_way()
    assert slept == []
    own.typed()
    own.give_way()
    assert slept == [pytest.approx(ANSWER_S)]


def test_who_waits_goes_on_as_soon_as_it_is_answered() -> None:
    own = SystemClock()
    own.typed()
    own._until += 60.0
    answerer = threading.Timer(0.01, own.answered)
    answerer.start()
    own.give_way()
    assert own._answered.is_set()
    answerer.join()
