"""Make quota rows of what feeds functions, and of their network: queues, shards, mappings, interfaces."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from lambdatop.domain.facts import quota_limits as q
from lambdatop.domain.facts.event_source_mapping import MappingFacts, most_at_once
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.quotas.scope_view import Candidate, ScopeView, fullest, row
from lambdatop.domain.state.snapshot import QuotaRow


def source_rows(view: ScopeView) -> Iterator[QuotaRow]:
    """Yield the rows of high use, and the fullest of each kind."""
    mappings = [m for m in view.world.mappings.values() if m.key.scope == view.scope and m.enabled]
    yield from fullest(_in_flight(view))
    yield from fullest(_shards(view, mappings))
    yield from fullest(_mappings(view, mappings))
    yield from fullest(_interfaces(view))


def _in_flight(view: ScopeView) -> Iterator[Candidate]:
    for history in view.world.queues.values():
        facts = history.facts
        used, limit = float(facts.in_flight), float(q.SQS_IN_FLIGHT_FIFO if facts.fifo else q.SQS_IN_FLIGHT)
        make = partial(_in_flight_row, view, facts, used, limit)
        yield Candidate(f"in flight in {facts.name}", used, limit, make)


def _in_flight_row(view: ScopeView, facts: QueueFacts, used: float, limit: float) -> QuotaRow:
    made = row(
        f"in flight in {facts.name}",
        used,
        limit,
        "messages",
        "GetQueueAttributes",
        scope="queue",
        as_of=facts.at,
        assumed=True,
        target=facts.key,
        points=view.points(facts.key, "ApproximateNumberOfMessagesNotVisible", "Maximum"),
    )
    # With long polling, as Lambda polls, no error is returned (SQS developer guide, quotas of queues).
    refused = "no more messages come, without an error"
    refused += "" if facts.fifo else " (short polling: OverLimit)"
    return replace(made, first_throttled=f"every consumer of the queue: {refused}")


def _shards(view: ScopeView, mappings: list[MappingFacts]) -> Iterator[Candidate]:
    """Yield the reads of each Kinesis shard by the mappings that share them.

    Enhanced fan-out has its own throughput.
    """
    readers: dict[Key, list[MappingFacts]] = defaultdict(list)
    for mapping in mappings:
        stream = mapping.source_stream
        if mapping.source_kind == "kinesis" and stream is not None and "/consumer/" not in mapping.source_arn:
            readers[stream].append(mapping)
    for stream, found in readers.items():
        used = float(len(found) * q.SHARD_POLLS_PER_S["kinesis"])
        make = partial(_shards_row, view, stream, found, used)
        yield Candidate(f"shard reads of {stream.id}", used, float(q.SHARD_READS_PER_S), make)


def _shards_row(view: ScopeView, stream: Key, found: list[MappingFacts], used: float) -> QuotaRow:
    made = row(
        f"shard reads of {stream.id}",
        used,
        float(q.SHARD_READS_PER_S),
        "reads/s",
        "ListEventSourceMappings x 1 poll/s",
        scope="stream",
        as_of=view.world.mappings_at.get(view.scope, view.now),
        assumed=True,
        target=stream,
        note="per shard; other readers and the 2 MB/s are not read",
        fixed=True,
    )
    names = sorted(m.function.id for m in found)
    consumers = tuple((name, float(q.SHARD_POLLS_PER_S["kinesis"])) for name in names)
    refused = "all readers of a shard alike: their iterator age grows"
    return replace(made, consumers=consumers[:5], first_throttled=refused)


def _mappings(view: ScopeView, mappings: list[MappingFacts]) -> Iterator[Candidate]:
    """Yield how many executions a queue's mapping may ask for at once, against its function's concurrency."""
    fed = Counter(m.function for m in mappings)
    for mapping in mappings:
        if mapping.source_kind != "sqs":
            continue
        used, limit = view.running(mapping.function), float(most_at_once(mapping)[0])
        make = partial(_mappings_row, view, mapping, fed[mapping.function], used)
        yield Candidate(f"mapping {mapping.label}", used, limit, make)


def _mappings_row(view: ScopeView, mapping: MappingFacts, fed: int, used: float | None) -> QuotaRow:
    limit, own, source = most_at_once(mapping)
    words = [] if fed == 1 else [f"{fed} mappings feed it"]
    words.append("every execution of the function is counted")
    made = row(
        f"mapping {mapping.label}",
        used,
        float(limit),
        "environments",
        f"{source}, ConcurrentExecutions",
        scope="mapping",
        as_of=view.as_of(mapping.function),
        note="; ".join(words),
        assumed=not own,
        target=mapping.key,
        own=True,
        points=view.points(mapping.function, "ConcurrentExecutions", "Maximum"),
    )
    refused = f"nobody: messages wait in {mapping.source_name}"
    return replace(made, first_throttled=refused, top=mapping.function)


def _interfaces(view: ScopeView) -> Iterator[Candidate]:
    """Yield the network interfaces: one per subnet and set of security groups, which is a lower bound."""
    by_vpc: dict[str, set[str]] = defaultdict(set)
    users: dict[str, int] = Counter()
    for key in view.functions:
        facts = view.world.functions[key]
        if facts.vpc_id and facts.interfaces:
            by_vpc[facts.vpc_id].update(facts.interfaces)
            users[facts.vpc_id] += 1
    limit = view.limits.get(q.INTERFACES_PER_VPC)
    for vpc, sets in by_vpc.items():
        make = partial(_interfaces_row, view, vpc, float(len(sets)), users[vpc], limit)
        yield Candidate(f"interfaces in {vpc}", float(len(sets)), limit.value, make)


def _interfaces_row(view: ScopeView, vpc: str, used: float, users: int, limit: q.QuotaLimit) -> QuotaRow:
    made = row(
        f"interfaces in {vpc}",
        used,
        limit.value,
        "interfaces",
        f"ListFunctions; limit: {limit.origin}",
        code=q.INTERFACES_PER_VPC,
        scope="vpc",
        as_of=view.world.functions_at.get(view.scope, view.now),
        assumed=limit.assumed,
        note=f"at least, for {users} functions; the VPC's own count is not read",
        target=Key(view.scope, "quota", f"interfaces in {vpc}"),
        fixed=True,
    )
    return replace(made, first_throttled="new and changed functions in the VPC: they stay Pending or fail")
