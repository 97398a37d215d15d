from __future__ import annotations

from fakes.worlds import NOW, ORDERS, PROMPT, SCOPE, WORKER, function, mapping, metrics, points, queue

from lambdatop.domain.detectors.rules import runaway_loop as it
from lambdatop.domain.facts.triggers import FunctionTriggers, Reference
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

END = NOW - 60


def world(dropped: list[float], *more: ev.Event, end: float = END, receives: int = 20) -> World:
    names = (Reference("QUEUE", queue(ORDERS).arn),)
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(references=names),)),
            ev.MappingsListed(SCOPE, NOW, (mapping(),)),
            ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS, max_receive_count=receives),)),
            metrics(points(WORKER, "RecursiveInvocationsDropped", dropped, end=end)),
            *more,
        ],
    )


def found(seen: World) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT)))


def test_what_lambda_stopped_with_the_path() -> None:
    (finding,) = found(world([0.0, 0.0, 3.0, 4.0]))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key, finding.since) == ("critical", WORKER, END - 120)
    assert evidence["recursive_invocations_dropped"] == 7
    assert evidence["path"] == "orders-worker → orders → orders-worker"
    assert evidence["redelivery"] == "SQS hands out each stopped message again, up to 20 receives"
    assert finding.formula == "7 recursive invocations dropped > 0 over 5 min"
    assert finding.suggests == ("throttle_to_zero", "disable_trigger")
    assert finding.about == (WORKER, ORDERS)


def test_few_receives_need_no_warning() -> None:
    (finding,) = found(world([1.0], receives=3))
    assert dict(finding.evidence)["redelivery"] is None


def test_a_loop_that_the_configuration_does_not_show() -> None:
    seen = fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            metrics(points(WORKER, "RecursiveInvocationsDropped", [2.0], end=END)),
        ],
    )
    (finding,) = found(seen)
    assert dict(finding.evidence)["path"] == "not visible in the configuration"
    assert finding.suggests == ("throttle_to_zero",)


def test_five_final_minutes_and_younger_ones_count() -> None:
    """No run belongs to what was dropped, so it is known before runs of that minute have ended."""
    assert len(found(world([5.0], end=NOW))) == 1
    assert found(world([5.0, *[0.0] * 5])) == []
    assert len(found(world([5.0, *[0.0] * 4]))) == 1
    # A newer minute that is not final does not clear it.
    assert len(found(world([5.0, *[0.0] * 4, 0.0], end=NOW))) == 1


def test_silence_proves_nothing_and_states_nothing() -> None:
    allowed = ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(WORKER, recursive_loop="Allow"),))
    assert found(world([], allowed)) == []
    assert found(world([0.0] * 10)) == []
