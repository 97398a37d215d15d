from __future__ import annotations

import random

from fakes.worlds import DLQ, MAPPING, NOW, ORDERS, PROMPT, SCOPE, WORKER, function, incident, mapping
from msgspec.structs import replace

from lambdatop.domain.detectors.grouping import UNKNOWN, group
from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Ref, Severity
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT
from lambdatop.domain.state.world import World

OTHER = Key(SCOPE, "function", "thumbnailer")


def found(detector: str, key: Key, severity: Severity = "warning", about: tuple[Key, ...] = ()) -> Finding:
    return Finding(detector, severity, Ref(key, f"arn:{key.id}", key.id), detector, NOW, about=about)


def names(world: World, *findings: Finding) -> list[list[str]]:
    return [[f.detector for f in i.findings] for i in group(world, findings)]


def test_every_detector_has_a_place_of_its_own_in_the_causal_order() -> None:
    places = [spec.causal for spec in REGISTRY.values()]
    assert places == sorted(set(places))
    assert places[-1] < UNKNOWN


def test_symptoms_of_one_function_are_one_incident_with_the_cause_first() -> None:
    world = incident()
    seen = names(
        world,
        found("dlq_growth", DLQ),
        found("sqs_redelivery", ORDERS, "critical"),
        found("error_rate", WORKER),
        found("near_timeout", WORKER),
        found("batch_amplification", MAPPING),
    )
    assert seen == [["near_timeout", "error_rate", "batch_amplification", "sqs_redelivery", "dlq_growth"]]


def test_functions_without_anything_in_common_are_two_incidents_worst_first() -> None:
    seen = names(incident(), found("error_rate", WORKER), found("near_timeout", OTHER, "critical"))
    assert seen == [["near_timeout"], ["error_rate"]]


def test_whoever_uses_the_pool_up_joins_those_who_are_refused() -> None:
    victim = found("throttled", OTHER, "critical", about=(WORKER,))
    assert names(incident(), victim, found("async_backlog", WORKER)) == [["throttled", "async_backlog"]]


def test_the_hog_stands_before_its_victims() -> None:
    """Also where a victim is worse off and comes first by name: whoever blames nobody is the cause."""
    victim = replace(found("throttled", OTHER, "critical", about=(WORKER,)), remedy=WORKER)
    hog = found("throttled", WORKER)
    (incident_,) = group(incident(), [victim, hog])
    assert (incident_.cause, incident_.symptoms, incident_.severity) == (hog, (victim,), "critical")


def test_information_joins_nothing_and_stands_last() -> None:
    world = fold(
        incident(),
        ev.MappingsListed(SCOPE, NOW, (mapping(), mapping(key=Key(SCOPE, "mapping", "m2"), function=OTHER))),
    )
    risky = found("risky_config", MAPPING, "info", about=(WORKER, OTHER))
    seen = names(world, risky, found("error_rate", WORKER), found("error_rate", OTHER))
    assert sorted(seen) == [["error_rate"], ["error_rate", "risky_config"]]
    (alone,) = group(world, [risky])
    assert (alone.severity, alone.cause.detector) == ("info", "risky_config")


def test_a_shared_log_group_is_no_common_cause() -> None:
    shared = Key(SCOPE, "log group", "/shared")
    functions = tuple(function(n, log_group="/shared") for n in ("orders-worker", "thumbnailer"))
    world = fold(incident(), ev.FunctionsListed(SCOPE, NOW + 1, functions))
    seen = names(world, found("log_storm", shared), found("error_rate", WORKER), found("error_rate", OTHER))
    assert len(seen) == 3


def test_the_order_of_findings_does_not_matter() -> None:
    world = incident()
    findings = list(
        build_snapshot(
            world, previous=EMPTY_SNAPSHOT, at=NOW, version="0", mode="operator", settings=PROMPT
        ).findings
    )
    findings += [found("error_rate", OTHER), found("throttled", OTHER, about=(WORKER,))]
    expected = group(world, findings)
    for seed in range(10):
        shuffled = list(findings)
        random.Random(seed).shuffle(shuffled)
        assert group(world, shuffled) == expected


def test_the_snapshot_lists_findings_by_incident_and_keeps_its_identity() -> None:
    world = incident()
    snap = build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=NOW, version="0", mode="operator", settings=PROMPT
    )
    assert snap.findings == tuple(f for i in snap.incidents for f in i.findings)
    first = snap.incidents[0]
    assert first.functions == (WORKER,)
    assert {"error_rate", "sqs_redelivery", "dlq_growth"} <= {f.detector for f in first.findings}
    assert first.since == min(f.since for f in first.findings if f.rank)
    again = build_snapshot(world, previous=snap, at=NOW + 5, version="0", mode="operator", settings=PROMPT)
    assert [i.key for i in again.incidents] == [i.key for i in snap.incidents]
    assert replace(first, since=0.0).key == first.key
