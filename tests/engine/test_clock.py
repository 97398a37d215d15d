"""The engine's thread leaves the interpreter to whoever answers a key."""

from __future__ import annotations

import time

import pytest

from lambdatop.engine.clock import ANSWER_S, SystemClock


def test_after_a_key_others_give_way_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [1_000.0], list[float]()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", slept.append)
    own = SystemClock()
    own.give_way()
    assert slept == []
    own.typed()
    now[0] += ANSWER_S / 4
    own.give_way()
    assert slept == [pytest.approx(ANSWER_S * 3 / 4)]
    now[0] += ANSWER_S
    own.give_way()
    assert len(slept) == 1
