from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
from fakes.worlds import DLQ, NOW, ORDERS, SCOPE, WORKER, function, mapping, queue
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.facts.triggers import AsyncConfig, Edge, FunctionTriggers, PushTrigger, Reference
from lambdatop.domain.graph.cycles import components
from lambdatop.domain.graph.nodes import key_of, node
from lambdatop.domain.graph.topology import cycle_of, cycles, edges, graph, stopped_by_aws
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

HERE = f"{SCOPE.region}:{SCOPE.account}"
F, G = function("orders-worker").arn, function("billing").arn
Q, Q2 = queue(ORDERS).arn, queue(DLQ).arn
TABLE = f"arn:aws:dynamodb:{HERE}:table/orders"
STREAM = f"{TABLE}/stream/2027-01-15T00:00:00.000"
TOPIC = f"arn:aws:sns:{HERE}:orders-topic"
BUS = f"arn:aws:events:{HERE}:event-bus/shop"
BUCKET = "arn:aws:s3:::uploads"


def world(*events: ev.Event) -> World:
    return fold_all(EMPTY_WORLD, [ev.FunctionsListed(SCOPE, NOW, (function(), function("billing"))), *events])


def naming(*arns: str, name: str = "orders-worker") -> ev.FunctionsListed:
    named = tuple(Reference(f"V{i}", arn) for i, arn in enumerate(arns))
    return ev.FunctionsListed(SCOPE, NOW, (function(name, references=named),))


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (f"{F}:live", F),
        (F, F),
        (STREAM, TABLE),
        (f"{TABLE}/index/by-day", TABLE),
        (f"arn:aws:kinesis:{HERE}:stream/clicks/consumer/c:1", f"arn:aws:kinesis:{HERE}:stream/clicks"),
        (f"{TOPIC}:0f1e2d3c-0000-4000-8000-000000000001", TOPIC),
        (f"{BUCKET}/incoming/*", BUCKET),
        (Q, Q),
        ("broker-1:9092", "broker-1:9092"),
    ],
)
def test_one_node_for_each_thing(arn: str, expected: str) -> None:
    assert node(arn) == expected


def test_keys_of_nodes() -> None:
    assert key_of(F) == WORKER
    assert key_of(Q) == ORDERS
    assert key_of(TABLE) == Key(SCOPE, "table", "orders")
    assert key_of(TOPIC) is None
    assert key_of("broker-1:9092") is None


def test_every_kind_of_edge_is_read_once() -> None:
    known = function(dlq_arn=Q2, references=(Reference("TABLE", TABLE),))
    triggers = FunctionTriggers(
        WORKER,
        AsyncConfig(on_failure_arn=Q2, on_success_arn=BUS),
        (
            PushTrigger("sns", "push async", TOPIC, "sns.amazonaws.com"),
            PushTrigger("eventbridge", "push async", f"arn:aws:events:{HERE}:rule/shop/paid", "events"),
            PushTrigger("s3", "push async", "arn:aws:s3:::*", "s3.amazonaws.com"),
            PushTrigger("apigateway", "push sync", f"arn:aws:execute-api:{HERE}:a/*", "apigateway"),
        ),
    )
    seen = fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (known,)),
            ev.MappingsListed(SCOPE, NOW, (mapping(function_arn=f"{F}:live", on_failure_arn=TOPIC),)),
            ev.QueuesObserved(SCOPE, NOW, (queue(ORDERS, dlq_arn=Q2),)),
            ev.TriggersObserved(SCOPE, NOW, (triggers,)),
            ev.WiringObserved(SCOPE, NOW, BUCKET, (Edge(BUCKET, Q, "notification"),)),
        ],
    )
    assert set(edges(seen)) == {
        Edge(Q, F, "event source mapping"),
        Edge(F, TOPIC, "on-failure destination"),
        Edge(Q, Q2, "redrive policy"),
        Edge(F, Q2, "dead-letter queue"),
        Edge(F, Q2, "on-failure destination"),
        Edge(F, BUS, "on-success destination"),
        Edge(F, TABLE, "environment variable TABLE", False),
        Edge(TOPIC, F, "permission of sns", False),
        Edge(BUS, F, "rule paid", False),
        Edge(BUCKET, Q, "notification"),
    }
    assert list(edges(seen)) == sorted(edges(seen), key=lambda e: (e.source, e.target, e.via))


def test_a_topic_that_was_read_knows_better_than_a_permission() -> None:
    push = PushTrigger("sns", "push async", TOPIC, "sns.amazonaws.com")
    rule = PushTrigger("eventbridge", "push async", f"arn:aws:events:{HERE}:rule/tick", "events")
    default = f"arn:aws:events:{HERE}:event-bus/default"
    seen = world(
        ev.TriggersObserved(SCOPE, NOW, (FunctionTriggers(WORKER, AsyncConfig(), (push, rule)),)),
        ev.WiringObserved(SCOPE, NOW, TOPIC, ()),
        ev.WiringObserved(SCOPE, NOW, default, (Edge(f"arn:aws:events:{HERE}:rule/tick", F, "rule tick"),)),
    )
    assert edges(seen) == (Edge(f"arn:aws:events:{HERE}:rule/tick", F, "rule tick"),)


def test_a_stream_and_its_table_close_a_cycle() -> None:
    seen = world(
        naming(TABLE),
        ev.MappingsListed(SCOPE, NOW, (mapping(source_arn=STREAM, source_kind="dynamodb"),)),
    )
    (cycle,) = graph(seen).cycles
    assert cycle.path == "orders-worker → orders → orders-worker"
    assert cycle.via == ("environment variable V0", "event source mapping")
    assert (cycle.certain, cycle.only_failures, cycle.disabled) == (False, False, False)
    assert cycle.keys == (WORKER, Key(SCOPE, "table", "orders"))
    assert stopped_by_aws(seen, cycle) == (False, "AWS does not detect loops through DynamoDB")


def test_certain_ways_come_before_likely_ones_and_failures_last() -> None:
    certain = [Edge(F, TOPIC, "on-success destination"), Edge(TOPIC, F, "subscription")]
    likely = [Edge(F, Q, "environment variable Q", False), Edge(Q, F, "event source mapping")]
    failing = [Edge(F, Q2, "dead-letter queue"), Edge(Q2, F, "event source mapping")]
    assert [c.path for c in cycles([*failing, *likely, *certain])] == [
        "orders-worker → orders-topic → orders-worker"
    ]
    assert [c.path for c in cycles([*failing, *likely])] == ["orders-worker → orders → orders-worker"]
    (last,) = cycles(failing)
    assert last.only_failures
    (off,) = cycles([Edge(Q, F, "disabled event source mapping"), likely[0]])
    assert off.disabled


def test_a_loop_that_aws_does_not_see_is_told_beside_one_that_it_stops() -> None:
    known = [
        Edge(F, TOPIC, "on-success destination"),
        Edge(TOPIC, F, "subscription"),
        Edge(F, BUS, "on-failure destination"),
        Edge(F, BUS, "on-success destination"),
        Edge(BUS, Q, "rule paid"),
        Edge(Q, F, "event source mapping"),
    ]
    assert {c.unseen_by_aws for c in cycles(known)} == {(), ("EventBridge",)}


def test_who_stops_a_loop() -> None:
    triggers = [
        FunctionTriggers(k, recursive_loop="Allow") for k in (WORKER, Key(SCOPE, "function", "billing"))
    ]
    known = [Edge(F, G, "on-success destination"), Edge(G, F, "on-success destination")]
    (cycle,) = cycles(known)
    assert cycle.functions == (Key(SCOPE, "function", "billing"), WORKER)
    on = FunctionTriggers(WORKER, recursive_loop="Terminate")
    assert stopped_by_aws(world(ev.TriggersObserved(SCOPE, NOW, (on,))), cycle)[0] is True
    for unread in (EMPTY_WORLD, world(ev.TriggersObserved(SCOPE, NOW, (triggers[0],)))):
        stopped, words = stopped_by_aws(unread, cycle)
        assert stopped is None
        assert words.endswith("; whether loop detection is on is not known (not asked yet)")
    both = world(ev.TriggersObserved(SCOPE, NOW, tuple(triggers)))
    assert stopped_by_aws(both, cycle) == (False, "loop detection is switched off (RecursiveLoop = Allow)")


def test_a_function_tells_its_cycle_from_itself() -> None:
    seen = world(
        naming(Q),
        ev.MappingsListed(SCOPE, NOW, (mapping(function_arn=G, function=key_of(G)),)),
        ev.WiringObserved(SCOPE, NOW, "x", (Edge(G, F, "on-success destination"),)),
    )
    cycle = cycle_of(seen, WORKER)
    assert cycle is not None
    assert cycle.path == "orders-worker → orders → billing → orders-worker"
    assert cycle_of(seen, Key(SCOPE, "function", "thumbnailer")) is None


def test_the_graph_is_made_once_for_the_same_parts() -> None:
    seen = world(naming(Q), ev.MappingsListed(SCOPE, NOW, (mapping(),)))
    later = fold(seen, ev.SpendObserved(SCOPE, NOW, (), 0.0, 0.0, 0.0))
    assert graph(later) is graph(seen)
    assert len(graph(seen).cycles) == 1
    fewer = fold(later, ev.MappingsListed(SCOPE, NOW + 1, ()))
    assert graph(fewer).cycles == ()


def test_long_chains_need_no_recursion() -> None:
    arns = [function(f"f{i:05}").arn for i in range(5_000)]
    chain = [Edge(a, b, "on-success destination") for a, b in pairwise(arns)]
    assert cycles(chain) == ()
    assert cycles([*chain, Edge(arns[-1], arns[0], "subscription")])[0].functions[0].id == "f00000"


_ARNS = [function(f"f{i}").arn for i in range(4)] + [
    queue(Key(SCOPE, "queue", f"q{i}")).arn for i in range(3)
]
_ARNS += [TABLE, TOPIC]
_VIAS = ("event source mapping", "redrive policy", "subscription", "disabled event source mapping")
_EDGES = st.lists(
    st.builds(Edge, st.sampled_from(_ARNS), st.sampled_from(_ARNS), st.sampled_from(_VIAS), st.booleans()),
    max_size=24,
    unique_by=lambda e: (e.source, e.target, e.via),
)


@given(_EDGES)
def test_every_cycle_is_a_closed_path_of_known_edges(known: list[Edge]) -> None:
    for cycle in cycles(known):
        assert set(cycle.edges) <= set(known)
        assert len(set(cycle.nodes)) == len(cycle.nodes)
        for here, there in zip(cycle.edges, (*cycle.edges[1:], cycle.edges[0]), strict=True):
            assert here.target == there.source


@given(_EDGES, st.randoms(use_true_random=False))
def test_the_order_of_the_edges_does_not_matter(known: list[Edge], dice: object) -> None:
    shuffled = list(known)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert cycles(shuffled) == cycles(known)
    assert cycles([*shuffled, *known]) == cycles(known)


@given(_EDGES)
def test_without_a_way_back_there_is_no_cycle_and_with_one_there_is(known: list[Edge]) -> None:
    forward = [e for e in known if _ARNS.index(e.source) < _ARNS.index(e.target)]
    assert cycles(forward) == ()
    reach = _reachable(known)
    on_one = {a for a in _ARNS if a in reach[a]}
    functions = {a for a in on_one if ":function:" in a}
    told = {n for c in cycles(known) for n in c.nodes}
    assert functions <= told <= on_one
    assert bool(told) == bool(on_one)


@given(_EDGES)
def test_components_are_what_reaches_each_other(known: list[Edge]) -> None:
    out: dict[str, list[Edge]] = defaultdict(list)
    for edge in known:
        out[edge.source].append(edge)
    reach = _reachable(known)
    found = {frozenset(c) for c in components(out)}
    nodes = {e.source for e in known} | {e.target for e in known}
    expected = {frozenset(b for b in nodes if b == a or (b in reach[a] and a in reach[b])) for a in nodes}
    assert found == expected


def _reachable(known: list[Edge]) -> dict[str, set[str]]:
    """Compute the transitive closure by repeated relaxation: slow, and too simple to be wrong."""
    reach = {a: {e.target for e in known if e.source == a} for a in _ARNS}
    for _ in _ARNS:
        for a in _ARNS:
            for b in list(reach[a]):
                reach[a] |= reach[b]
    return reach
