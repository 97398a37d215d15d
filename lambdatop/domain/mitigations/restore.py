"""restore_concurrency: reserved concurrency back to a former value, where absent, 0 and n differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lambdatop.domain.errors import UsageError
from lambdatop.domain.function import Reserved
from lambdatop.domain.journal import Entry
from lambdatop.domain.mitigations.throttle import IAM, set_reserved, set_reserved_cli
from lambdatop.domain.mitigations.words import owner_warning, reserved_words
from lambdatop.domain.plan import Plan, Proposal, Refusal
from lambdatop.domain.scope import Key
from lambdatop.domain.situation import FunctionSituation

NAME = "restore_concurrency"
FIELD = "reserved_concurrency"


def remembered(entries: Iterable[Entry], function: Key) -> Mapping[str, Any]:
    """The `reserved` setting that the journal remembers: the value before the newest throttle to zero.

    Empty when the journal knows nothing of this function.
    """
    for entry in reversed(tuple(entries)):
        if (
            entry.target == function
            and entry.after.get(FIELD) == 0
            and entry.outcome in ("applied", "unknown")
        ):
            value = entry.before.get(FIELD)
            return {"reserved": "none" if value is None else value}
    return {}


def parse_reserved(value: object) -> Reserved:
    """`none` or a whole number >= 0; raises UsageError."""
    if value is None or (isinstance(value, str) and value.lower() in ("none", "null", "absent")):
        return None
    if isinstance(value, bool) or not str(value).isdigit():
        raise UsageError(f"reserved must be 'none' or a whole number, not {value!r}.")
    return int(str(value))


def plan_restore_concurrency(
    s: FunctionSituation, params: Mapping[str, Any], now: float, plan_id: str
) -> Proposal:
    """Plan or refuse; without the setting `reserved` it refuses rather than guess the former value."""
    name, scope = s.facts.name, s.ref.key.scope
    if "reserved" not in params:
        return Refusal(
            NAME,
            s.ref,
            f"The journal on this machine knows no former reserved concurrency of {name}; "
            f"now it is {reserved_words(s.reserved)}.",
            "Say what you want: --set reserved=none or --set reserved=N.",
        )
    wanted = parse_reserved(params["reserved"])
    if wanted == s.reserved:
        return Refusal(NAME, s.ref, f"Reserved concurrency of {name} is {reserved_words(wanted)} already.")
    refused = _no_room(s, wanted)
    if refused:
        return refused
    provisioned = sum(n for _, n in s.provisioned)
    if wanted is not None and wanted < provisioned:
        reason = f"{name} has provisioned concurrency {provisioned}; AWS refuses a reservation below it."
        return Refusal(NAME, s.ref, reason, f"Use at least {provisioned}, or none.")
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Restore reserved concurrency of {name} to {reserved_words(wanted)}",
        tier="T2" if wanted == 0 else "T1",
        call=set_reserved(name, wanted),
        before={FIELD: s.reserved},
        after={FIELD: wanted},
        undo=set_reserved(name, s.reserved),
        undo_note=f"back to {reserved_words(s.reserved)} ({set_reserved_cli(scope, name, s.reserved)})",
        lost="nothing; whatever waits in queues and streams is delivered again",
        in_flight="running invocations are not touched",
        takes_effect="within seconds (AWS documents no figure)",
        confirm=name if wanted == 0 else "key",
        cli=set_reserved_cli(scope, name, wanted),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=_pool(s, wanted),
        warnings=(*_backlog(s), *owner_warning(s.stack)),
        unknowns=s.gaps,
    )


def _no_room(s: FunctionSituation, wanted: Reserved) -> Refusal | None:
    if s.account is None or wanted is None:
        return None
    room = s.account.unreserved + (s.reserved or 0)
    if wanted <= room:
        return None
    reason = f"Only {room} of the account's concurrency are left to reserve, {wanted} were asked for."
    return Refusal(NAME, s.ref, reason, "Release another reservation first, or ask for less.")


def _pool(s: FunctionSituation, wanted: Reserved) -> tuple[str, ...]:
    if s.account is None:
        return ()
    after = s.account.unreserved + (s.reserved or 0) - (wanted or 0)
    if after == s.account.unreserved:
        return ()
    return (f"pool for unreserved functions {s.account.unreserved} → {after}; AWS keeps a floor of its own",)


def _backlog(s: FunctionSituation) -> tuple[str, ...]:
    by_arn = {q.arn: q for q in s.queues}
    waiting = [(m, by_arn[m.source_arn]) for m in s.mappings if m.enabled and m.source_arn in by_arn]
    return tuple(
        f"about {q.visible} messages wait in {q.name} and start at once" for _, q in waiting if q.visible
    )
