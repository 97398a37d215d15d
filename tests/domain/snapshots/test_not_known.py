"""What the Snapshot says that it does not know."""

from __future__ import annotations

from fakes.worlds import NOW, PROMPT, SCOPE, function, metrics, points

from lambdatop.domain.facts.not_read import Gap, NotKnown
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.facts.triggers import AsyncConfig, FunctionTriggers
from lambdatop.domain.keys import Key
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.snapshots.function_rows import function_row
from lambdatop.domain.snapshots.not_known import NAMED
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT
from lambdatop.domain.state.world import EMPTY_WORLD, World

CONFIG, POLICY = "lambda:GetFunctionEventInvokeConfig", "lambda:GetPolicy"
LOOPS = "lambda:GetFunctionRecursionConfig"


def gaps(*events: ev.Event) -> tuple[Gap, ...]:
    world = fold_all(EMPTY_WORLD, events)
    made = build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=NOW, version="0", mode="operator", settings=PROMPT
    )
    return made.gaps


def names(number: int) -> list[str]:
    return [f"f{i:03d}" for i in range(number)]


def listed(number: int) -> ev.FunctionsListed:
    return ev.FunctionsListed(SCOPE, NOW, tuple(function(name) for name in names(number)))


def read(number: int, config: AsyncConfig | NotKnown) -> ev.TriggersObserved:
    found = (FunctionTriggers(Key(SCOPE, "function", n), config, (), "Terminate", 0) for n in names(number))
    return ev.TriggersObserved(SCOPE, NOW, tuple(found))


STARTED = ev.SourceReported(SCOPE, NOW, "triggers", "ok")
DENIED = NotKnown("denied", CONFIG)


def test_nothing_is_missing_where_everything_was_read() -> None:
    assert gaps(listed(2), read(2, AsyncConfig()), STARTED) == ()


def test_a_denied_part_is_told_by_function_and_action() -> None:
    assert gaps(listed(2), read(2, DENIED), STARTED) == (
        Gap("triggers", CONFIG, "f000", "denied"),
        Gap("triggers", CONFIG, "f001", "denied"),
    )


def test_functions_whose_turn_has_not_come_are_counted() -> None:
    assert gaps(listed(40), read(10, AsyncConfig()), STARTED) == tuple(
        Gap("triggers", action, None, "not asked", 30) for action in (CONFIG, LOOPS, POLICY)
    )


def test_a_source_that_is_denied_as_a_whole_says_so() -> None:
    denied = ev.SourceReported(SCOPE, NOW, "triggers", "denied", "no", CONFIG)
    assert {gap.reason for gap in gaps(listed(3), denied)} == {"denied"}


def test_many_of_the_same_kind_are_a_number() -> None:
    (one,) = gaps(listed(NAMED + 1), read(NAMED + 1, DENIED), STARTED)
    assert one == Gap("triggers", CONFIG, None, "denied", NAMED + 1)


def test_a_source_replaces_what_it_told_and_a_late_word_changes_nothing() -> None:
    gap = Gap("queues", "sqs:GetQueueAttributes", "orders", "denied")
    told = ev.GapsObserved(SCOPE, NOW, "queues", (gap,))
    assert gaps(told) == (gap,)
    assert gaps(told, ev.GapsObserved(SCOPE, NOW + 1, "queues", ())) == ()
    assert gaps(ev.GapsObserved(SCOPE, NOW + 1, "queues", ()), told) == ()


def test_a_count_that_cloudwatch_did_not_answer_is_not_zero() -> None:
    """What was seen: Errors answered InternalError, and the row said 0 errors a minute."""
    listed = ev.FunctionsListed(SCOPE, NOW, (function("web"),))
    web = Key(SCOPE, "function", "web")

    def row(world: World) -> tuple[float | None, ...]:
        known = function_row(world, function("web"), NOW, PROMPT)
        return known.invocations_per_min, known.errors_per_min, known.throttles_per_min, known.error_rate

    ran, failed = (
        points(web, "Invocations", [50.0] * 20),
        points(web, "Errors", [25.0] * 20),
    )
    none = [ev.MetricPoints(SeriesKey(web, name, "Sum"), ()) for name in ("Errors", "Throttles")]
    only = fold_all(EMPTY_WORLD, [listed, metrics(ran)])
    assert row(only) == (50.0, None, None, None)
    assert row(fold_all(only, [metrics(failed)])) == (50.0, 25.0, None, 0.5)
    assert row(fold_all(only, [metrics(*none)])) == (50.0, 0.0, 0.0, 0.0)
    # Answered ten minutes before the others, and not since.
    late = fold_all(EMPTY_WORLD, [listed, metrics(failed, at=NOW - 600), metrics(ran)])
    assert row(late) == (50.0, None, None, None)
    # Invocations were not answered, and nothing else has a point.
    silent = fold_all(EMPTY_WORLD, [listed, metrics(*none)])
    assert row(silent) == (None, 0.0, 0.0, None)
