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
    MOST_RETRIES,
    RETRIES,
    WINDOW,
    MappingFacts,
    given_up_after,
)
from lambdatop.domain.facts.failure_path import KAFKA_TOPIC, record_words, retries_words
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.source_kinds import HALF_A_SECOND, SOURCE_KINDS, STREAMS, SourceKind
from lambdatop.domain.keys import parse_arn
from lambdatop.domain.mitigations.triggers import CHANGING, IAM, mapping_command, short_visibility
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.parse import NONE, number, number_or_none, switch
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import MappingSituation
from lambdatop.domain.plans.wording import count, owner_warning, setting_words

NAME = "tune_trigger"
LARGE_BATCH = 10
GUIDE_MOST_POLLERS = 2_000
"""MaximumPollers of a queue by the Lambda developer guide ("Creating and configuring an Amazon SQS event
source mapping"); the API reference (ProvisionedPollerConfig) and the SDK's model say 10,000."""
NO_WINDOW_BACK = (
    f"if the window was never set it is {HALF_A_SECOND}, and AWS takes whole seconds only; a new mapping has "
    "that default again"
)
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
ENDS = ("sqs", "sns", "s3")
"""Services that take failed records by ARN (model of UpdateEventSourceMapping, OnFailure)."""


def _arn_or_none(name: str, value: object) -> str | None:
    text = str(value).strip()
    if text.lower() in NONE:
        return None
    arn = parse_arn(text)
    if (arn is None or arn.service not in ENDS) and not _TOPIC.fullmatch(text):
        ways = "'none', the ARN of a queue, topic or bucket, or kafka:// and a topic"
        raise UsageError(f"{name} must be {ways}, not {value!r}.")
    return text


def _pollers(name: str, value: object) -> dict[str, int] | None:
    """Parse `2`, `2-5` or `none` (leave provisioned mode)."""
    text = str(value).strip()
    if text.lower() in NONE:
        return None
    low, dash, high = text.partition("-")
    largest = max(kind.most_pollers for kind in SOURCE_KINDS.values())
    least, most = number(name, low, 1, largest), number(name, high if dash else low, 1, largest)
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
        tuple(kind.name for kind in SOURCE_KINDS.values() if kind.most_pollers),
        may_be_none=True,
    ),
    WINDOW: Knob(_range(0, 300), _plain("MaximumBatchingWindowInSeconds"), tuple(SOURCE_KINDS)),
    RETRIES: Knob(_range(ENDLESS, MOST_RETRIES), _plain("MaximumRetryAttempts"), LIMITED, limits=True),
    "bisect_on_error": Knob(switch, _plain("BisectBatchOnFunctionError"), LIMITED, limits=True),
    DESTINATION: Knob(_arn_or_none, _destination, LIMITED, may_be_none=True),
}
"""MaximumRecordAge is not here: on a shard that lags it discards everything older at once. Nor are filters:
on a queue what does not match is deleted."""


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
        reason = f"AWS takes no MaximumConcurrency in provisioned mode ({pollers_words(m.kind, pollers)})."
        least = m.kind.least_pollers
        few = least * m.kind.per_poller
        hint = (
            f"pollers={least} lets {few} run at once; pollers=none leaves it, max_concurrency=none "
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
    back = _way_back(m, after, undo)
    typed = lossy or not back.command
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Tune {m.label}: " + setting_words(after),
        tier="T2" if typed else "T1",
        call=call,
        before=before,
        after=after,
        undo=undo if back.command else None,
        way_back=back,
        lost=skipped_words(retries, after.get(DESTINATION, m.on_failure_arn)),
        in_flight="batches in progress run to their end",
        takes_effect="Updating for seconds to minutes, then as before",
        confirm=m.function.id if typed else "key",
        command=mapping_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=(f"{m.function.id} is fed differently by {m.source_name}; its other callers continue",),
        warnings=(
            *short_visibility(s),
            *_longer_window(s, after),
            *_warnings(m, after, lossy),
            *owner_warning(s.stack),
        ),
        unknowns=s.gaps,
    )


def _way_back(m: MappingFacts, after: Mapping[str, Any], undo: Call) -> WayBack:
    """Return how the former values are set again; none where the window may have been a default below 1 s.

    AWS's answer does not tell such a default from 0 (model of UpdateEventSourceMapping).
    """
    if WINDOW in after and not m.batching_window_s and not m.kind.window_returns:
        return WayBack(f"none: {NO_WINDOW_BACK}")
    return WayBack("set the former values again", mapping_command(undo))


def _wanted(m: MappingFacts, params: Mapping[str, Any]) -> dict[str, Any]:
    after = {}
    for name, value in params.items():
        knob = KNOBS[name]
        if m.source_kind not in knob.kinds:
            raise UsageError(
                f"{name} does not apply to a {m.source_kind} source; it is for {', '.join(knob.kinds)}."
            )
        after[name] = knob.parse(name, value)
    check_destination(m, after.get(DESTINATION))
    if after.get("pollers"):
        _check_pollers(m.kind, after["pollers"])
        if m.poller_group:
            after["pollers"] |= {"PollerGroupName": m.poller_group}
    if after.get(WINDOW) and m.source_arn.endswith(".fifo"):
        raise UsageError(f"{WINDOW} applies to standard queues only, not to a FIFO queue.")
    if "batch_size" in after and after["batch_size"] > LARGE_BATCH:
        _check_large_batch(m, after)
    return after


def check_destination(m: MappingFacts, end: str | None) -> None:
    """Refuse a Kafka topic for failed records of anything else (model of UpdateEventSourceMapping)."""
    if end and end.startswith(KAFKA_TOPIC) and m.source_kind != "kafka":
        raise UsageError(
            f"{DESTINATION}: a Kafka topic takes failed records of its own cluster only, not of a "
            f"{m.source_kind} source; name a queue, an SNS topic or a bucket by its ARN."
        )


def _check_pollers(kind: SourceKind, pollers: Mapping[str, int]) -> None:
    """Refuse numbers that AWS does not take for this kind of source (model of ProvisionedPollerConfig)."""
    least, most = pollers["MinimumPollers"], pollers["MaximumPollers"]
    if not kind.least_pollers <= least <= kind.fewest_most:
        raise UsageError(
            f"pollers: the least of a {kind.name} source must be from {kind.least_pollers} to "
            f"{kind.fewest_most}, not {least:,}; the most may be up to {kind.most_pollers:,}, like "
            f"{kind.least_pollers}-{kind.most_pollers}."
        )
    if most > kind.most_pollers:
        raise UsageError(
            f"pollers: the most of a {kind.name} source must be up to {kind.most_pollers:,}, not {most:,}."
        )


def _check_large_batch(m: MappingFacts, after: Mapping[str, Any]) -> None:
    window = after.get(WINDOW, m.batching_window_s)
    if not window and m.source_kind in ("sqs", *STREAMS):
        raise UsageError(f"batch_size above {LARGE_BATCH} needs {WINDOW} of at least 1.")
    if m.source_arn.endswith(".fifo"):
        raise UsageError(f"batch_size of a FIFO queue is at most {LARGE_BATCH}.")


def _needs_pollers(name: str, value: object) -> bool:
    """Return whether AWS takes the value for Kafka in provisioned mode only."""
    return KNOBS[name].limits or (name == DESTINATION and str(value).startswith(KAFKA_TOPIC))


def pollers_words(kind: SourceKind, pollers: Mapping[str, Any]) -> str:
    """Return `5 pollers, 50 at once`."""
    most = pollers["MaximumPollers"]
    return f"{count(most, 'poller')}, {most * kind.per_poller:,} at once"


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


def _longer_window(s: MappingSituation, after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return AWS's advice where a window takes more of a queue's visibility timeout than that has.

    Six times the function's timeout and the window (Lambda developer guide, "Creating and configuring an
    Amazon SQS event source mapping").
    """
    if not after.get(WINDOW) or not isinstance(s.queue, QueueFacts) or isinstance(s.timeout_s, NotKnown):
        return ()
    advised, visibility = 6 * s.timeout_s + after[WINDOW], s.queue.visibility_timeout_s
    if visibility >= advised:
        return ()
    return (
        f"AWS advises a visibility timeout of {advised} s (6 x timeout {s.timeout_s} s + window "
        f"{after[WINDOW]} s); that of the queue is {visibility} s",
    )


def _warnings(m: MappingFacts, after: Mapping[str, Any], lossy: bool) -> tuple[str, ...]:
    words = []
    if lossy and not m.bisect_on_error and not after.get("bisect_on_error"):
        words.append("without bisect_on_error a whole batch is skipped with its bad record")
    if m.source_kind == "kafka" and after.get("pollers", ...) is None and _has_limits(m):
        words.append("without pollers its limits of retries and age, and bisecting, no longer apply")
    most = (after.get("pollers") or {}).get("MaximumPollers", 0)
    if m.source_kind == "sqs" and most > GUIDE_MOST_POLLERS:
        words.append(
            f"AWS's API reference allows {m.kind.most_pollers:,} pollers, its developer guide "
            f"{GUIDE_MOST_POLLERS:,}: it may refuse {most:,}"
        )
    if after.get(DESTINATION):
        words.append(f"the role of {m.function.id} must be allowed to send there, else AWS refuses")
    return tuple(words)
