"""tune_trigger: UpdateEventSourceMapping of a few fields. Only what changes is sent, and sent back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from lambdatop.domain.errors import UsageError
from lambdatop.domain.facts.event_source_mapping import (
    CONTROL_FIELDS,
    DESTINATION,
    ENDLESS,
    LEAST_CONCURRENCY,
    LEAST_POLLERS,
    MOST_RETRIES,
    POLLER_CONCURRENCY,
    RETRIES,
    MappingFacts,
    given_up_after,
)
from lambdatop.domain.facts.failure_path import KAFKA_TOPIC, record_words, retries_words
from lambdatop.domain.facts.source_kinds import SOURCE_KINDS, STREAMS
from lambdatop.domain.keys import parse_arn
from lambdatop.domain.mitigations.triggers import CHANGING, IAM, mapping_command
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.parse import NONE, number, number_or_none, switch
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import MappingSituation
from lambdatop.domain.plans.wording import count, owner_warning, setting_words

NAME = "tune_trigger"
LARGE_BATCH = 10
LIMITED = tuple(kind.name for kind in SOURCE_KINDS.values() if kind.limits != "never")
"""Kinds of source for which AWS has limits of retries and age, and bisecting."""
PROVISIONED_ONLY = (
    "AWS takes retries, bisecting and a topic as destination for Kafka in provisioned mode only."
)
PROVISION_FIRST = "Set pollers=1-2 (or more) first, or disable the trigger."


class Knob(Struct, frozen=True):
    """One field: how it is typed, what is sent for a value, and for which sources AWS has it.

    `limits` marks those that Kafka has in provisioned mode only, `may_be_none` those that can be absent.
    """

    parse: Callable[[str, object], Any]
    params: Callable[[Any], dict[str, Any]]
    kinds: tuple[str, ...]
    limits: bool = False
    may_be_none: bool = False


def _plain(parameter: str) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {parameter: value}


def _scaling(value: int | None) -> dict[str, Any]:
    """Return the scaling configuration; an empty object removes the limit."""
    return {"ScalingConfig": {} if value is None else {"MaximumConcurrency": value}}


def _destination(value: str | None) -> dict[str, Any]:
    """Return the destination; an empty name removes it (the model's pattern allows that)."""
    return {"DestinationConfig": {"OnFailure": {"Destination": value or ""}}}


_TOPIC = re.compile(re.escape(KAFKA_TOPIC) + r"[A-Za-z0-9._-]{1,249}")


def _arn_or_none(name: str, value: object) -> str | None:
    text = str(value).strip()
    if text.lower() in NONE:
        return None
    if parse_arn(text) is None and not _TOPIC.fullmatch(text):
        ways = "'none', the ARN of a queue, topic or bucket, or kafka:// and a topic"
        raise UsageError(f"{name} must be {ways}, not {value!r}.")
    return text


def _pollers(name: str, value: object) -> dict[str, int] | None:
    """Parse `2`, `2-5` or `none` (leave provisioned mode)."""
    text = str(value).strip()
    if text.lower() in NONE:
        return None
    low, dash, high = text.partition("-")
    least, most = number(name, low, 1, 10_000), number(name, high if dash else low, 1, 10_000)
    if least > most:
        raise UsageError(f"{name} must be the least and the most, like 2-5, not {text!r}.")
    return {"MinimumPollers": least, "MaximumPollers": most}


def _range(least: int, most: int) -> Callable[[str, object], int]:
    return lambda name, value: number(name, value, least, most)


KNOBS: Mapping[str, Knob] = {
    "batch_size": Knob(_range(1, 10_000), _plain("BatchSize"), tuple(SOURCE_KINDS)),
    "max_concurrency": Knob(
        lambda name, value: number_or_none(name, value, LEAST_CONCURRENCY, 1000),
        _scaling,
        ("sqs",),
        may_be_none=True,
    ),
    "pollers": Knob(
        _pollers,
        lambda value: {"ProvisionedPollerConfig": value or {}},
        ("sqs", "kafka"),
        may_be_none=True,
    ),
    "batching_window_s": Knob(_range(0, 300), _plain("MaximumBatchingWindowInSeconds"), ("sqs", *STREAMS)),
    RETRIES: Knob(_range(ENDLESS, MOST_RETRIES), _plain("MaximumRetryAttempts"), LIMITED, limits=True),
    "bisect_on_error": Knob(switch, _plain("BisectBatchOnFunctionError"), LIMITED, limits=True),
    DESTINATION: Knob(_arn_or_none, _destination, LIMITED, may_be_none=True),
}
"""MaximumRecordAge is not here: on a shard that lags it discards everything older at once. Nor are filters:
on a queue what does not match is deleted. The window of Kafka, MQ and DocumentDB is left out, too: its
default cannot be set again, so there would be no way back."""


def set_fields(uuid: str, values: Mapping[str, Any]) -> Call:
    """Return the call that sets exactly these fields."""
    params: dict[str, Any] = {"UUID": uuid}
    for name, value in values.items():
        params |= KNOBS[name].params(value)
    return Call("lambda", "UpdateEventSourceMapping", params)


def plan_tune_trigger(s: MappingSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse; raises UsageError for a value that AWS would not take."""
    m = s.facts
    if m.state in CHANGING:
        reason = f"The trigger is {m.state}; AWS accepts no change until it has settled."
        return Refusal(NAME, s.ref, reason, "Try again when its state has settled.")
    if not params:
        known = ", ".join(name for name, knob in KNOBS.items() if m.source_kind in knob.kinds)
        return Refusal(NAME, s.ref, "What should be set?", f"Pass --set with one of these: {known}.")
    after = _wanted(m, params)
    if not m.limited and not after.get("pollers") and any(_needs_pollers(n, v) for n, v in after.items()):
        return Refusal(NAME, s.ref, PROVISIONED_ONLY, PROVISION_FIRST)
    pollers = after.get("pollers", m.pollers)
    if pollers and after.get("max_concurrency", m.max_concurrency):
        reason = f"AWS takes no MaximumConcurrency in provisioned mode ({pollers_words(pollers)})."
        few = LEAST_POLLERS * POLLER_CONCURRENCY
        hint = (
            f"pollers={LEAST_POLLERS} lets {few} run at once; pollers=none leaves it, max_concurrency=none "
            "ends the limit."
        )
        return Refusal(NAME, s.ref, reason, hint)
    if after == {name: CONTROL_FIELDS[name](m) for name in after}:
        return Refusal(NAME, s.ref, f"{m.label} has {setting_words(after)} already.")
    untold = [name for name in after if CONTROL_FIELDS[name](m) is None and not KNOBS[name].may_be_none]
    if untold:
        reason = f"AWS does not say what {', '.join(untold)} of {m.label} is now."
        return Refusal(NAME, s.ref, reason, "Without the former value there would be no way back.")
    return set_to(s, after, now, plan_id)


def set_to(s: MappingSituation, after: Mapping[str, Any], now: float, plan_id: str) -> Plan:
    """Return the plan that sets exactly these fields, which AWS has for this kind of source."""
    m = s.facts
    before = {name: CONTROL_FIELDS[name](m) for name in after}
    retries = skips_after(m, after)
    lossy = retries is not None
    call, undo = set_fields(m.uuid, after), set_fields(m.uuid, before)
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Tune {m.label}: " + setting_words(after),
        tier="T2" if lossy else "T1",
        call=call,
        before=before,
        after=after,
        undo=undo,
        way_back=WayBack("set the former values again", mapping_command(undo)),
        lost=skipped_words(retries, after.get(DESTINATION, m.on_failure_arn)),
        in_flight="batches in progress run to their end",
        takes_effect="Updating for seconds to minutes, then as before",
        confirm=m.function.id if lossy else "key",
        command=mapping_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=(f"{m.function.id} is fed differently by {m.source_name}; its other callers continue",),
        warnings=(*_warnings(m, after, lossy), *owner_warning(s.stack)),
        unknowns=s.gaps,
    )


def _wanted(m: MappingFacts, params: Mapping[str, Any]) -> dict[str, Any]:
    after = {}
    for name, value in params.items():
        knob = KNOBS[name]
        if m.source_kind not in knob.kinds:
            raise UsageError(
                f"{name} does not apply to a {m.source_kind} source; it is for {', '.join(knob.kinds)}."
            )
        after[name] = knob.parse(name, value)
    if after.get("pollers"):
        if m.source_kind == "sqs" and after["pollers"]["MinimumPollers"] < LEAST_POLLERS:
            raise UsageError(f"pollers of a queue must be at least {LEAST_POLLERS}.")
        if m.poller_group:
            after["pollers"] |= {"PollerGroupName": m.poller_group}
    if "batch_size" in after and after["batch_size"] > LARGE_BATCH:
        _check_large_batch(m, after)
    return after


def _check_large_batch(m: MappingFacts, after: Mapping[str, Any]) -> None:
    window = after.get("batching_window_s", m.batching_window_s)
    if not window and m.source_kind in ("sqs", *STREAMS):
        raise UsageError(f"batch_size above {LARGE_BATCH} needs batching_window_s of at least 1.")
    if m.source_arn.endswith(".fifo"):
        raise UsageError(f"batch_size of a FIFO queue is at most {LARGE_BATCH}.")


def _needs_pollers(name: str, value: object) -> bool:
    """Return whether AWS takes the value for Kafka in provisioned mode only."""
    return KNOBS[name].limits or (name == DESTINATION and str(value).startswith(KAFKA_TOPIC))


def pollers_words(pollers: Mapping[str, Any]) -> str:
    """Return `5 pollers, 50 at once`."""
    most = pollers["MaximumPollers"]
    return f"{count(most, 'poller')}, {most * POLLER_CONCURRENCY:,} at once"


def skips_after(m: MappingFacts, after: Mapping[str, Any]) -> int | None:
    """Return the retries after which records are skipped from now on, None where that does not change."""
    retries = given_up_after(
        m.source_kind, after.get(RETRIES, m.max_retry_attempts), after.get(DESTINATION, m.on_failure_arn)
    )
    return retries if RETRIES in after or retries != m.retries else None


def skipped_words(retries: int | None, told: str | None) -> str:
    """Return what is lost when records are skipped after so many retries; `told` is the destination."""
    if retries is None:
        return "nothing"
    where = record_words(told) if told else "no destination records them"
    return f"records that still fail after {retries_words(retries)} are skipped; {where}"


def _has_limits(m: MappingFacts) -> bool:
    return bool(m.bisect_on_error) or not {m.max_retry_attempts, m.max_record_age_s} <= {None, ENDLESS}


def _warnings(m: MappingFacts, after: Mapping[str, Any], lossy: bool) -> tuple[str, ...]:
    words = []
    if lossy and not m.bisect_on_error and not after.get("bisect_on_error"):
        words.append("without bisect_on_error a whole batch is skipped with its bad record")
    if m.source_kind == "kafka" and after.get("pollers", ...) is None and _has_limits(m):
        words.append("without pollers its limits of retries and age, and bisecting, no longer apply")
    if after.get(DESTINATION):
        words.append(f"the role of {m.function.id} must be allowed to send there, else AWS refuses")
    return tuple(words)
