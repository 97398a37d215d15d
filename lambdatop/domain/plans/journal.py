"""Fold the journal's records, in the order they were written, into entries. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.plan import Call, State
from lambdatop.domain.sanitize import clean_line

Outcome = Literal["open", "applied", "refused", "not-sent", "unknown", "undone"]

DEADLINES = ("deadline", "deadline_latest")
FOUND = ("applied (found)", "not applied (found)", "changed by somebody", "cannot be told")
"""What recovery says of an intent without an outcome, after reading AWS's state."""

MOST_ATTEMPTS_S = 600.0
"""Attempts of one call take no longer than this; a larger difference is a clock that somebody set."""

ACCEPTED = "accepted by AWS"
"""How the detail of an unknown outcome begins when AWS said yes and the state read back did not show it."""


class Uptime(Struct, frozen=True):
    """How long a machine has run: `s` seconds since the start that `boot` names, read from `clock`.

    Nobody can set this clock. `boot` is "" where the system tells no name of its start: then nothing can be
    compared. `clock` is CLOCK_BOOTTIME on Linux and CLOCK_MONOTONIC on macOS; both count while it sleeps.
    """

    boot: str = ""
    s: float = 0.0
    clock: str = ""


NO_UPTIME = Uptime()


class Entry(Struct, frozen=True):
    """One mutation: the intent and its outcome.

    `outcome` is "open" while no outcome is on disk: the process died in between. `detail` is AWS's
    error or what recovery found; `seen` is the state read back afterwards. `deadline` is when events that
    wait because of it begin to expire, `deadline_latest` when they do at the latest (see `deadline.py`).
    `label` is the target's name for people: a mapping's source and function. Of a step, `whole` is the title
    of its plan and `steps` how many that has. `called` is how the user called the target and what was typed
    to confirm. `depth` counts the undos: 0 for a change, 1 for its undo, 2 for the redo. `uptime` is that of
    the machine at the time of the intent, `again_s` how many s later the call was sent the last time. Times
    in s since the epoch.
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
    deadline_latest: float | None = None
    whole: str = ""
    steps: int = 0
    called: tuple[str, ...] = ()
    depth: int = 0
    uptime: Uptime = NO_UPTIME
    again_s: float = 0.0

    def age_s(self, now: float, uptime: Uptime = NO_UPTIME) -> float | None:
        """Return how old the intent is, s; None where that cannot be determined.

        Within one start of the same machine changes of the clock do not count. Otherwise the clock decides,
        unless by it the intent was written in the future.
        """
        if self.uptime.boot and self.uptime.boot == uptime.boot:
            age = uptime.s - self.uptime.s
        else:
            age = now - self.at
        return age if age >= 0 else None

    @property
    def accepted(self) -> bool:
        """Whether AWS answered with success, and what it showed afterwards was not what was asked for."""
        return self.outcome == "unknown" and self.detail.startswith(ACCEPTED)

    @property
    def can_undo(self) -> bool:
        """Whether `lambdatop undo` may take it back."""
        return self.undo is not None and (self.outcome == "applied" or self.accepted)

    @property
    def takes_back(self) -> bool:
        """Whether it took away what stood there, as an undo does and a redo does not."""
        return self.undo_depth % 2 == 1

    @property
    def undo_depth(self) -> int:
        """How many undos deep it is; an undo that does not say is that of a change."""
        return max(1, self.depth) if self.undoes is not None else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of the target: as AWS, as the screen and as the user call it."""
        return tuple(dict.fromkeys(n for n in (self.target.id, self.arn, self.label, *self.called) if n))


def intent_record(entry: Entry) -> dict[str, Any]:
    """Return the JSON of an intent: everything needed to recover or undo without this process."""
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
    } | _if_any(
        **{name: getattr(entry, name) for name in DEADLINES},
        plan={"title": entry.whole, "steps": entry.steps} if entry.steps else None,
        called=list(entry.called) or None,
        depth=entry.depth or None,
        uptime=_uptime_json(entry.uptime) if entry.uptime.boot else None,
    )


def attempt_record(entry_id: str, at: float, number: int, detail: str) -> dict[str, Any]:
    """Return the JSON of another attempt at a call that AWS refused for being busy."""
    return {"record": "attempt", "id": entry_id, "at": at, "number": number, "detail": detail}


def outcome_record(
    entry_id: str, at: float, outcome: Outcome, detail: str, seen: State | None
) -> dict[str, Any]:
    """Return the JSON of an outcome."""
    seen_json = dict(seen) if seen is not None else None
    return {"record": "outcome", "id": entry_id, "at": at, "outcome": outcome, "detail": detail} | {
        "seen": seen_json
    }


def _uptime_json(uptime: Uptime) -> dict[str, Any]:
    return {"boot": uptime.boot, "s": uptime.s, "clock": uptime.clock}


def _uptime(data: Mapping[str, Any] | None) -> Uptime:
    return Uptime(str(data["boot"]), float(data["s"]), str(data["clock"])) if data else NO_UPTIME


def _if_any(**fields: Any) -> dict[str, Any]:
    """Return the fields that older versions do not write, where they have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def carried_record(entry: Entry) -> dict[str, Any]:
    """Return the JSON of an entry carried over to the next file with what is known of it, in one record."""
    seen = dict(entry.seen) if entry.seen is not None else None
    end = {"outcome": entry.outcome, "outcome_at": entry.outcome_at, "detail": entry.detail, "seen": seen}
    return intent_record(entry) | {"record": "carried", "depth": entry.depth, "again_s": entry.again_s} | end


def replay(records: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Return the entries in the order of their intents; an undo that was applied marks what it undid."""
    entries: dict[str, Entry] = {}
    for record in records:
        fold_record(entries, record)
    return tuple(entries.values())


def fold_record(entries: dict[str, Entry], record: Mapping[str, Any]) -> None:
    """Change `entries` by one record.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError: the record is not
            complete; `entries` are as before.
    """
    kind = record.get("record")
    if kind == "intent":
        entry = _entry(record)
        below = entries.get(entry.undoes or "")
        if "depth" not in record and below is not None and below.undo_depth:  # written by an older version
            entry = replace(entry, depth=below.undo_depth + 1)
        entries[entry.id] = entry
    elif kind == "carried":
        entries[record["id"]] = _carried(record)
    elif kind == "attempt" and record.get("id") in entries:
        entry = entries[record["id"]]
        again_s = min(max(0.0, float(record["at"]) - entry.at), MOST_ATTEMPTS_S)
        entries[entry.id] = replace(entry, again_s=again_s)
    elif kind == "outcome" and record.get("id") in entries:
        if entries[record["id"]].outcome == "undone":
            return  # a slow neighbour's verdict on what was taken back since
        entry = replace(
            entries[record["id"]],
            outcome=record["outcome"],
            outcome_at=float(record["at"]),
            detail=clean_line(str(record.get("detail", ""))),
            seen=_seen(record.get("seen")),
        )
        entries[entry.id] = entry
        mark_undone(entries, entry)


def mark_undone(entries: dict[str, Entry], entry: Entry) -> None:
    """Mark what an entry took back, once it is applied."""
    undone = entries.get(entry.undoes or "")
    if undone is not None and entry.outcome == "applied":
        entries[undone.id] = replace(undone, outcome="undone")


def joined(older: Iterable[Entry], newer: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return entries of an older file and what came after it; the newer of an entry in both, in its place."""
    entries = {entry.id: entry for entry in older}
    for entry in newer:
        entries[entry.id] = entry
        mark_undone(entries, entry)
    return tuple(entries.values())


def _call_json(call: Call) -> dict[str, Any]:
    return {"service": call.service, "operation": call.operation, "params": dict(call.params)}


def _call(data: Mapping[str, Any]) -> Call:
    return Call(clean_line(data["service"]), clean_line(data["operation"]), dict(data["params"]))


def _state(record: Any) -> State:
    return {clean_line(name): _value(value) for name, value in record.items()}


def _value(value: Any) -> Any:
    """Return a value of a state with each text in it cleaned."""
    if isinstance(value, list):
        return [_value(each) for each in value]
    if isinstance(value, dict):
        return _state(value)
    return clean_line(value) if isinstance(value, str) else value


def _seen(record: Any) -> State | None:
    return None if record is None else _state(record)


def _carried(record: Mapping[str, Any]) -> Entry:
    at = record["outcome_at"]
    return replace(
        _entry(record),
        outcome=record["outcome"],
        outcome_at=float(at) if at is not None else None,
        detail=clean_line(str(record["detail"])),
        seen=_seen(record["seen"]),
        again_s=float(record["again_s"]),
    )


def _moment(record: Mapping[str, Any], name: str) -> float | None:
    return None if record.get(name) is None else float(record[name])


def _entry(record: Mapping[str, Any]) -> Entry:
    """Return the entry of an intent. What is no text where one belongs raises in `clean_line`."""
    target = record["target"]
    whole = record.get("plan") or {}
    scope = Scope(clean_line(target["account"]), clean_line(target["region"]))
    kind: Any = clean_line(target["kind"])
    undoes = record.get("undoes")
    return Entry(
        id=clean_line(record["id"]),
        at=float(record["at"]),
        mitigation=clean_line(record["mitigation"]),
        target=Key(scope, kind, clean_line(target["id"])),
        arn=clean_line(target["arn"]),
        actor=clean_line(record["actor"]),
        host=clean_line(record["host"]),
        pid=int(record["pid"]),
        call=_call(record["call"]),
        before=_state(record["before"]),
        after=_state(record["after"]),
        undo=_call(record["undo"]) if record["undo"] else None,
        undoes=None if undoes is None else clean_line(undoes),
        plan_digest=clean_line(record["plan_digest"]),
        label=clean_line(str(target.get("label") or "")),
        deadline=_moment(record, "deadline"),
        deadline_latest=_moment(record, "deadline_latest"),
        whole=clean_line(str(whole.get("title") or "")),
        steps=int(whole.get("steps") or 0),
        called=tuple(str(name) for name in record.get("called") or ()),
        depth=int(record.get("depth") or 0),
        uptime=_uptime(record.get("uptime")),
    )
