"""What the journal means: records in the order they were written, folded into entries. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from lambdatop.domain.plan import Call, State
from lambdatop.domain.scope import Key, Scope
from lambdatop.domain.values import dataclass

Outcome = Literal["open", "applied", "refused", "not-sent", "unknown", "undone"]

FOUND = ("applied (found)", "not applied (found)", "changed by somebody", "cannot be told")
"""What recovery says of an intent without an outcome, after reading AWS's state."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One mutation: the intent, and what became of it.

    `outcome` is "open" while no outcome is on disk: the process died in between. `detail` is AWS's
    error or what recovery found; `seen` is the state read back afterwards. `deadline` is when events that
    wait because of it begin to expire, as far as the plan knew. `label` is the target's name for people: a
    mapping's source and function. Of a step, `whole` is the title of its plan and `steps` how many that has.
    Times in s since the epoch.
    """

    id: str
    at: float
    mitigation: str
    target: Key
    arn: str
    actor: str
    host: str
    pid: int
    call: Call
    before: State
    after: State
    undo: Call | None
    undoes: str | None
    plan_digest: str
    outcome: Outcome = "open"
    outcome_at: float | None = None
    detail: str = ""
    seen: State | None = None
    deadline: float | None = None
    label: str = ""
    whole: str = ""
    steps: int = 0

    @property
    def can_undo(self) -> bool:
        """Whether `lambdatop undo` may take it back."""
        return self.undo is not None and self.outcome == "applied"


def intent_record(entry: Entry) -> dict[str, Any]:
    """The JSON of an intent: everything needed to recover or undo without this process."""
    return {
        "record": "intent",
        "id": entry.id,
        "at": entry.at,
        "mitigation": entry.mitigation,
        "target": {"account": entry.target.scope.account, "region": entry.target.scope.region}
        | {"kind": entry.target.kind, "id": entry.target.id, "arn": entry.arn, "label": entry.label},
        "actor": entry.actor,
        "host": entry.host,
        "pid": entry.pid,
        "call": _call_json(entry.call),
        "before": dict(entry.before),
        "after": dict(entry.after),
        "undo": _call_json(entry.undo) if entry.undo else None,
        "undoes": entry.undoes,
        "plan_digest": entry.plan_digest,
        **({"deadline": entry.deadline} if entry.deadline is not None else {}),
        **({"plan": {"title": entry.whole, "steps": entry.steps}} if entry.steps else {}),
    }


def attempt_record(entry_id: str, at: float, number: int, detail: str) -> dict[str, Any]:
    """The JSON of another attempt at a call that AWS refused for being busy."""
    return {"record": "attempt", "id": entry_id, "at": at, "number": number, "detail": detail}


def outcome_record(
    entry_id: str, at: float, outcome: Outcome, detail: str, seen: State | None
) -> dict[str, Any]:
    """The JSON of an outcome."""
    seen_json = dict(seen) if seen is not None else None
    return {"record": "outcome", "id": entry_id, "at": at, "outcome": outcome, "detail": detail} | {
        "seen": seen_json
    }


def replay(records: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Entries in the order of their intents; an undo that was applied marks what it undid."""
    entries: dict[str, Entry] = {}
    for record in records:
        if record.get("record") == "intent":
            entry = _entry(record)
            entries[entry.id] = entry
        elif record.get("record") == "outcome" and record.get("id") in entries:
            if entries[record["id"]].outcome == "undone":
                continue  # a slow neighbour's verdict on what was taken back since
            entry = replace(
                entries[record["id"]],
                outcome=record["outcome"],
                outcome_at=float(record["at"]),
                detail=str(record.get("detail", "")),
                seen=record.get("seen"),
            )
            entries[entry.id] = entry
            undone = entries.get(entry.undoes or "")
            if undone is not None and entry.outcome == "applied":
                entries[undone.id] = replace(undone, outcome="undone")
    return tuple(entries.values())


def _call_json(call: Call) -> dict[str, Any]:
    return {"service": call.service, "operation": call.operation, "params": dict(call.params)}


def _call(data: Mapping[str, Any]) -> Call:
    return Call(data["service"], data["operation"], data["params"])


def _entry(record: Mapping[str, Any]) -> Entry:
    target = record["target"]
    whole = record.get("plan") or {}
    return Entry(
        id=record["id"],
        at=float(record["at"]),
        mitigation=record["mitigation"],
        target=Key(Scope(target["account"], target["region"]), target["kind"], target["id"]),
        arn=target["arn"],
        actor=record["actor"],
        host=record["host"],
        pid=int(record["pid"]),
        call=_call(record["call"]),
        before=record["before"],
        after=record["after"],
        undo=_call(record["undo"]) if record["undo"] else None,
        undoes=record.get("undoes"),
        plan_digest=record["plan_digest"],
        label=str(target.get("label") or ""),
        whole=str(whole.get("title") or ""),
        steps=int(whole.get("steps") or 0),
        deadline=float(record["deadline"]) if record.get("deadline") is not None else None,
    )
