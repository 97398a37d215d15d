"""What a round makes anew; whole Worlds are compared in tests/domain/snapshots/test_rounds.py."""

from __future__ import annotations

import pytest

from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import CONCURRENCY, QUEUES, STREAMS
from lambdatop.domain.state.events import FunctionsListed, GapsObserved
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.invalidation import changed
from lambdatop.domain.state.world import EMPTY_WORLD, World

SCOPE = Scope("123456789012", "eu-central-1")
NOW = 1_800_000_000.0
A, B = (Key(SCOPE, "function", name) for name in "ab")


def told(world: World, source: str, target: str, at: float = NOW) -> World:
    return fold(world, GapsObserved(SCOPE, at, source, (Gap(source, "x:Read", target, "denied"),)))


@pytest.fixture
def world() -> World:
    facts = (FunctionFacts(A, "arn:a"), FunctionFacts(B, "arn:b"))
    return fold(EMPTY_WORLD, FunctionsListed(SCOPE, NOW, facts))


def test_a_function_whose_read_is_denied_is_made_anew_and_no_other(world: World) -> None:
    denied = told(world, CONCURRENCY.name, "a")
    assert changed(world, denied, NOW, NOW, Settings()) == frozenset({A})
    again = told(denied, CONCURRENCY.name, "a", NOW + 1)
    assert changed(denied, again, NOW, NOW, Settings()) == frozenset()
    both = fold(again, GapsObserved(SCOPE, NOW + 2, CONCURRENCY.name, (
        Gap(CONCURRENCY.name, "x:Read", "a", "denied"), Gap(CONCURRENCY.name, "x:Read", "b", "failed"),
    )))  # fmt: skip
    assert changed(again, both, NOW, NOW, Settings()) == frozenset({B})


@pytest.mark.parametrize("source", [QUEUES.name, STREAMS.name])
def test_all_is_made_anew_when_a_queue_or_stream_is_denied(world: World, source: str) -> None:
    assert changed(world, told(world, source, "orders"), NOW, NOW, Settings()) is None
