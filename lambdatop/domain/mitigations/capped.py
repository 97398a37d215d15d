"""Describe what becomes of work refused above a concurrency limit, by the function's own settings."""

from __future__ import annotations

from lambdatop.domain.facts.deadline import record_age_s
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.failure_path import async_end, async_limits, end_name, record_words
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.source_kinds import STREAMS
from lambdatop.domain.plans.plan import Tier
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.units import span

NOTHING = "nothing by the cap itself"


def refused_work(s: FunctionSituation) -> str:
    """Return what happens above the limit to synchronous calls, asynchronous events, records and messages."""
    parts = ["synchronous callers get 429", _events(s), *_aliases(s), *_sources(s)]
    return ", ".join(parts)


def tier_of(s: FunctionSituation) -> Tier:
    """Return T1 only where it is known that no event is lost: asynchronous callers cannot be listed."""
    taken = bool(async_end(s.facts, s.async_config).takers) and (bool(s.facts.dlq_arn) or not s.aliases)
    if not taken or isinstance(s.mappings, NotKnown):
        return "T2"
    ageing = any(m.enabled and record_age_s(m) is not None for m in s.mappings)
    return "T2" if ageing else "T1"


def _events(s: FunctionSituation) -> str:
    if s.facts.durable:
        return "replays of durable executions are tried again until their execution timeout"
    if isinstance(s.async_config, NotKnown):
        known = f", DLQ {end_name(s.facts.dlq_arn)}" if s.facts.dlq_arn else ""
        what = "how long asynchronous events are tried again, and where they go then,"
        return f"{what} is {s.async_config.words}{known}"
    age, end = span(async_limits(s.async_config)[1]), async_end(s.facts, s.async_config)
    lost = "are LOST: there is neither a DLQ nor an on-failure destination"
    then = lost if end.lost else f"go to {end.words}"
    return f"asynchronous events are tried again for up to {age}, then {then}"


def _aliases(s: FunctionSituation) -> tuple[str, ...]:
    """Return the warning that events sent to an alias have its settings, or AWS's defaults."""
    if isinstance(s.aliases, NotKnown):
        return (f"those sent to an alias by its own settings (its aliases are {s.aliases.words})",)
    if s.aliases:
        return ("those sent to an alias for as long as its own settings or AWS's defaults say (6 h)",)
    return ()


def _sources(s: FunctionSituation) -> tuple[str, ...]:
    if isinstance(s.mappings, NotKnown):
        return (f"what its triggers do is {s.mappings.words}",)
    live = [m for m in s.mappings if m.enabled]
    words = []
    if any(m.source_kind == "sqs" for m in live):
        words.append("refused messages come back")
    words += [f"{m.kind.event} of {m.source_name} {_waits(m)}" for m in live if m.source_kind != "sqs"]
    return tuple(words)


def _waits(mapping: MappingFacts) -> str:
    where = "their shards" if mapping.source_kind in STREAMS else mapping.kind.place
    limit = record_age_s(mapping)
    if limit is None:
        return f"wait in {where}" + (" until they expire" if mapping.source_kind in STREAMS else "")
    told = mapping.on_failure_arn
    end = record_words(told) if told else "no destination records them"
    return f"wait in {where} and are DISCARDED once older than {span(limit)} ({end})"
