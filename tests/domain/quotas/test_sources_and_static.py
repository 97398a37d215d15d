"""Quota rows of sources and static limits: what is assumed, not read, or only hit."""

from __future__ import annotations

import pytest
from fakes.quotascene import level, rows, world
from fakes.worlds import (
    NOW,
    ORDERS,
    SCOPE,
    WORKER,
    function,
    mapping,
    metrics,
    points,
    queue,
)
from msgspec.structs import replace

from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.quota_limits import ENVIRONMENT, QuotaLimit
from lambdatop.domain.facts.triggers import FunctionTriggers
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold

KB, MB = 1024, 1024**2


def test_messages_in_flight_have_a_limit() -> None:
    fifo = replace(queue(ORDERS, in_flight=90_000), fifo=True)
    plain = world(ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS, in_flight=90_000),)))
    assert rows(plain)["in flight in orders"].share == 0.75
    assert rows(world(ev.QueuesObserved(SCOPE, NOW, (fifo,))))["in flight in orders"].limit == 120_000
    assert rows(plain)["in flight in orders"].assumed


def test_shards_are_shared_but_not_with_enhanced_fan_out() -> None:
    def reads(number: int, arn: str) -> object:
        return mapping(key=Key(SCOPE, "mapping", str(number)), source_arn=arn, source_kind="kinesis")

    stream = f"arn:aws:kinesis:{SCOPE.region}:{SCOPE.account}:stream/clicks"
    found = (reads(1, stream), reads(2, stream), reads(3, f"{stream}/consumer/own:1"))
    row = rows(world(ev.MappingsListed(SCOPE, NOW, found)))["shard reads of clicks"]  # type: ignore[arg-type]
    assert (row.used, row.limit, row.fixed) == (2, 5, True)
    assert "2 MB/s are not read" in row.note


@pytest.mark.parametrize(
    ("settings", "limit", "assumed"),
    [({}, 1250, True), ({"max_concurrency": 30}, 30, False), ({"pollers_max": 7}, 70, False)],
)
def test_how_much_a_queues_mapping_may_ask_for(settings: dict[str, int], limit: int, assumed: bool) -> None:
    given = world(
        ev.MappingsListed(SCOPE, NOW, (mapping(**settings),)), metrics(level(WORKER, 20, 25)),
    )  # fmt: skip
    row = rows(given)["mapping orders → orders-worker"]
    assert (row.used, row.limit, row.assumed) == (25, limit, assumed)


def test_interfaces_are_counted_once_per_subnet_and_groups() -> None:
    def inside(name: str, *sets: str) -> FunctionFacts:
        return replace(function(name), vpc_id="vpc-1", interfaces=sets)

    given = world(functions=(inside("a", "s1 g", "s2 g"), inside("b", "s1 g"), function("c")))
    row = rows(given)["interfaces in vpc-1"]
    assert (row.used, row.limit, row.assumed) == (2, 500, True)
    assert "the VPC's own count is not read" in row.note
    told = ev.QuotasObserved(SCOPE, NOW, (QuotaLimit("L-9FEE3D26", 2000.0),))
    raised = rows(fold(given, told))["interfaces in vpc-1"]
    assert (raised.limit, raised.assumed, raised.source) == (
        2000,
        False,
        "ListFunctions; limit: Service Quotas",
    )


def test_static_limits_from_80_percent_on() -> None:
    near = replace(
        function("near"),
        environment_bytes=3500,
        layers=4,
        code_size_bytes=150 * MB,
        layers_size_bytes=60 * MB,
    )
    far = replace(function("far"), environment_bytes=3200, layers=3, code_size_bytes=39 * MB)
    policy = ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(near.key, policy_bytes=19 * KB),))
    shown = rows(world(policy, functions=(near, far)))
    assert (shown["environment of near"].used, shown["environment of near"].limit) == (3500, 4096)
    assert shown["layers of near"].share == 0.8
    assert (shown["package of near"].used, shown["package of near"].limit) == (210 * MB, 250 * MB)
    assert "unzipped it is larger still" in shown["package of near"].note
    assert shown["resource policy of near"].share == 0.95
    assert not [name for name in shown if name.endswith(" of far")]


def test_a_small_package_is_held_against_a_direct_upload() -> None:
    row = rows(world(functions=(replace(function("f"), code_size_bytes=45 * MB),)))["package of f"]
    assert row.limit == 50 * MB
    from_s3 = world(functions=(replace(function("f"), code_size_bytes=80 * MB),))
    assert "package of f" not in rows(from_s3), "uploaded from S3, and far from 250 MB"
    image = replace(function("f"), code_size_bytes=240 * MB, package_type="Image")
    assert "package of f" not in rows(world(functions=(image,)))


def test_what_service_quotas_told_is_not_assumed() -> None:
    facts = (replace(function("f"), environment_bytes=3900),)
    told = ev.QuotasObserved(SCOPE, NOW, (QuotaLimit(ENVIRONMENT, 4096),))
    row = rows(world(told, functions=facts))["environment of f"]
    assert (row.assumed, row.note, row.source) == (False, "", "ListFunctions; limit: Service Quotas")
    gap = ev.QuotasObserved(SCOPE, NOW, (), "Service Quotas does not answer here, 400")
    row = rows(world(gap, functions=facts))["environment of f"]
    assert row.assumed
    assert row.note == "limit assumed (Service Quotas does not answer here, 400)"
    denied = ev.SourceReported(
        SCOPE, NOW, "quotas", "denied", "servicequotas:ListServiceQuotas is denied to you."
    )
    assert "ListServiceQuotas is denied" in rows(world(denied, functions=facts))["environment of f"].note


def test_an_older_answer_of_service_quotas_changes_nothing() -> None:
    newer = ev.QuotasObserved(SCOPE, NOW, (QuotaLimit(ENVIRONMENT, 8192),))
    older = ev.QuotasObserved(SCOPE, NOW - 5, (), "gone")
    assert world(newer, older).quota_limits[SCOPE].get(ENVIRONMENT).value == 8192


def test_the_timeout_and_what_the_log_shows_as_hit() -> None:
    line = parse(NOW - 30, "1", "s", "[ERROR] OSError: [Errno 28] No space left on device")
    files = parse(NOW - 20, "2", "s", "[ERROR] OSError: [Errno 24] Too many open files: 'x'")
    logs = ev.LogsObserved(SCOPE, NOW, WORKER, "g", (line, files))
    shown = rows(world(logs, metrics(points(WORKER, "Duration", [9000.0] * 3, "Maximum"))))
    timeout = shown["timeout of orders-worker"]
    assert (timeout.used, timeout.limit, timeout.own, timeout.fixed) == (9, 10, True, True)
    assert (shown["/tmp of orders-worker"].limit, shown["/tmp of orders-worker"].assumed) == (512 * MB, False)
    assert shown["file descriptors of orders-worker"].limit == 1024
    assert "hit once in 15 min; how full it is in between is not known" in shown["/tmp of orders-worker"].note


@pytest.mark.parametrize(
    ("timeout_s", "words", "own"),
    [
        (
            600,
            "AWS allows 900 s (assumed), 5,400 s for asynchronous events and most event source mappings",
            True,
        ),
        (
            3600,
            "AWS allows 900 s (assumed), 5,400 s for asynchronous events and most event source mappings",
            True,
        ),
        (5400, "it cannot be raised further", False),
    ],
)
def test_managed_instances_have_limits_of_their_own(timeout_s: int, words: str, own: bool) -> None:
    facts = function(managed_instances=True, timeout_s=timeout_s)
    files = parse(NOW - 20, "2", "s", "[ERROR] OSError: [Errno 24] Too many open files: 'x'")
    ran = metrics(points(WORKER, "Duration", [900.0 * timeout_s] * 300, "Maximum"), at=NOW)
    logs = ev.LogsObserved(SCOPE, NOW, WORKER, "g", (files,))
    shown = rows(world(ev.FunctionsListed(SCOPE, NOW, (facts,)), logs, ran))
    timeout = shown["timeout of orders-worker"]
    assert (timeout.note.partition(";")[0], timeout.own) == (words, own)
    assert "fails, while its code may run on, and" in timeout.first_throttled
    files_row = shown["file descriptors of orders-worker"]
    assert (files_row.limit, files_row.assumed) == (4096, False)
