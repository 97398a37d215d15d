"""stop_async_retries and restore_async: the whole event-invoke configuration before and after.

PutFunctionEventInvokeConfig drops every setting that it is not given, destinations included; so a change
merges with what is there (Update), and only the way back writes the whole set that was saved (Put).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.failure_path import retries_words
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.triggers import MAX_EVENT_AGE_S, MAX_RETRIES, AsyncConfig
from lambdatop.domain.mitigations.spec import Ask, MitigationSpec, UndoCalls
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.parse import number_or_none
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.plans.wording import owner_warning
from lambdatop.domain.units import span

STOP, RESTORE = "stop_async_retries", "restore_async"
FIELD = "async_config"
RETRIES, AGE, ENDS = "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"
SHORTEST_AGE_S = 60
DEFAULTS: Mapping[str, Any] = {RETRIES: MAX_RETRIES, AGE: MAX_EVENT_AGE_S}
SETTINGS: Mapping[str, tuple[str, int, int]] = {
    "retries": (RETRIES, 0, MAX_RETRIES),
    "max_age": (AGE, SHORTEST_AGE_S, MAX_EVENT_AGE_S),
}
"""What `--set` takes: the setting of AWS, its least and its most (botocore's model)."""
CALLS = (
    ("lambda", "PutFunctionEventInvokeConfig"),
    ("lambda", "UpdateFunctionEventInvokeConfig"),
    ("lambda", "DeleteFunctionEventInvokeConfig"),
)
IAM = (
    "lambda:PutFunctionEventInvokeConfig",
    "lambda:UpdateFunctionEventInvokeConfig",
    "lambda:DeleteFunctionEventInvokeConfig",
    "lambda:GetFunctionEventInvokeConfig",
)
Settings = Mapping[str, Any] | None
"""The settings as AWS names them; None where the function has no configuration of its own."""


def settings_of(config: AsyncConfig) -> Settings:
    """Return a configuration as the state that plans compare, None for an empty or missing one.

    What is not set counts as AWS's default, whether or not AWS repeats it in its answer.
    """
    if config == AsyncConfig():
        return None
    ends = {
        name: {"Destination": arn}
        for name, arn in (("OnFailure", config.on_failure_arn), ("OnSuccess", config.on_success_arn))
        if arn
    }
    found: dict[str, Any] = {**DEFAULTS, ENDS: ends} if ends else dict(DEFAULTS)
    given = {RETRIES: config.max_retries, AGE: config.max_age_s}
    return found | {name: value for name, value in given.items() if value is not None}


def set_whole(function: str, settings: Settings) -> Call:
    """Return the call that makes the configuration of `function` (its ARN) exactly `settings`.

    None deletes it.
    """
    if settings is None:
        return Call("lambda", "DeleteFunctionEventInvokeConfig", {"FunctionName": function})
    return Call("lambda", "PutFunctionEventInvokeConfig", {"FunctionName": function, **settings})


def async_command(call: Call) -> Words:
    """Return one of the three calls as an `aws` command."""
    verb = {"Put": "put", "Upd": "update", "Del": "delete"}[call.operation[:3]]
    words = ["lambda", f"{verb}-function-event-invoke-config"]
    words += option("--function-name", call.params["FunctionName"])
    if RETRIES in call.params:
        words += ["--maximum-retry-attempts", str(call.params[RETRIES])]
    if AGE in call.params:
        words += ["--maximum-event-age-in-seconds", str(call.params[AGE])]
    ends = call.params.get(ENDS)
    if ends:
        pairs = (f"{name}={{Destination={value['Destination']}}}" for name, value in ends.items())
        words += ["--destination-config", ",".join(pairs)]
    return tuple(words)


def plan_stop_async_retries(
    s: FunctionSituation, params: Mapping[str, Any], now: float, plan_id: str
) -> Proposal:
    """Plan no retry and an age of 60 s; refuse where both hold already or the state is not known."""
    if s.facts.durable:
        reason = f"{s.facts.name} is durable: its executions are replayed whatever these settings are."
        return Refusal(STOP, s.ref, reason, "Mend it and let them replay, or stop what starts them.")
    if isinstance(s.async_config, NotKnown):
        return _unreadable(STOP, s, s.async_config)
    before = settings_of(s.async_config)
    change = {RETRIES: 0, AGE: SHORTEST_AGE_S}
    after = {**(before or {}), **change}
    if before == after:
        reason = f"{s.facts.name} already retries no asynchronous events."
        others = "; ".join(_of_aliases(s))
        none = "Remaining repeats do not come from Lambda's asynchronous queue."
        return Refusal(
            STOP, s.ref, reason, f"That holds for events sent to it: {others}." if others else none
        )
    operation = "PutFunctionEventInvokeConfig" if before is None else "UpdateFunctionEventInvokeConfig"
    call = Call("lambda", operation, {"FunctionName": _address(s), **change})
    return _plan(STOP, s, call, before, after, now, plan_id)


def _parse(name: str, value: object) -> int | None:
    """Parse a setting; None is AWS's default."""
    _, least, most = SETTINGS[name]
    return number_or_none(name, value, least, most)


def plan_restore_async(s: FunctionSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan given retries and age, destinations kept; undo (`u`) brings a former configuration back whole."""
    if isinstance(s.async_config, NotKnown):
        return _unreadable(RESTORE, s, s.async_config)
    if not params:
        hint = "Pass --set retries=0..2 and --set max_age=60..21600 (or none: AWS's default)."
        return Refusal(RESTORE, s.ref, "What should the asynchronous retries be?", hint)
    before = settings_of(s.async_config)
    after: dict[str, Any] = dict(before or DEFAULTS)
    for name, (key, _, _) in SETTINGS.items():
        if name in params:
            value = _parse(name, params[name])
            after[key] = DEFAULTS[key] if value is None else value
    wanted = None if after == DEFAULTS else after
    if wanted == before:
        return Refusal(RESTORE, s.ref, f"{s.facts.name} is set to {async_words(before)} already.")
    return _plan(RESTORE, s, set_whole(_address(s), wanted), before, wanted, now, plan_id)


def _plan(
    mitigation: str,
    s: FunctionSituation,
    call: Call,
    before: Settings,
    after: Settings,
    now: float,
    plan_id: str,
) -> Plan:
    name = s.facts.name
    undo = set_whole(_address(s), before)
    stops = mitigation == STOP
    return Plan(
        id=plan_id,
        mitigation=mitigation,
        target=s.ref,
        title=f"Asynchronous events of {name}: {async_words(after)}",
        tier="T2",
        call=call,
        before={FIELD: before},
        after={FIELD: after},
        undo=undo,
        way_back=WayBack(f"back to {async_words(before)}", async_command(undo)),
        lost=_lost(s, after),
        in_flight="running invocations continue to their end",
        takes_effect="within seconds; whether events that wait already fall under it, AWS does not say",
        confirm=name if stops else "key",
        command=async_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=_reach(s),
        warnings=owner_warning(s.stack),
        unknowns=s.gaps,
    )


def _address(s: FunctionSituation) -> str:
    return function_arn(s.ref.key.scope, s.facts.name, s.ref.arn)


def _unreadable(mitigation: str, s: FunctionSituation, why: NotKnown) -> Refusal:
    """Return the refusal for unreadable former settings: without them there is no undo."""
    reason = (
        f"The event-invoke configuration of {s.facts.name} could not be read ({why.why}), so it could not be "
        "restored."
    )
    return Refusal(mitigation, s.ref, reason, f"{why.remedy}.")


def _lost(s: FunctionSituation, after: Settings) -> str:
    settings = after or DEFAULTS
    retries, age = settings[RETRIES], span(settings[AGE])
    told = settings.get(ENDS, {}).get("OnFailure", {}).get("Destination")
    ends = [end for end in (told, s.facts.dlq_arn) if end]
    times = "the first failure" if retries == 0 else retries_words(retries)
    where = f"goes to {' and '.join(ends)}" if ends else "is LOST: there is neither a DLQ nor a destination"
    return f"after {times}, or {age} after it came, an event {where}"


def _reach(s: FunctionSituation) -> tuple[str, ...]:
    found = "events sent to the function's name; synchronous callers, queues and streams are not concerned"
    return (found, *_of_aliases(s))


def _of_aliases(s: FunctionSituation) -> tuple[str, ...]:
    """Return what holds for events sent to each alias, which has settings of its own; () without an alias."""
    if isinstance(s.aliases, NotKnown):
        return (f"its aliases are {s.aliases.words}: events sent to one are not concerned either",)
    if isinstance(s.alias_configs, NotKnown):
        unread = s.alias_configs.words
        return tuple(f"alias {a}: NOT changed by this; its own retries are {unread}" for a in s.aliases)
    own = dict(s.alias_configs)
    return tuple(_alias(a, own.get(a)) for a in s.aliases)


def _alias(name: str, own: AsyncConfig | None) -> str:
    """Return the note that an alias without its own configuration has AWS's defaults, not the function's."""
    if own is None:
        return f"alias {name}: NOT changed by this; it has none of its own: {async_words(None)}"
    return f"alias {name}: NOT changed by this; it has its own: {async_words(settings_of(own))}"


def async_words(settings: Settings) -> str:
    """Return settings in words; AWS's default for what is not set."""
    known = settings or DEFAULTS
    retries, age = known[RETRIES], span(known[AGE])
    ends = known.get(ENDS) or {}
    to = "".join(f", {name} {end['Destination'].rpartition(':')[2]}" for name, end in ends.items())
    default = " (AWS's defaults)" if settings is None else ""
    return f"{retries_words(retries)} within {age}{to}{default}"


SPECS = (
    MitigationSpec(
        name="stop_async_retries",
        order=70,
        kind="function",
        tier="T2",
        summary="retry no asynchronous event, and discard those older than 60 s",
        plan=plan_stop_async_retries,
        hotkey="A",
        label="stop retries",
        does="stop retries of its asynchronous events",
        footer=21,
        saves="async attempts",
        calls=CALLS,
        iam=IAM,
        undo=(UndoCalls(CALLS, async_command, IAM),),
    ),
    MitigationSpec(
        name="restore_async",
        order=80,
        kind="function",
        tier="T2",
        summary="set retries and age of asynchronous events, destinations kept",
        plan=plan_restore_async,
        hotkey="B",
        label="async retries",
        does="set retries and age of its asynchronous events",
        footer=23,
        params=tuple(SETTINGS),
        checks=tuple((name, _parse) for name in SETTINGS),
        ask=Ask("Asynchronous retries of {target}?", "retries=2, or max_age=21600 …"),
        calls=CALLS,
        iam=IAM,
    ),
)
