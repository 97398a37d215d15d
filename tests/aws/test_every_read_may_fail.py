"""Each read of every source and every plan fails in every way, and nothing is said that is not so.

The suite tries one of the ways for each read, `LAMBDATOP_NIGHTLY=1` all.
Which reads there are is taken from the requests of a run in which none fails, so that a new read is covered
by itself. What may differ: fewer findings and rows, milder ones, figures that are not known, and a refusal
that names the read.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from fakes.aws_doubles import IDENTITY, SCOPE, Bench
from fakes.incident_account import NOW, TARGETS, furnish
from fakes.nightly import dealt
from fakes.situations import untried
from fakes.wire_stub import Body, Fault, Reply, Reset, WireStub
from msgspec.structs import fields, replace

from lambdatop.aws.sources import build_sources
from lambdatop.aws.spec import Opened
from lambdatop.aws.targets.reader import AwsReader
from lambdatop.domain.errors import SourceError
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.registry import looks_at, plan
from lambdatop.domain.plans.finding import SEVERITIES, Finding
from lambdatop.domain.plans.plan import Alternative, Plan, Proposal, Refusal
from lambdatop.domain.settings.settings import MetricSettings, Settings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state.events import SourceReported, SourceState, TargetIdentified
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD, World
from lambdatop.engine.mutating.read_back import read_fields

pytestmark = [pytest.mark.wire, pytest.mark.timeout(400)]  # two thousand requests in each test

Read = tuple[str, str]
SETTINGS = replace(Settings(), metrics=MetricSettings(publish_delay_s=0.0))
ROUNDS = 2
SAID = ("not known", "unknown", "not asked", "could not be read", "not read", "not there", "failed", "denied")

EMPTY: Mapping[str, dict[str, Any]] = {
    "GetAccountSettings": {},
    "GetFunctionRecursionConfig": {},
    "GetQueueAttributes": {},
    "DescribeStreamSummary": {"StreamDescriptionSummary": {}},
}
"""Answers without what they were asked for, of operations that always tell it.

GetMetricData answers every series, and one without a point is that of a function that did not run.
"""

MODES: Mapping[str, Callable[[str], Reply | None]] = {
    "denied": lambda operation: Fault("AccessDeniedException", status=403),
    "not there": lambda operation: Body(b"<html>Not Found</html>", "text/html", status=404),
    "throttled": lambda operation: Fault("ThrottlingException", status=429),
    "broken": lambda operation: Fault("InternalFailure", status=500),
    "late": lambda operation: Reset(),
    "empty": EMPTY.get,
}


class Seen(NamedTuple):
    """All that one run says: the Snapshot, and each plan or what was raised in its place."""

    snapshot: Snapshot
    plans: tuple[Proposal | SourceError, ...]


async def _world(bench: Bench) -> World:
    """Return the World after all sources, round after round, as the collectors ask them."""
    world = fold(EMPTY_WORLD, TargetIdentified(SCOPE, NOW, IDENTITY["Arn"]))
    sources = build_sources(Opened(bench.api, SCOPE, SETTINGS, identity=IDENTITY["Arn"]))
    for number in range(ROUNDS):
        at = bench.clock.at = NOW - 61.0 * (ROUNDS - 1 - number)
        for source in sources:
            state: SourceState = "ok"
            words, action = "", None
            try:
                world = fold_all(world, await source.collect(bench.view(world)))
            except SourceError as error:
                state, words, action = error.state, str(error), error.action  # type: ignore[assignment]
            world = fold(world, SourceReported(SCOPE, at, source.name, state, words, action))
    return world


async def _plans(bench: Bench) -> tuple[Proposal | SourceError, ...]:
    reader, found, read = AwsReader(bench.api, SCOPE), list[Proposal | SourceError](), dict[Key, Any]()
    for name, target, params in TARGETS:
        try:
            situation = read[target] = read.get(target) or await reader.situation(target)
        except SourceError as error:
            found.append(error)
            continue
        wanted = looks_at(name)
        if wanted:
            closer = await read_fields(reader, target, wanted)
            gaps = (*situation.gaps, closer.error) if closer.error else situation.gaps
            situation = replace(situation, gaps=gaps, **(closer.state or {}))
        found.append(plan(name, situation, params, NOW, "p"))
    return tuple(found)


async def _snapshot(bench: Bench) -> Snapshot:
    world = await _world(bench)
    return build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=NOW, version="0", mode="operator", settings=SETTINGS
    )


class Full(NamedTuple):
    """The run in which nothing fails, and what the sources and the plans asked for in it."""

    seen: Seen
    by_sources: frozenset[Read]
    by_plans: frozenset[Read]


async def _full(stub: WireStub, bench: Bench) -> Full:
    furnish(stub)
    snapshot, first = await _snapshot(bench), len(stub.received)
    plans = await _plans(bench)
    asked = [(r.service, r.operation) for r in stub.received]
    return Full(Seen(snapshot, plans), frozenset(asked[:first]), frozenset(asked[first:]))


async def _faulty(stub: WireStub, bench: Bench, full: Full, read: Read, reply: Reply) -> Seen:
    """Run the same with one failing read; check that everything that does not use it stays the same."""
    furnish(stub)
    stub.on(*read, reply)
    snapshot = await _snapshot(bench) if read in full.by_sources else full.seen.snapshot
    return Seen(snapshot, await _plans(bench) if read in full.by_plans else full.seen.plans)


def _unsaid(text: object) -> bool:
    return isinstance(text, str) and any(words in text for words in SAID)


def _same_or_unsaid(full: object, seen: object) -> bool:
    return seen == full or seen is None or _unsaid(seen)


def _findings(full: Iterable[Finding], seen: Iterable[Finding]) -> Iterator[str]:
    known = {(f.detector, f.target.key): f for f in full}
    for found in seen:
        of = known.get((found.detector, found.target.key))
        if of is None:
            yield f"finding that the full answer does not give: {found.detector} {found.title}"
            continue
        if SEVERITIES.index(found.severity) > SEVERITIES.index(of.severity):
            yield f"{found.detector}: {found.severity} > {of.severity}"
        was, values = dict(of.evidence), set(map(str, dict(of.evidence).values()))
        if found.detector == "risky_config":  # a list of its own: fewer are no other statement
            yield from (f"risk {v!r}" for n, v in found.evidence if n != "risks" and str(v) not in values)
            continue
        if not _same_or_unsaid(of.title, found.title) and not of.title.startswith(found.title):
            yield f"{found.detector}: {found.title!r} in place of {of.title!r}"
        for name, value in found.evidence:
            if name not in was or not _same_or_unsaid(was[name], value):
                yield f"{found.detector}.{name}: {value!r} in place of {was.get(name)!r}"


def _figures(
    full: Iterable[Any], seen: Iterable[Any], key: Callable[[Any], object], *but: str
) -> Iterator[str]:
    known = {key(row): row for row in full}
    for row in seen:
        of = known.get(key(row))
        if of is None:
            yield f"row that the full answer does not give: {key(row)}"
            continue
        for field in fields(row):
            value, was = getattr(row, field.name), getattr(of, field.name)
            if field.name in but or _same_or_unsaid(was, value) or value in ((), "", False):
                continue
            if isinstance(value, tuple) and isinstance(was, tuple) and set(value) <= {*was, None}:
                continue
            yield f"{key(row)}.{field.name}: {value!r} in place of {was!r}"


def _snapshots(full: Snapshot, seen: Snapshot) -> Iterator[str]:
    yield from _findings(full.findings, seen.findings)
    # What is computed from many figures orders rows and says nothing by itself.
    orders = ("heat", "score", "why", "as_of", "findings", "worst")
    rows = ("queue", "dlq", "burn", "burn_usd_per_hour", "wasted_usd_per_hour", "wasted_per_min")
    named = ("source_kind", "source_name")  # "async callers" where the policy that names them was not read
    yield from _figures(full.functions, seen.functions, lambda r: r.key, *orders, *rows)
    hidden = (*orders, *rows, *named)
    yield from _figures(full.storms, seen.storms, lambda r: r.key, *hidden)
    yield from _figures(full.queues, seen.queues, lambda r: r.facts.key, *orders, "facts")
    known = {row.name: row for row in full.quotas}
    for row in seen.quotas:
        of = known.get(row.name)
        for name in ("used", "limit", "headroom"):
            value = getattr(row, name)
            if of is not None and value is not None and value != getattr(of, name) and not row.assumed:
                yield f"quota {row.name}.{name}: {value!r} in place of {getattr(of, name)!r}"


def _lines(words: Iterable[str]) -> Iterator[str]:
    for text in words:
        yield from (piece.strip() for piece in re.split("[;,] ", text))


def _plan(full: Proposal | SourceError, seen: Proposal | SourceError) -> Iterator[str]:
    if isinstance(seen, SourceError):
        return
    if isinstance(seen, Refusal):
        if isinstance(full, Refusal) and full.reason == seen.reason:
            return
        if not _unsaid(seen.reason):
            yield f"refused: {seen.reason}"
        return
    if not isinstance(full, Plan):
        if not any(map(_unsaid, (*seen.unknowns, *seen.warnings, *seen.blast_radius))):
            yield f"planned what the full answer refuses: {seen.title}"
        return
    if (full.call, full.before, full.after, full.undo) != (seen.call, seen.before, seen.after, seen.undo):
        yield f"another change: {seen.call}"
    if seen.tier < full.tier:
        yield f"tier {seen.tier} < {full.tier}"
    if seen.deadline is not None and (full.deadline is None or seen.deadline > full.deadline):
        yield f"deadline {seen.deadline} > {full.deadline}"
    if len(seen.steps) != len(full.steps):
        yield f"{len(seen.steps)} steps in place of {len(full.steps)}"
    for name in ("blast_radius", "warnings", "alternatives"):
        was = getattr(full, name)
        for line in getattr(seen, name):
            if line not in was and not _unsaid(line.why if isinstance(line, Alternative) else line):
                yield f"{name}: {line!r}"
    said = set(_lines((full.lost,)))
    for piece in _lines((seen.lost,)):
        if piece not in said and not _unsaid(seen.lost):
            yield f"lost: {piece!r} in place of {full.lost!r}"
    yield from (problem for pair in zip(full.steps, seen.steps, strict=False) for problem in _plan(*pair))


def _silent(read: Read, mode: str, full: Seen, seen: Seen) -> Iterator[str]:
    """Yield a fault where a read that brought nothing shows neither in the sources nor in the gaps."""
    told = seen.snapshot.gaps != full.snapshot.gaps or any(s.state != "ok" for s in seen.snapshot.sources)
    if not told and _rows(seen.snapshot) != _rows(full.snapshot):
        yield f"{read} ({mode}) is told nowhere"


def _rows(snapshot: Snapshot) -> tuple[object, ...]:
    return (snapshot.findings, tuple(s.failure_path for s in snapshot.storms), len(snapshot.queues))


def _problems(read: Read, mode: str, full: Seen, seen: Seen) -> list[str]:
    found = [*_snapshots(full.snapshot, seen.snapshot), *_silent(read, mode, full, seen)]
    for (name, target, _), was, now in zip(TARGETS, full.plans, seen.plans, strict=True):
        found += [f"{name} {target.id}: {problem}" for problem in _plan(was, now)]
    return [f"{':'.join(read)} {mode}: {problem}" for problem in found]


@pytest.fixture
async def stub() -> AsyncIterator[WireStub]:
    async with WireStub() as running:
        yield running
    assert running.problems == []


@pytest.fixture
async def bench(stub: WireStub) -> AsyncIterator[Bench]:
    made = Bench(stub.url, at=NOW)
    yield made
    await made.close()


async def test_the_account_has_something_to_say(stub: WireStub, bench: Bench) -> None:
    """Without this the test below could hold by silence."""
    full = await _full(stub, bench)
    snapshot = full.seen.snapshot
    assert {f.detector for f in snapshot.findings} >= {"async_loss", "sqs_redelivery", "blocked_shard"}
    assert snapshot.gaps == ()
    assert [s.error for s in snapshot.sources if s.state != "ok"] == []
    assert sum(isinstance(p, Plan) for p in full.seen.plans) >= 20, full.seen.plans
    tried = {name for name, _, _ in TARGETS} | {"enable_rule"}
    assert untried(tried, "TARGETS of `tests/fakes/incident_account.py`") == ""


@pytest.mark.parametrize("mode", MODES)
async def test_a_read_that_fails_adds_no_statement(stub: WireStub, bench: Bench, mode: str) -> None:
    full = await _full(stub, bench)
    reads = sorted(full.by_sources | full.by_plans)
    assert len(reads) > 25
    tried = [r for r in reads if mode in (*dealt(tuple(MODES), 1, ":".join(r)), "empty")]
    assert len(tried) > 3
    problems = []
    for read in tried:
        reply = MODES[mode](read[1])
        if reply is not None:
            seen = await _faulty(stub, bench, full, read, reply)
            problems += _problems(read, mode, full.seen, seen)
    assert problems == []
