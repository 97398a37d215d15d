"""Topics, buses and buckets: what hangs on them, in whose turn, and what is left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE, Bench
from fakes.wire_stub import Body, Fault, Redirect, WireStub

from lambdatop.aws.collectors import wiring
from lambdatop.aws.collectors.wiring import WiringSource
from lambdatop.aws.facts.event_places import places
from lambdatop.domain.errors import Denied, SourceError, Throttled, Unreachable
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.triggers import AsyncConfig, Edge, FunctionTriggers, PushTrigger, Reference
from lambdatop.domain.keys import Key
from lambdatop.domain.state.events import (
    FunctionsListed,
    GapsObserved,
    TriggersObserved,
    WiringObserved,
)
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

HERE = f"{REGION}:{ACCOUNT}"
F = Key(SCOPE, "function", "f")
FN = f"arn:aws:lambda:{HERE}:function:f"
TOPIC, BUCKET = f"arn:aws:sns:{HERE}:news", "arn:aws:s3:::pictures"
QUEUE = f"arn:aws:sqs:{HERE}:orders"
BUS, DEFAULT = f"arn:aws:events:{HERE}:event-bus/shop", f"arn:aws:events:{HERE}:event-bus/default"
NO_CONFIG = AsyncConfig()
NO = Fault("AccessDenied", status=403)


def _world(*push: str, config: AsyncConfig = NO_CONFIG, refs: tuple[str, ...] = ()) -> World:
    facts = FunctionFacts(F, FN, references=tuple(Reference("V", arn) for arn in refs))
    triggers = tuple(PushTrigger("x", "push async", arn, "x.amazonaws.com") for arn in push)
    return fold_all(
        EMPTY_WORLD,
        (
            FunctionsListed(SCOPE, 1.0, (facts,)),
            TriggersObserved(SCOPE, 1.0, (FunctionTriggers(F, config, triggers),)),
        ),
    )


async def _edges(source: WiringSource, view: Any) -> dict[str, tuple[Edge, ...]]:
    events = await source.collect(view)
    assert all(isinstance(e, (WiringObserved, GapsObserved)) for e in events)
    return {e.place: e.edges for e in events if isinstance(e, WiringObserved)}


def test_places_come_from_policies_destinations_and_variables() -> None:
    config = AsyncConfig(on_failure_arn=TOPIC, on_success_arn=DEFAULT)
    rule = f"arn:aws:events:{HERE}:rule/shop/on-order"
    found = places(_world(rule, BUCKET, config=config, refs=(f"{BUCKET}-2", QUEUE)), SCOPE)
    assert set(found) == {TOPIC, DEFAULT, BUS, BUCKET, f"{BUCKET}-2"}
    assert (found[BUS].rules, found[BUS].all, found[DEFAULT].all) == (frozenset({"on-order"}), False, True)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "*",
        "arn:aws:s3:::*",
        "arn:aws:s3:::logs-*",
        "arn:aws:s3:::Nobody_Can",
        "arn:aws:s3:::fast--euc1-az1--x-s3",
        f"arn:aws:s3:{HERE}:accesspoint/theirs",
        f"arn:aws:sns:us-east-1:{ACCOUNT}:elsewhere",
        f"arn:aws:sns:{REGION}:999999999999:theirs",
        f"arn:aws:events:{HERE}:rule/*",
        f"arn:aws:execute-api:{HERE}:abc/*/GET/",
    ],
)
def test_what_is_no_place_of_ours_is_not_asked_for(arn: str) -> None:
    assert places(_world(arn), SCOPE) == {}


async def test_subscriptions_of_a_topic(stub: WireStub, bench: MakeBench) -> None:
    ends = [f"{FN}:live", QUEUE, "ann@example.com", "https://example.com/hook"]
    pages = [{"Subscriptions": [{"Endpoint": e}]} for e in ends]
    stub.on("sns", "ListSubscriptionsByTopic", *[p | {"NextToken": str(i)} for i, p in enumerate(pages)], {})
    made = bench()
    found = await _edges(WiringSource(made.api, SCOPE), made.view(_world(TOPIC)))
    assert found == {TOPIC: (Edge(TOPIC, FN, "subscription"), Edge(TOPIC, QUEUE, "subscription"))}


def _bus(stub: WireStub, *rules: dict[str, Any]) -> None:
    stub.on("events", "ListRules", {"Rules": list(rules)})
    stub.on("events", "ListTargetsByRule", {"Targets": [{"Id": "1", "Arn": f"{FN}:live"}]})


async def test_rules_of_a_bus_that_is_sent_to(stub: WireStub, bench: MakeBench) -> None:
    clock = f"arn:aws:events:{HERE}:rule/shop/hourly"
    _bus(
        stub,
        {"Name": "on-order", "EventPattern": json.dumps({"source": ["shop"]})},
        {"Name": "of-aws", "EventPattern": json.dumps({"source": ["aws.ec2"]})},
        {"Name": "off", "EventPattern": "{}", "State": "DISABLED"},
        {"Name": "hourly", "ScheduleExpression": "rate(1 hour)", "Arn": clock},
    )
    made = bench()
    view = made.view(_world(config=AsyncConfig(on_success_arn=BUS)))
    found = await _edges(WiringSource(made.api, SCOPE), view)
    assert found[BUS] == (
        Edge(BUS, FN, "rule on-order"),
        Edge(BUS, FN, "rule of-aws", certain=False),
        Edge(clock, FN, "rule hourly"),
    )
    assert {p["EventBusName"] for p in stub.calls("ListTargetsByRule")} == {"shop"}


async def test_of_other_buses_only_the_rules_that_policies_name(stub: WireStub, bench: MakeBench) -> None:
    _bus(stub, *({"Name": f"r{i}", "EventPattern": "{}"} for i in range(9)))
    made = bench()
    found = await _edges(WiringSource(made.api, SCOPE), made.view(_world(f"arn:aws:events:{HERE}:rule/r7")))
    assert found == {DEFAULT: (Edge(DEFAULT, FN, "rule r7"),)}
    assert len(stub.calls("ListTargetsByRule")) == 1


async def test_rules_beyond_those_of_one_round_are_read_in_the_next_and_counted_until_then(
    stub: WireStub, bench: MakeBench
) -> None:
    _bus(stub, *({"Name": f"r{i:02}", "EventPattern": "{}"} for i in range(70)))
    made = bench()
    source, view = WiringSource(made.api, SCOPE), made.view(_world(config=AsyncConfig(on_success_arn=BUS)))
    assert len((await _edges(source, view))[BUS]) == 50
    (gap,) = source.unasked(view)
    assert (gap.action, gap.reason, gap.targets) == ("events:ListTargetsByRule", "not asked", 20)
    assert len((await _edges(source, view))[BUS]) == 70
    assert [p["Rule"] for p in stub.calls("ListTargetsByRule")[50:]] == [
        f"r{i:02}" for i in (*range(50, 70), *range(30))
    ]
    assert source.unasked(view) == ()


async def test_a_bus_that_is_gone_has_no_rules_left_to_ask(stub: WireStub, bench: MakeBench) -> None:
    _bus(stub, *({"Name": f"r{i:02}", "EventPattern": "{}"} for i in range(70)))
    made = bench()
    source, view = WiringSource(made.api, SCOPE), made.view(_world(config=AsyncConfig(on_success_arn=BUS)))
    await source.collect(view)
    stub.on("events", "ListRules", Fault("ResourceNotFoundException"))
    assert await _edges(source, view) == {BUS: ()}
    assert source.unasked(view) == ()


async def test_a_rule_that_goes_while_it_is_read_costs_no_other(stub: WireStub, bench: MakeBench) -> None:
    def targets(params: dict[str, Any]) -> Any:
        return (
            Fault("ResourceNotFoundException")
            if params["Rule"] == "r0"
            else {"Targets": [{"Id": "1", "Arn": FN}]}
        )

    _bus(stub, *({"Name": f"r{i}", "EventPattern": "{}"} for i in range(2)))
    stub.on("events", "ListTargetsByRule", targets)
    made = bench()
    found = await _edges(
        WiringSource(made.api, SCOPE), made.view(_world(config=AsyncConfig(on_success_arn=BUS)))
    )
    assert found[BUS] == (Edge(BUS, FN, "rule r1"),)


async def test_a_page_of_a_gateway_is_not_a_bucket_without_notifications(
    stub: WireStub, bench: MakeBench
) -> None:
    page = b"<?xml version='1.0'?><!DOCTYPE html><html><body><p>Sign in</p></body></html>"
    stub.on("s3", "GetBucketNotificationConfiguration", Body(page, "text/html"))
    made = bench()
    with pytest.raises(SourceError):
        await WiringSource(made.api, SCOPE).collect(made.view(_world(BUCKET)))


async def test_notifications_of_a_bucket_by_its_path(stub: WireStub, bench: MakeBench) -> None:
    events = ["s3:ObjectCreated:*"]
    stub.on(
        "s3",
        "GetBucketNotificationConfiguration",
        {
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": FN, "Events": events}],
            "QueueConfigurations": [{"QueueArn": QUEUE, "Events": events}],
            "TopicConfigurations": [{"TopicArn": TOPIC, "Events": events}],
            "EventBridgeConfiguration": {},
        },
    )
    made = bench()
    found = await _edges(WiringSource(made.api, SCOPE), made.view(_world(BUCKET)))
    assert found == {BUCKET: tuple(Edge(BUCKET, t, "notification") for t in (FN, QUEUE, TOPIC, DEFAULT))}
    assert stub.calls("GetBucketNotificationConfiguration") == [{"Bucket": "pictures"}]


async def test_a_bucket_stays_in_the_path_whatever_the_endpoint(stub: WireStub) -> None:
    stub.on("s3", "GetBucketNotificationConfiguration", {})
    made = Bench(stub.url.replace("127.0.0.1", "localhost"))
    found = await _edges(WiringSource(made.api, SCOPE), made.view(_world(BUCKET)))
    await made.close()
    assert found == {BUCKET: ()}
    assert stub.received[0].headers["Host"].startswith("localhost:")


async def test_a_place_that_is_sent_to_by_a_place_is_read_next(stub: WireStub, bench: MakeBench) -> None:
    stub.on(
        "s3",
        "GetBucketNotificationConfiguration",
        {"TopicConfigurations": [{"TopicArn": TOPIC, "Events": []}]},
    )
    stub.on("sns", "ListSubscriptionsByTopic", {"Subscriptions": [{"Endpoint": QUEUE}]})
    made = bench()
    source, world = WiringSource(made.api, SCOPE), _world(BUCKET)
    world = fold_all(world, await source.collect(made.view(world)))
    found = await _edges(source, made.view(world))
    assert found[TOPIC] == (Edge(TOPIC, QUEUE, "subscription"),)


async def test_what_is_gone_or_not_named_any_more_has_no_edges(stub: WireStub, bench: MakeBench) -> None:
    stub.on("sns", "ListSubscriptionsByTopic", {"Subscriptions": [{"Endpoint": QUEUE}]})
    stub.on("s3", "GetBucketNotificationConfiguration", Fault("NoSuchBucket", status=404))
    made = bench()
    source = WiringSource(made.api, SCOPE)
    assert (await _edges(source, made.view(_world(TOPIC, BUCKET))))[BUCKET] == ()
    stub.on("sns", "ListSubscriptionsByTopic", Fault("NotFound", status=404))
    assert await _edges(source, made.view(_world(TOPIC))) == {TOPIC: (), BUCKET: ()}
    assert await _edges(source, made.view(_world())) == {TOPIC: ()}
    assert await _edges(source, made.view(_world())) == {}


@pytest.mark.parametrize(
    "answer",
    [
        Redirect("http://127.0.0.1:9/elsewhere", 301),
        Fault("PermanentRedirect"),
        Fault("IllegalLocationConstraintException"),
        Fault("AuthorizationHeaderMalformed"),
    ],
)
async def test_a_bucket_of_another_region_notifies_nothing_here(
    stub: WireStub, bench: MakeBench, answer: Redirect | Fault
) -> None:
    stub.on("s3", "GetBucketNotificationConfiguration", answer)
    made = bench()
    assert await _edges(WiringSource(made.api, SCOPE), made.view(_world(BUCKET))) == {BUCKET: ()}
    assert len(stub.received) == 1


async def test_one_denied_place_hides_no_other(stub: WireStub, bench: MakeBench) -> None:
    stub.on("s3", "GetBucketNotificationConfiguration", NO)
    stub.on("sns", "ListSubscriptionsByTopic", {"Subscriptions": []})
    made = bench()
    assert set(await _edges(WiringSource(made.api, SCOPE), made.view(_world(TOPIC, BUCKET)))) == {TOPIC}
    with pytest.raises(Denied, match=r"s3:GetBucketNotification is denied"):
        await WiringSource(made.api, SCOPE).collect(made.view(_world(BUCKET)))
    stub.on("sns", "ListSubscriptionsByTopic", Fault("AuthorizationError", status=403))
    with pytest.raises(Denied):
        await WiringSource(made.api, SCOPE).collect(made.view(_world(TOPIC, BUCKET)))


async def test_a_throttled_round_stops_asking(stub: WireStub, bench: MakeBench) -> None:
    stub.on("sns", "ListSubscriptionsByTopic", Fault("Throttling"))
    made = bench()
    with pytest.raises(Throttled):
        await WiringSource(made.api, SCOPE).collect(made.view(_world(*(f"{TOPIC}{i}" for i in range(9)))))
    assert len(stub.received) == 1


async def test_an_endpoint_that_is_away_is_a_failed_round(bench: MakeBench, stub: WireStub) -> None:
    made = bench()
    await stub.__aexit__()
    with pytest.raises(Unreachable):
        await WiringSource(made.api, SCOPE).collect(made.view(_world(TOPIC)))


async def test_a_round_is_bounded_and_every_place_has_its_turn(
    stub: WireStub, bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "READS", 4)
    stub.on("sns", "ListSubscriptionsByTopic", {"Subscriptions": []})
    made = bench()
    source, view = WiringSource(made.api, SCOPE), made.view(_world(*(f"{TOPIC}{i}" for i in range(10))))
    for _ in range(3):
        events = await source.collect(view)
        assert len([e for e in events if isinstance(e, WiringObserved)]) == 4
    asked = [p["TopicArn"] for p in stub.calls("ListSubscriptionsByTopic")]
    assert len(asked) == 12
    assert len(set(asked)) == 10


async def test_hostile_names_are_cleaned(stub: WireStub, bench: MakeBench) -> None:
    evil = "x\x1b]0;t\x07\u202e"
    _bus(stub, {"Name": evil, "EventPattern": "{}"})
    stub.on("events", "ListTargetsByRule", {"Targets": [{"Id": "1", "Arn": f"{QUEUE}{evil}"}]})
    made = bench()
    found = await _edges(
        WiringSource(made.api, SCOPE), made.view(_world(config=AsyncConfig(on_success_arn=BUS)))
    )
    assert found[BUS]
    assert not any(c in repr(found) for c in ("\\x1b", "\\x07", "\\u202e"))
