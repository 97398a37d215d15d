"""Plan each mitigation on one server, carry it out and undo it, and compare with what boto3 reads there."""

from __future__ import annotations

from typing import Any, NamedTuple

from foreign.account import QUEUE_ARN
from foreign.commands import ALLOWED, Check, Commands, parsed
from foreign.servers import ACCOUNT, REGION
from foreign.truth import Reader
from foreign.values import Compared


class Change(NamedTuple):
    """A mitigation on a target, and the field of its state that it changes."""

    mitigation: str
    target: str
    confirm: str
    settings: tuple[str, ...] = ()
    field: str = ""


CHANGES = (
    Change("throttle_to_zero", "orders-worker", "orders-worker", (), "reserved_concurrency"),
    Change("cap_concurrency", "web-api", "web-api", ("reserved=3",), "reserved_concurrency"),
    Change("restore_concurrency", "parked", "parked", ("reserved=2",), "reserved_concurrency"),
    Change("disable_trigger", "orders", "orders", (), "state"),
    Change("enable_trigger", "images", "images", (), "state"),
    Change("tune_trigger", "orders", "orders", ("batch_size=3",), "batch_size"),
    Change("stop_async_retries", "async-heavy", "async-heavy", (), "async_config"),
    Change("restore_async", "async-heavy", "async-heavy", ("retries=2",), "async_config"),
    Change("rollback_alias", "web-api:live", "web-api:live", ("version=2",), "version"),
    Change("stop_recursion", "table-fn", "table-fn", (), "recursive_loop"),
    Change("disable_rule", "default/nightly", "default/nightly", (), "state"),
    Change("enable_rule", "audit/orders", "audit/orders", (), "state"),
    Change("redrive_dlq", "orders-dlq", "orders-dlq"),
    Change("quarantine_queue", "orders-dlq", "orders-dlq", ("to=file",)),
    Change("purge_queue", "dead", "dead"),
)


def _state(reader: Reader, change: Change) -> Any:
    """Return what boto3 reads of what a mitigation changes; UNREAD where it cannot."""
    functions, name = reader.at("lambda"), change.target
    field = change.field
    if field == "reserved_concurrency":
        return reader.reserved(name)
    if field in ("state", "batch_size") and "/" not in name:
        maps = reader.pages("lambda", "list_event_source_mappings", "EventSourceMappings")
        [found] = [m for m in maps if m["EventSourceArn"] == QUEUE_ARN + name]
        return found["State" if field == "state" else "BatchSize"]
    if field == "state":
        bus, rule = name.split("/")
        return reader.at("events").describe_rule(Name=rule, EventBusName=bus)["State"]
    if field == "version":
        function, alias = name.split(":")
        return functions.get_alias(FunctionName=function, Name=alias)["FunctionVersion"]
    if field == "async_config":
        read = reader.ask(
            "lambda:GetFunctionEventInvokeConfig",
            lambda: functions.get_function_event_invoke_config(FunctionName=name),
        )
        return read["MaximumRetryAttempts"] if isinstance(read, dict) else read
    if field == "recursive_loop":
        read = reader.ask(
            "lambda:GetFunctionRecursionConfig",
            lambda: functions.get_function_recursion_config(FunctionName=name),
        )
        return read["RecursiveLoop"] if isinstance(read, dict) else read
    raise ValueError(field)


def _in_plan(field: str, state: dict[str, Any]) -> Any:
    value = next((v for name, v in state.items() if name == field or name in _ALSO.get(field, ())), None)
    if field == "async_config" and isinstance(value, dict):
        return value.get("MaximumRetryAttempts")
    return value


_ALSO = {"state": ("rule_state",)}


def _codes(reader: Reader, change: Change, *codes: int) -> tuple[int, ...]:
    """Return the exit codes that a change may have here; 2 too where the server knows no bus by its ARN.

    lambdatop names each bus by its ARN, so that no other account's rule of this name is meant.
    """
    if "/" not in change.target:
        return codes
    bus, rule = change.target.split("/")
    address = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus}"
    events = reader.at("events")
    found = reader.ask("events:DescribeRule", lambda: events.describe_rule(Name=rule, EventBusName=address))
    return codes if isinstance(found, dict) else (*codes, 2)


def plans(changes: tuple[Change, ...], mode: str) -> Check:
    """Compare what each plan says is there before with what boto3 reads."""

    def check(on: Commands) -> tuple[Compared, tuple[str, ...]]:
        differences, faults, compared = [], [], 0
        for change in changes:
            settings = [word for s in change.settings for word in ("--set", s)]
            words = ["plan", change.mitigation, change.target, *settings, *([mode] if mode else [])]
            text = on.run(*words)
            ran = on.run(*words, "--json")
            codes = _codes(on.reader, change, 0, 1)
            faults += [*text.faults(*codes), *ran.faults(*codes)]
            if ran.code == 2:
                continue
            found, broken = parsed(ran)
            faults += broken
            if found is None or found["refused"]:
                faults += _reasonless(found)
                continue
            if change.field:
                compared += 1
                read, said = _state(on.reader, change), _in_plan(change.field, found["before"])
                if read != said:
                    differences.append(
                        f"{change.mitigation} {change.target}: before is {said!r}, boto3 reads {read!r}"
                    )
        return Compared(compared, tuple(differences)), tuple(faults)

    return check


def _reasonless(found: dict[str, Any] | None) -> list[str]:
    if found is None or found.get("reason"):
        return []
    return [f"{found.get('mitigation')} is refused without a reason: {found}"]


def mitigations(changes: tuple[Change, ...], *, quick: bool) -> Check:
    """Carry each mitigation out and take it back; compare what boto3 reads with what the journal says."""

    def check(on: Commands) -> tuple[Compared, tuple[str, ...]]:
        differences: list[str] = []
        faults: list[str] = []
        compared = 0
        for change in changes:
            found = _there_and_back(on, change, quick=quick)
            compared += found[0].values
            differences += found[0].differences
            faults += found[1]
        ran = on.run("journal", "--json")
        journal, broken = parsed(ran)
        faults += [
            *ran.faults(0),
            *broken,
            *on.run("journal").faults(0),
            *on.run("journal", "--open").faults(0),
        ]
        if journal is not None and not journal["entries"]:
            differences.append("the journal has no entry")
        return Compared(compared, tuple(differences)), tuple(faults)

    return check


def _there_and_back(on: Commands, change: Change, *, quick: bool) -> tuple[Compared, list[str]]:
    settings = [word for s in change.settings for word in ("--set", s)]
    words = ["mitigate", change.mitigation, change.target, *settings, "--confirm", change.confirm]
    before = _state(on.reader, change) if change.field else None
    differences: list[str] = []
    faults: list[str] = []
    if not quick:
        faults += on.run(*words).faults(1, 2)
        faults += on.run(*words, ALLOWED, "--read-only").faults(*_codes(on.reader, change, 1, 4))
    if change.field and _state(on.reader, change) != before:
        differences.append(
            f"{change.mitigation} {change.target} changed something that it was not allowed to"
        )
    ran = on.run(*words, ALLOWED, "--json")
    faults += ran.faults(*_codes(on.reader, change, 0, 1, 5))
    if ran.code == 2:
        return Compared(1, tuple(differences)), faults
    found, broken = parsed(ran)
    faults += broken
    if found is None or ran.code == 1 or not change.field:
        return Compared(1, tuple(differences)), faults
    entry = found.get("entry") or found
    now, said = _state(on.reader, change), _in_plan(change.field, entry.get("after") or {})
    if ran.code == 0 and now != said and now is not said:
        differences.append(f"{change.mitigation} {change.target}: applied with {said!r}, boto3 reads {now!r}")
    back = on.run("undo", change.target, "--confirm", change.confirm, ALLOWED)
    faults += back.faults(0, 1, 5)
    if back.code == 0 and _state(on.reader, change) != before:
        now = _state(on.reader, change)
        differences.append(f"undo of {change.mitigation}: boto3 read {before!r} before and reads {now!r} now")
    return Compared(3, tuple(differences)), faults
