"""A short run of the fuzzers, from fixed seeds; `make nightly` runs them for longer."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

import pytest
from fakes.live_tail_stub import event_frame, frame
from fuzz import fuzz_answers, fuzz_frames

HEADERS = {":message-type": "event", ":event-type": "sessionUpdate", ":content-type": "application/json"}
GOOD = {"logGroupIdentifier": "g", "logStreamName": "s", "message": "m", "timestamp": 1_800_000_000_000}


@pytest.mark.parametrize("seed", range(20))
def test_frames(seed: int) -> None:
    for number in range(20):
        fuzz_frames.one(fuzz_frames.make(random.Random(f"{seed}/{number}")))


def test_good_frames_bring_their_events() -> None:
    update = event_frame("sessionUpdate", {"sessionResults": [GOOD], "sessionMetadata": {"sampled": False}})
    found, why = fuzz_frames.events_of(event_frame("initial-response", {}) + update)
    assert ([e["message"] for e in found], why) == (["m"], "")


BROKEN = {
    "no headers": frame({}, b"{}"),
    "no event type": frame({":message-type": "event"}, b"{}"),
    "no utf-8": frame(HEADERS, b'{"sessionResults": "\xff\xfe"}'),
    "not json": frame(HEADERS, b"hello"),
    "a list": frame(HEADERS, b"[1]"),
    "deep": frame(HEADERS, b"[" * 100_000),
    "results of another type": event_frame("sessionUpdate", {"sessionResults": 7}),
    "wrong checksum": frame(HEADERS, b"{}")[:-1] + b"\0",
    "giant": struct.pack("!II", (1 << 32) - 1, 0) + b"\0" * 40,
    "a frame that is none": b"\xff" * 64,
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_frames_break_the_stream_off(name: str) -> None:
    found, why = fuzz_frames.events_of(event_frame("initial-response", {}) + BROKEN[name])
    assert found == []
    unknown = name in ("no headers", "no event type")  # the SDK passes over what it has no name for
    assert why or unknown


@pytest.mark.parametrize("odd", [10**330, -1, "soon", None, {}, [1], 1e300, True])
def test_an_event_that_makes_no_sense_costs_itself(odd: object) -> None:
    update = event_frame("sessionUpdate", {"sessionResults": [{**GOOD, "timestamp": odd}, GOOD]})
    found, _ = fuzz_frames.events_of(event_frame("initial-response", {}) + update)
    assert found == [GOOD]


@pytest.mark.parametrize("seed", range(8))
def test_answers(seed: int) -> None:
    for number in range(3):
        fuzz_answers.one(fuzz_answers.make(random.Random(f"{seed}/{number}")))


def test_every_read_has_a_good_answer() -> None:
    listed = fuzz_answers.operations()
    assert len(listed) > 30
    for service, operation in listed:
        assert fuzz_answers.encoded(
            service, operation, fuzz_answers.good(service, operation, random.Random(1))
        )


HOSTILE: list[Any] = [10**330, -5, "three", None, [3], {}, True, 1e308, float("nan"), float("inf")]


@pytest.mark.parametrize("odd", HOSTILE, ids=lambda odd: repr(odd)[:12])
@pytest.mark.parametrize(
    "member", ["Timeout", "MemorySize", "CodeSize", "FunctionName", "Environment", "VpcConfig"]
)
def test_one_bad_function_costs_itself(odd: Any, member: str) -> None:
    good = {"FunctionArn": fuzz_answers.FUNCTION, "Timeout": 3, "MemorySize": 128}
    functions = [{**good, "FunctionName": "bad", member: odd}, {**good, "FunctionName": "mail"}]
    snapshot = fuzz_answers.snapshot_of(
        "lambda", "ListFunctions", json.dumps({"Functions": functions}).encode()
    )
    assert "mail" in [row.facts.name for row in snapshot.functions]
