"""Limits of what feeds functions, and of their network: queues, shards, mappings, interfaces."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace

from lambdatop.domain import quota_limits as q
from lambdatop.domain.mapping import MappingFacts
from lambdatop.domain.quota_look import Look, fullest, row
from lambdatop.domain.scope import Key
from lambdatop.domain.snapshot import QuotaRow

POLLER_CONCURRENCY = 10
"""Concurrent invocations per provisioned poller of a queue's mapping."""


def source_rows(look: Look) -> Iterator[QuotaRow]:
    """The ones that are used far, and the fullest of each kind."""
    mappings = [m for m in look.world.mappings.values() if m.key.scope == look.scope and m.enabled]
    yield from fullest(_in_flight(look))
    yield from fullest(_shards(look, mappings))
    yield from fullest(_mappings(look, mappings))
    yield from fullest(_interfaces(look))


def _in_flight(look: Look) -> Iterator[QuotaRow]:
    for key, history in look.world.queues.items():
        facts = history.facts
        limit = q.SQS_IN_FLIGHT_FIFO if facts.fifo else q.SQS_IN_FLIGHT
        made = row(
            f"in flight in {facts.name}",
            float(facts.in_flight),
            float(limit),
            "messages",
            "GetQueueAttributes",
            scope="queue",
            as_of=facts.at,
            assumed=True,
            target=key,
            points=look.points(key, "ApproximateNumberOfMessagesNotVisible", "Maximum"),
        )
        refused = (
            "every consumer of the queue: ReceiveMessage answers OverLimit"
            if not facts.fifo
            else ("every consumer of the queue: no more messages come")
        )
        yield replace(made, first_throttled=refused)


def _shards(look: Look, mappings: list[MappingFacts]) -> Iterator[QuotaRow]:
    """Reads of each Kinesis shard by the mappings that share them; enhanced fan-out has a pipe of its own."""
    readers: dict[Key, list[MappingFacts]] = defaultdict(list)
    for mapping in mappings:
        stream = mapping.source_stream
        if mapping.source_kind == "kinesis" and stream is not None and "/consumer/" not in mapping.source_arn:
            readers[stream].append(mapping)
    for stream, found in readers.items():
        names = sorted(m.function.id for m in found)
        made = row(
            f"shard reads of {stream.id}",
            float(len(found) * q.SHARD_POLLS_PER_S["kinesis"]),
            float(q.SHARD_READS_PER_S),
            "reads/s",
            "ListEventSourceMappings x 1 poll/s",
            scope="stream",
            as_of=look.world.mappings_at.get(look.scope, look.now),
            assumed=True,
            target=stream,
            note="per shard; other readers and the 2 MB/s are not read",
            fixed=True,
        )
        consumers = tuple((name, float(q.SHARD_POLLS_PER_S["kinesis"])) for name in names)
        refused = "all readers of a shard alike: their iterator age grows"
        yield replace(made, consumers=consumers[:5], first_throttled=refused)


def _mappings(look: Look, mappings: list[MappingFacts]) -> Iterator[QuotaRow]:
    """How many executions a queue's mapping may ask for at once, against what its function runs."""
    fed = Counter(m.function for m in mappings)
    for mapping in mappings:
        if mapping.source_kind != "sqs":
            continue
        limit, own, source = _most(mapping)
        words = [] if fed[mapping.function] == 1 else [f"{fed[mapping.function]} mappings feed it"]
        words.append("every execution of the function is counted")
        made = row(
            f"mapping {mapping.source_name} → {mapping.function.id}",
            look.running(mapping.function),
            float(limit),
            "environments",
            f"{source}, ConcurrentExecutions",
            scope="mapping",
            as_of=look.as_of(mapping.function),
            note="; ".join(words),
            assumed=not own,
            target=mapping.key,
            own=True,
            points=look.points(mapping.function, "ConcurrentExecutions", "Maximum"),
        )
        refused = f"nobody: messages wait in {mapping.source_name}"
        yield replace(made, first_throttled=refused, top=mapping.function)


def _most(mapping: MappingFacts) -> tuple[int, bool, str]:
    """The most at once, whether its owner has set it, and what says so."""
    if mapping.max_concurrency:
        return mapping.max_concurrency, True, "MaximumConcurrency"
    if mapping.pollers_max:
        return mapping.pollers_max * POLLER_CONCURRENCY, True, f"{mapping.pollers_max} pollers x 10"
    return q.SQS_MAPPING_CONCURRENCY, False, "documented"


def _interfaces(look: Look) -> Iterator[QuotaRow]:
    """Lambda shares an interface per subnet and set of security groups: that many there are at least."""
    by_vpc: dict[str, set[str]] = defaultdict(set)
    users: dict[str, int] = Counter()
    for key in look.functions:
        facts = look.world.functions[key]
        if facts.vpc_id and facts.interfaces:
            by_vpc[facts.vpc_id].update(facts.interfaces)
            users[facts.vpc_id] += 1
    for vpc, sets in by_vpc.items():
        made = row(
            f"interfaces in {vpc}",
            float(len(sets)),
            float(q.INTERFACES_PER_VPC),
            "interfaces",
            "ListFunctions",
            scope="vpc",
            as_of=look.world.functions_at.get(look.scope, look.now),
            assumed=True,
            note=f"at least, for {users[vpc]} functions; the VPC's own count and its limit are not read",
            target=Key(look.scope, "quota", f"interfaces in {vpc}"),
            fixed=True,
        )
        yield replace(made, first_throttled="new and changed functions in the VPC: they stay Pending or fail")
