from __future__ import annotations

from fakes.logscene import line, logs
from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function, metrics, points

from lambdatop.domain.detectors.rules import log_storm as it
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

GROUP = Key(SCOPE, "log group", "/aws/lambda/orders-worker")
OTHER = Key(SCOPE, "function", "sharer")
DROPPED = '{"time":"t","type":"platform.logsDropped","record":{"droppedRecords":3,"droppedBytes":9}}'
MB = 1e6


def world(incoming: list[float], *more: ev.Event, end: float = NOW) -> World:
    sharer = function("sharer", log_group=GROUP.id)
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(), sharer, function("mute", log_group=""))),
            metrics(points(GROUP, "IncomingBytes", [mb * MB for mb in incoming], end=end)),
            *more,
        ],
    )


def found(seen: World, previous: tuple[Finding, ...] = ()) -> list[Finding]:
    return list(it.detect(evaluation_context(seen, NOW, PROMPT, previous)))


def test_a_storm_with_its_price() -> None:
    (finding,) = found(world([4.0] * 30 + [20.0] * 5))
    evidence = dict(finding.evidence)
    assert (finding.severity, finding.target.key) == ("warning", GROUP)
    assert finding.target.arn == "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/orders-worker"
    assert (evidence["incoming_bytes_per_min"], evidence["incoming_before_bytes_per_min"]) == (
        20 * MB,
        4 * MB,
    )
    assert evidence["usd_per_hour"] == 0.756  # 1.2 GB an hour at $0.63 of eu-central-1
    assert finding.about == (WORKER, OTHER)
    assert finding.since == NOW - 300
    assert finding.title == "/aws/lambda/orders-worker takes in 20.0 MB/min, before 4.0: 0.76 USD/h"
    assert finding.formula == "20.0 MB/min >= 5 x 4.0 MB/min, the quieter quarter of 60 min before"
    assert finding.suggests == it.SUGGESTS


def test_a_storm_does_not_become_what_is_usual() -> None:
    assert len(found(world([4.0] * 20 + [20.0] * 40))) == 1


def test_many_small_storms_add_up() -> None:
    groups = [Key(SCOPE, "log group", f"/aws/lambda/f{n}") for n in range(4)]
    small = [points(g, "IncomingBytes", [0.5 * MB] * 30 + [3.0 * MB] * 5) for g in groups]
    seen = fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(
                SCOPE, NOW, tuple(function(f"f{n}", log_group=g.id) for n, g in enumerate(groups))
            )
        ],
    )
    (finding,) = found(fold_all(seen, [metrics(*small)]))
    assert (finding.severity, finding.target.key) == ("warning", Key(SCOPE, "account", SCOPE.account))
    assert finding.title == "4 log groups take in 12.0 MB/min together, before 2.0: 0.45 USD/h"
    assert found(fold_all(seen, [metrics(*small[:3])])) == []  # 9 MB/min
    busy = [points(function(f"f{n}").key, "Invocations", [10.0] * 30 + [60.0] * 5) for n in range(4)]
    assert found(fold_all(seen, [metrics(*small, *busy)])) == []  # more traffic


def test_below_the_floor_or_the_factor_is_silent() -> None:
    assert found(world([1.0] * 30 + [9.0] * 5)) == []
    assert found(world([5.0] * 30 + [24.0] * 5)) == []


def test_a_standing_finding_stays_until_well_below() -> None:
    (stood,) = found(world([4.0] * 30 + [20.0] * 5))
    assert found(world([4.0] * 30 + [17.0] * 5)) == []
    assert len(found(world([4.0] * 30 + [17.0] * 5), (stood,))) == 1
    assert found(world([4.0] * 30 + [15.0] * 5), (stood,)) == []


def test_more_traffic_explains_it() -> None:
    ramp = metrics(points(WORKER, "Invocations", [10.0] * 30 + [50.0] * 5))
    (finding,) = found(world([4.0] * 30 + [20.0] * 5, ramp))
    assert finding.severity == "info"
    assert dict(finding.evidence)["explained_by"] == "more traffic"
    level = metrics(points(WORKER, "Invocations", [10.0] * 30 + [20.0] * 5))
    assert [f.severity for f in found(world([4.0] * 30 + [20.0] * 5, level))] == ["warning"]


def test_a_silent_group_has_no_baseline() -> None:
    assert found(world([40.0] * 9)) == []
    assert len(found(world([4.0] * 5 + [40.0] * 5))) == 1


def test_minutes_that_are_not_final_neither_raise_nor_clear() -> None:
    seen = world([1.0] * 30 + [60.0], end=NOW + 60)
    assert found(seen) == []
    quiet_since = world([4.0] * 30 + [20.0] * 5 + [0.0], end=NOW + 60)
    assert len(found(quiet_since)) == 1


def test_dropped_lines_are_a_storm_without_any_metric() -> None:
    seen = fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(),)),
            logs(line(NOW - 60, DROPPED), line(NOW - 400, DROPPED)),
        ],
    )
    (finding,) = found(seen)
    assert (finding.severity, finding.target.key, finding.since) == ("warning", GROUP, NOW - 60)
    assert dict(finding.evidence)["logs_dropped"] == 1
    assert "usd_per_hour" not in dict(finding.evidence)
    assert finding.about == (WORKER,)


def test_dropped_lines_make_even_more_traffic_a_warning() -> None:
    ramp = metrics(points(WORKER, "Invocations", [10.0] * 30 + [50.0] * 5))
    (finding,) = found(world([4.0] * 30 + [20.0] * 5, ramp, logs(line(NOW - 60, DROPPED))))
    assert finding.severity == "warning"


def test_without_a_metric_and_a_tail_it_is_silent() -> None:
    assert found(world([])) == []


def test_the_floor_itself_is_a_storm_and_a_window_without_a_point_is_unknown() -> None:
    assert len(found(world([2.0] * 30 + [10.0] * 5))) == 1
    (stood,) = found(world([4.0] * 30 + [20.0] * 5))
    assert found(world([4.0] * 20, end=NOW - 600), (stood,)) == []
