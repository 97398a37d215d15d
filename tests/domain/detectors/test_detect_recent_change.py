from __future__ import annotations

import pytest
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function, mapping, metrics, points
from msgspec.structs import replace

from lambdatop.domain.detectors.rules import recent_change as it
from lambdatop.domain.facts.function import Change
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.settings.settings import MetricSettings
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

# A function's minutes are final once they are 10 s old (its timeout), so the newest whole one is not yet.
END = NOW - 60
CHANGED = END - 600 + 30  # within the minute that begins ten minutes before the end
CALM = [1.0] * 30


def world(
    errors: list[float],
    *,
    invocations: list[float] | None = None,
    p99: list[float] | None = None,
    changed: float | None = CHANGED,
    what: tuple[str, ...] = ("code",),
    end: float = END,
) -> World:
    run = [20.0] * 40 if invocations is None else invocations
    data = [points(WORKER, "Invocations", run, end=end), points(WORKER, "Errors", errors, end=end)]
    data += [points(WORKER, "Duration", p99, "p99", end=end)] if p99 else []
    seen = fold_all(
        EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, (function(last_modified=changed),)), metrics(*data)]
    )
    return replace(seen, changes={WORKER: (Change(changed, what),)}) if what and changed else seen


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


# 30 minutes before, the minute of the change, three more calm ones, then six in which half fails.
BROKEN = [*CALM, 1.0, 1.0, 1.0, 1.0, *[10.0] * 6]


def test_errors_that_begin_after_a_change() -> None:
    (finding,) = found(world(BROKEN))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key, finding.since) == ("warning", WORKER, CHANGED)
    assert finding.title == "orders-worker changed 3 min 30 s before its errors began: code"
    # 63 errors in 9 minutes of 20; 15 in 15 minutes before.
    assert (evidence["error_before_share"], evidence["error_after_share"]) == (0.05, 0.35)
    assert (evidence["changed"], evidence["changed_before_symptoms_s"]) == ("code", 210)
    assert finding.formula == "errors / invocations 35.0% >= 5.0% before + 5.0%; changed 3 min 30 s before"
    assert finding.suggests == ("rollback_alias", "throttle_to_zero")


def test_slowness_that_begins_after_a_change() -> None:
    (finding,) = found(world([0.0] * 40, p99=[200.0] * 33 + [900.0] * 7, what=("memory_mb 256 -> 128",)))
    evidence = dict(finding.evidence)
    assert finding.title == "orders-worker changed 2 min 30 s before it became slow: memory_mb 256 -> 128"
    assert (evidence["duration_p99_before_ms"], evidence["duration_p99_after_ms"]) == (200, 900)
    assert finding.formula == "median p99 900 ms >= 2 x 200 ms before; changed 2 min 30 s before"


def test_new_environments_are_slow_at_first() -> None:
    """Three slow minutes after a change are its cold starts; five are the new code."""
    slow = [200.0] * 31 + [900.0] * 9
    assert len(found(world([0.0] * 40, p99=slow))) == 1
    assert found(world([0.0] * 34, invocations=[20.0] * 34, p99=slow[:34], end=END - 360)) == []


def test_a_change_that_nobody_watched() -> None:
    seen = world(BROKEN, what=())
    listed = fold_all(seen, [ev.MappingsListed(SCOPE, NOW, (mapping(),))])
    (finding,) = found(listed)
    assert finding.title == "orders-worker changed 3 min 30 s before its errors began"
    assert dict(finding.evidence)["changed"] == "not known"
    assert finding.suggests == it.SUGGESTS


def test_small_rises_and_noise_are_silent() -> None:
    assert found(world([*CALM, 1.0, *[1.9] * 9])) == []
    assert found(world([0.0] * 40, p99=[200.0] * 31 + [390.0] * 9)) == []
    assert found(world([0.0] * 40, p99=[2.0] * 31 + [40.0] * 9)) == []


def test_a_standing_finding_stays_until_well_below() -> None:
    (stood,) = found(world(BROKEN))
    assert found(world([*CALM, 1.0, *[1.9] * 9])) == []
    assert len(found(world([*CALM, 1.0, *[1.9] * 9]), (stood,))) == 1
    assert found(world([*CALM, 1.0, *[1.7] * 9]), (stood,)) == []


def test_a_fresh_deployment_has_nothing_before() -> None:
    assert found(world([9.0] * 9, invocations=[20.0] * 9)) == []
    assert found(world([0.0] * 40, invocations=[0.0] * 29 + [19.0] + [20.0] * 10)) == []


def test_too_little_afterwards_is_silent() -> None:
    late = END - 60
    assert found(world([0.0] * 39 + [19.0], invocations=[20.0] * 39 + [19.0], changed=late - 30)) == []
    assert len(found(world([0.0] * 39 + [20.0], changed=late - 30))) == 1


@pytest.mark.parametrize("minutes", [1, 2, 10, 20])
def test_symptoms_that_began_before_the_change_are_not_its(minutes: int) -> None:
    errors = [0.0] * (30 - minutes) + [10.0] * (10 + minutes)
    assert found(world(errors)) == []
    slow = [200.0] * (30 - max(2, minutes)) + [900.0] * (10 + max(2, minutes))
    assert found(world([0.0] * 40, p99=slow)) == []


def test_symptoms_that_are_over_are_silent() -> None:
    assert found(world([*CALM, 1.0, *[20.0] * 4, *[0.0] * 5])) == []
    assert found(world([0.0] * 40, p99=[200.0] * 31 + [9000.0] * 6 + [200.0] * 3)) == []


def test_the_minute_of_the_change_belongs_to_neither_side() -> None:
    assert found(world([0.0] * 30 + [20.0] + [0.0] * 9)) == []


def test_old_changes_are_left_alone() -> None:
    assert found(world(BROKEN, changed=NOW - 3601)) == []
    assert found(world(BROKEN, changed=None)) == []
    assert found(world(BROKEN, changed=NOW + 60)) == []


def test_of_several_changes_the_one_before_the_symptoms_is_named() -> None:
    seen = world(BROKEN, changed=END - 90)
    both = replace(
        seen, changes={WORKER: (Change(CHANGED, ("code",)), Change(END - 90, ("timeout_s 3 -> 10",)))}
    )
    (finding,) = found(both)
    assert (finding.since, dict(finding.evidence)["changed"]) == (CHANGED, "code")


def test_minutes_that_are_not_final_neither_raise_nor_clear() -> None:
    assert found(world([0.0] * 40 + [20.0], invocations=[20.0] * 41, changed=END - 90, end=NOW)) == []
    healed = world([*BROKEN, 0.0], invocations=[20.0] * 40 + [900.0], end=NOW)
    assert len(found(healed)) == 1


def test_missing_minutes_are_not_zeros() -> None:
    assert found(replace(world(BROKEN), series={})) == []
    # Nothing is published any more since the minute of the change.
    assert found(world(BROKEN[:31], invocations=[20.0] * 31, end=END - 540)) == []


def test_published_minutes_outrun_the_clock_in_the_demo() -> None:
    settings = replace(PROMPT, metrics=MetricSettings(publish_delay_s=0.0, times=12.0))
    # Final until 120 s ago; 60 real seconds ago is 12 published minutes ago.
    end = NOW - 120
    errors = [0.0] * 31 + [10.0] * 9
    seen = world(errors, changed=NOW - 60, end=end)
    (finding,) = it.detect(evaluation_context(seen, NOW, settings))
    assert finding.since == NOW - 720
    # A moment is placed among the demo's minutes to a minute only: one on each side is left out.
    assert finding.title == "orders-worker changed 2 min before its errors began: code"
    assert dict(finding.evidence)["error_after_share"] == 0.5
    assert list(it.detect(evaluation_context(seen, NOW, PROMPT))) == []
