"""tune_trigger: UpdateEventSourceMapping of a few fields. Only what changes is sent, and sent back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from lambdatop.domain.errors import UsageError
from lambdatop.domain.facts.event_source_mapping import (
    CONTROL_FIELDS,
    ENDLESS,
    LEAST_CONCURRENCY,
    LEAST_POLLERS,
    POLLER_CONCURRENCY,
    STREAMS,
    MappingFacts,
)
from lambdatop.domain.facts.failure_path import record_words, retries_words
from lambdatop.domain.keys import parse_arn
from lambdatop.domain.mitigations.triggers import CHANGING, IAM, mapping_command
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.parse import NONE, number, number_or_none, switch
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import MappingSituation
from lambdatop.domain.plans.wording import count, owner_warning, setting_words

NAME = "tune_trigger"
LARGE_BATCH = 10
WITH_RETRIES = (*STREAMS, "kafka")


class Knob(Struct, frozen=True):
    """One field: how it is typed, what is sent for a value, and for which sources AWS has it."""

    parse: Callable[[str, object], Any]
    params: Callable[[Any], dict[str, Any]]
    kinds: tuple[str, ...]


def _plain(parameter: str) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {parameter: value}


def _scaling(value: int | None) -> dict[str, Any]:
    """Return the scaling configuration; an empty object removes the limit."""
    return {"ScalingConfig": {} if value is None else {"MaximumConcurrency": value}}


def _destination(value: str | None) -> dict[str, Any]:
    """Return the destination; an empty name removes it (the model's pattern allows that)."""
    return {"DestinationConfig": {"OnFailure": {"Destination": value or ""}}}


def _arn_or_none(name: str, value: object) -> str | None:
    text = str(value).strip()
    if text.lower() in NONE:
        return None
    if parse_arn(text) is None:
        raise UsageError(f"{name} must be 'none' or the ARN of a queue, topic or bucket, not {value!r}.")
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
    "batch_size": Knob(_range(1, 10_000), _plain("BatchSize"), ("sqs", *WITH_RETRIES, "mq")),
    "max_concurrency": Knob(
        lambda name, value: number_or_none(name, value, LEAST_CONCURRENCY, 1000), _scaling, ("sqs",)
    ),
    "pollers": Knob(_pollers, lambda value: {"ProvisionedPollerConfig": value or {}}, ("sqs", "kafka")),
    "batching_window_s": Knob(_range(0, 300), _plain("MaximumBatchingWindowInSeconds"), ("sqs", *STREAMS)),
    "max_retry_attempts": Knob(_range(-1, 10_000), _plain("MaximumRetryAttempts"), WITH_RETRIES),
    "bisect_on_error": Knob(switch, _plain("BisectBatchOnFunctionError"), STREAMS),
    "on_failure": Knob(_arn_or_none, _destination, WITH_RETRIES),
}
"""MaximumRecordAge is not here: on a shard that lags it discards everything older at once. Nor are filters:
on a queue what does not match is deleted. The window of Kafka and MQ is left out, too: its default cannot be
set again, so there would be no way back."""


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
    if "max_concurrency" in after and m.pollers and after.get("pollers", m.pollers):
        reason = f"AWS takes no MaximumConcurrency in provisioned mode ({pollers_words(m)})."
        few = LEAST_POLLERS * POLLER_CONCURRENCY
        hint = f"pollers={LEAST_POLLERS} lets {few} run at once; pollers=none leaves it."
        return Refusal(NAME, s.ref, reason, hint)
    if after == {name: CONTROL_FIELDS[name](m) for name in after}:
        return Refusal(NAME, s.ref, f"{m.source_name} → {m.function.id} has {setting_words(after)} already.")
    return set_to(s, after, now, plan_id)


def set_to(s: MappingSituation, after: Mapping[str, Any], now: float, plan_id: str) -> Plan:
    """Return the plan that sets exactly these fields, which AWS has for this kind of source."""
    m = s.facts
    before = {name: CONTROL_FIELDS[name](m) for name in after}
    lossy = after.get("max_retry_attempts", ENDLESS) != ENDLESS
    call, undo = set_fields(m.uuid, after), set_fields(m.uuid, before)
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Tune {m.source_name} → {m.function.id}: " + setting_words(after),
        tier="T2" if lossy else "T1",
        call=call,
        before=before,
        after=after,
        undo=undo,
        way_back=WayBack("set the former values again", mapping_command(undo)),
        lost=_lost(m, after) if lossy else "nothing",
        in_flight="batches in progress run to their end",
        takes_effect="Updating for seconds to minutes, then as before",
        confirm=m.function.id if lossy else "key",
        command=mapping_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=(f"{m.function.id} is fed differently by {m.source_name}; its other callers continue",),
        warnings=(*_warnings(m, after), *owner_warning(s.stack)),
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


def pollers_words(m: MappingFacts) -> str:
    """Return `5 pollers, 50 at once`."""
    return f"{count(m.pollers_max or 0, 'poller')}, {(m.pollers_max or 0) * POLLER_CONCURRENCY:,} at once"


def _lost(m: MappingFacts, after: Mapping[str, Any]) -> str:
    retries, told = retries_words(after["max_retry_attempts"]), after.get("on_failure", m.on_failure_arn)
    where = record_words(told) if told else "no destination records them"
    return f"records that still fail after {retries} are skipped; {where}"


def _warnings(m: MappingFacts, after: Mapping[str, Any]) -> tuple[str, ...]:
    words = []
    if (
        after.get("max_retry_attempts", ENDLESS) != ENDLESS
        and not m.bisect_on_error
        and not after.get("bisect_on_error")
    ):
        words.append("without bisect_on_error a whole batch is skipped with its bad record")
    if after.get("on_failure"):
        words.append(f"the role of {m.function.id} must be allowed to send there, else AWS refuses")
    return tuple(words)
