"""restore_concurrency: set reserved concurrency to a former value; absent, 0 and n differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from lambdatop.domain.errors import UsageError
from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.function import LEAST_UNRESERVED, Reserved, reservable
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations import throttle
from lambdatop.domain.mitigations.capped import NOTHING, refused_work, tier_of
from lambdatop.domain.mitigations.spec import MitigationSpec
from lambdatop.domain.mitigations.throttle import (
    IAM,
    enabled_mappings,
    plan_throttle_to_zero,
    reserved_command,
    set_reserved,
    unread_warnings,
)
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.journal import Entry, joined
from lambdatop.domain.plans.parse import is_number
from lambdatop.domain.plans.plan import Plan, Proposal, Refusal, Tier
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.plans.wording import owner_warning, reserved_words, start_words

NAME = "restore_concurrency"
FIELD = "reserved_concurrency"
STARTS = "nothing; whatever waits in queues and streams is delivered again"


def remembered(entries: Iterable[Entry], function: Key) -> Mapping[str, Any]:
    """Return the `reserved` setting that the journal holds for a function that stands at zero now.

    It is the value before the newest throttle to zero that still stands by the journal. Empty when the newest
    known change led elsewhere: then somebody else set the zero, and what was before it is not known here.
    """
    for entry in reversed(tuple(entries)):
        if entry.target != function or FIELD not in entry.after:
            continue
        to_zero = entry.after[FIELD] == 0
        if entry.outcome == "applied" and not to_zero:
            return {}
        if to_zero and (entry.outcome == "applied" or _may_hold(entry)):
            value = entry.before.get(FIELD)
            return {"reserved": "none" if value is None else value}
    return {}


def remembered_also_in_archives(
    entries: Sequence[Entry], older: Callable[[], Iterator[tuple[Entry, ...]]], function: Key
) -> Mapping[str, Any]:
    """Return the same as `remembered`, also from archives, of which no more are read than needed."""
    found = remembered(entries, function)
    archives: Iterator[tuple[Entry, ...]] | None = None
    while not found and not any(_decides(entry, function) for entry in entries):
        archives = older() if archives is None else archives
        batch = next(archives, None)
        if batch is None:
            break
        entries = joined(batch, entries)
        found = remembered(entries, function)
    return found


def _decides(entry: Entry, function: Key) -> bool:
    """Return whether nothing older matters: this change of the function is known to have been applied."""
    return entry.target == function and FIELD in entry.after and entry.outcome == "applied"


def _may_hold(entry: Entry) -> bool:
    """Return whether a throttle of unknown outcome may be why the function stands at zero."""
    if entry.outcome not in ("unknown", "open"):
        return False
    return entry.seen is None or entry.seen in (entry.before, entry.after)


def parse_reserved(value: object) -> Reserved:
    """Parse `none` or a whole number >= 0; raise UsageError for anything else."""
    if value is None or (isinstance(value, str) and value.lower() in ("none", "null", "absent")):
        return None
    if not is_number(str(value)):
        raise UsageError(f"reserved must be 'none' or a whole number, not {str(value)[:40]!r}.")
    return int(str(value))


def plan_restore_concurrency(
    s: FunctionSituation, params: Mapping[str, Any], now: float, plan_id: str
) -> Proposal:
    """Plan or refuse; without the setting `reserved` it refuses rather than guess the former value."""
    name = s.facts.name
    if "reserved" not in params:
        return _no_value(s)
    wanted = parse_reserved(params["reserved"])
    if wanted == s.reserved:
        return Refusal(NAME, s.ref, f"Reserved concurrency of {name} is {reserved_words(wanted)} already.")
    refused = no_room(NAME, s, wanted)
    if refused:
        return refused
    if wanted == 0:
        return _to_zero(plan_throttle_to_zero(s, {}, now, plan_id))
    refused = below_provisioned(NAME, s, wanted)
    if refused:
        return refused
    lowers = wanted is not None and (s.reserved is None or wanted < s.reserved)
    tier: Tier = tier_of(s) if lowers else "T1"
    function = function_arn(s.ref.key.scope, name, s.ref.arn)
    call, undo = set_reserved(function, wanted), set_reserved(function, s.reserved)
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Restore reserved concurrency of {name} to {reserved_words(wanted)}",
        tier=tier,
        call=call,
        before={FIELD: s.reserved},
        after={FIELD: wanted},
        undo=undo,
        way_back=WayBack(f"back to {reserved_words(s.reserved)}", reserved_command(undo)),
        lost=f"{NOTHING}; beyond {wanted} at once {refused_work(s)}" if lowers else STARTS,
        in_flight="running invocations are not touched",
        takes_effect="within seconds (AWS documents no figure)",
        confirm="key" if tier == "T1" else name,
        command=reserved_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=pool_after(s, wanted),
        warnings=(*unread_warnings(s), *_backlog(s), *owner_warning(s.stack)),
        unknowns=s.gaps,
    )


def _no_value(s: FunctionSituation) -> Refusal:
    name, now = s.facts.name, reserved_words(s.reserved)
    if s.reserved == 0:
        reason = f"The journal on this machine has no former reserved concurrency of {name}; it is {now}."
    else:
        reason = f"Reserved concurrency of {name} is {now}, not 0: there is no throttle to take back."
    return Refusal(NAME, s.ref, reason, "Pass --set reserved=none or --set reserved=N.")


def _to_zero(proposal: Proposal) -> Proposal:
    """Return the proposal of a throttle: setting 0 is one under any name, with the same checks and losses."""
    return replace(proposal, mitigation=NAME)


def below_provisioned(mitigation: str, s: FunctionSituation, wanted: Reserved) -> Refusal | None:
    """Refuse a reservation that is smaller than what is provisioned."""
    if isinstance(s.provisioned, NotKnown):
        return None  # AWS refuses it then; the plan warns of that
    provisioned = sum(n for _, n in s.provisioned)
    if wanted is None or wanted >= provisioned:
        return None
    reason = f"{s.facts.name} has provisioned concurrency {provisioned}; AWS refuses a reservation below it."
    return Refusal(mitigation, s.ref, reason, f"Use at least {provisioned}, or none.")


def no_room(mitigation: str, s: FunctionSituation, wanted: Reserved) -> Refusal | None:
    """Refuse what the account, as it was read, cannot give: AWS keeps a part of it unreserved.

    "You can reserve up to the Unreserved account concurrency value minus 100" (Lambda developer guide,
    "Configuring reserved concurrency"); an account with a limit of 10 or 50 can reserve nothing
    (awslabs/fhir-works-on-aws-deployment#691, aws-samples/s3-to-lambda-patterns#36).
    """
    free, held = unreserved(s), s.reserved or 0
    if isinstance(free, NotKnown) or wanted is None or wanted <= held:
        return None
    room = reservable(free) + held
    if wanted <= room:
        return None
    reason = (
        f"Only {room:,} of the account's concurrency can be reserved for it, {wanted:,} were asked for: "
        f"{free:,} are unreserved, and AWS keeps {LEAST_UNRESERVED} of them for functions without a "
        "reservation."
    )
    return Refusal(mitigation, s.ref, reason, "Release another reservation first, or ask for less.")


def pool_after(s: FunctionSituation, wanted: Reserved) -> tuple[str, ...]:
    """Return what is left for functions without a reservation."""
    free = unreserved(s)
    if isinstance(free, NotKnown):
        return (f"what is left of the account's concurrency is {free.words}",)
    after = free + (s.reserved or 0) - (wanted or 0)
    if after == free:
        return ()
    words = f"pool for unreserved functions {free} → {after}; AWS keeps {LEAST_UNRESERVED} of it"
    return (words,)


def unreserved(s: FunctionSituation) -> int | NotKnown:
    """Return what is left of the account's concurrency for functions without a reservation."""
    return s.account if isinstance(s.account, NotKnown) else s.account.left


def _backlog(s: FunctionSituation) -> tuple[str, ...]:
    by_arn = {q.arn: q for q in s.queues}
    known = [by_arn[m.source_arn] for m in enabled_mappings(s) if m.source_arn in by_arn]
    return tuple(start_words(q.visible, f" in {q.name}") for q in known if q.visible)


SPECS = (
    MitigationSpec(
        name=NAME,
        order=30,
        kind="function",
        tier="T1",
        summary="set reserved concurrency to a former value, or to none",
        plan=plan_restore_concurrency,
        hotkey="R",
        label="restore",
        does="restore its reserved concurrency",
        footer=8,
        params=("reserved",),
        checks=(("reserved", lambda name, value: parse_reserved(value)),),
        remembers=True,
        starts=True,
        calls=throttle.CALLS,
        iam=throttle.IAM,
    ),
)
