"""Run every command of lambdatop against one server, and compare what it shows with what boto3 reads there.

Each command is a row: values compared, differences, and faults (a traceback, an exit code that the contract
does not give, JSON that is none, a read that failed without a word).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from fakes.terminal import Terminal, environment
from foreign import shown
from foreign.account import FUNCTIONS, QUEUE_ARN, log_lines
from foreign.servers import ACCOUNT, KEYS, REGION, ROOT, Server
from foreign.truth import Reader, reading
from foreign.values import NOTHING, Compared, Values, compare, unsaid

ENDS_S = 180.0
WAIT_S = "60"
ALLOWED = "--allow-endpoint-changes"
CODES = {0, 1, 2, 3, 4, 5}


class Row(NamedTuple):
    """What came of one command."""

    command: str
    server: str
    compared: Compared
    faults: tuple[str, ...]
    seconds: float


class Ran(NamedTuple):
    """What one run left behind."""

    words: str
    code: int
    out: str
    err: str

    def faults(self, *codes: int) -> tuple[str, ...]:
        """Return what no run may do: end with another code than these, or show a traceback."""
        found = []
        if self.code not in (codes or CODES):
            found.append(f"`{self.words}` ended with {self.code}: {_short(self.err)}")
        if "Traceback (most recent call last)" in self.out + self.err:
            found.append(f"`{self.words}` showed a traceback")
        if re.search(r"<!doctype|<html|</h1>", self.out + self.err, re.IGNORECASE):
            found.append(f"`{self.words}` showed the page of a web server")
        return tuple(found)


def _short(text: str) -> str:
    return " ".join(text.split())[:300]


class Commands:
    """The command line on one server, with a home directory of its own."""

    def __init__(self, server: Server, home: Path, reader: Reader) -> None:
        self.server = server
        self.home = home
        self.reader = reader

    def run(self, *words: str, region: str | None = REGION, **more: str) -> Ran:
        """Run the real command line in a process of its own."""
        place = {} if region is None else {"AWS_REGION": region}
        environ = environment(
            self.home, **KEYS, AWS_EC2_METADATA_DISABLED="true", COLUMNS="240", **place, **more
        )
        done = subprocess.run(
            [sys.executable, "-m", "lambdatop", "--endpoint-url", self.server.url, *words],
            cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8",
            timeout=ENDS_S, check=False,
        )  # fmt: skip
        return Ran(" ".join(words), done.returncode, done.stdout, done.stderr)


Check = Callable[[Commands], tuple[Compared, tuple[str, ...]]]


def parsed(ran: Ran) -> tuple[Any, tuple[str, ...]]:
    """Return the JSON document of a run, and a fault where it is none."""
    try:
        return json.loads(ran.out), ()
    except ValueError:
        return None, (f"`{ran.words}` printed no JSON: {_short(ran.out + ran.err)}",)


def _snapshot(form: str, mode: str, fields: Collection[str], of: Callable[[str], Values]) -> Check:
    def check(on: Commands) -> tuple[Compared, tuple[str, ...]]:
        before = _account(on.reader)
        ran = on.run("snapshot", form, "--wait", WAIT_S, *([mode] if mode else []))
        after = _account(on.reader)
        faults = ran.faults(0)
        try:
            values = of(ran.out)
        except (ValueError, KeyError, IndexError) as error:
            return NOTHING, (*faults, f"`{ran.words}` cannot be read: {error!r}: {_short(ran.out)}")
        return (
            compare(values, before, after, only=fields),
            (*faults, *unsaid(sorted(on.reader.unanswered), ran.out)),
        )

    return check


def _account(reader: Reader) -> Values:
    """Read what lambdatop shows: of all queues those that a mapping, a function or such a queue names."""
    values = reader.truth().values | reader.metrics(time.time() - 60)
    named = {v for (kind, _, field), v in values.items() if kind != "queue" and field in _NAMES_QUEUE}
    named |= {values.get(("queue", arn, "dlq_arn")) for arn in named}
    return {place: value for place, value in values.items() if place[0] != "queue" or place[1] in named}


_NAMES_QUEUE = ("source_arn", "dlq_arn", "on_failure_arn")


def _of_json(text: str) -> Values:
    return shown.of_json(json.loads(text))


JSON_FIELDS = frozenset(
    {"arn", "runtime", "memory_mb", "timeout_s", "log_group", "reserved", "actions", "of", "limit"}
) | {*shown.METRICS, *shown.MAPPING_FIELDS, *shown.QUEUE_FIELDS}  # fmt: skip


def _logs(on: Commands) -> tuple[Compared, tuple[str, ...]]:
    """Compare each line of the log, as it came."""
    group = "/aws/lambda/orders-worker"
    before = on.reader.log(group)
    ran = on.run("logs", "orders-worker", "--since", "2h", "--json")
    after = on.reader.log(group)
    lines = [json.loads(line)["raw"] for line in ran.out.splitlines()]
    mine = [text for text in lines if text in log_lines()]
    differences = []
    if mine != log_lines():
        differences.append(
            f"{len(mine)} of {len(log_lines())} lines that were written are shown in their order"
        )
    if not len(before) <= len(lines) <= len(after):
        differences.append(f"{len(lines)} lines shown, boto3 reads {len(before)} then {len(after)}")
    plain = on.run("logs", "orders-worker", "--since", "2h", "--grep", "was taken")
    many = sum("was taken" in line for line in plain.out.splitlines())
    if many != sum("was taken" in line for line in log_lines()):
        differences.append(f"--grep shows {many} lines")
    return Compared(len(lines) + many, tuple(differences)), (*ran.faults(0), *plain.faults(0))


def _of_every_function(on: Commands) -> tuple[Compared, tuple[str, ...]]:
    """Ask for the log of each function by the name that ListFunctions gives."""
    faults: list[str] = []
    for name in FUNCTIONS:
        ran = on.run("logs", name, "--since", "2h")
        # A server may list a name that it then does not take: lambdatop has to say so, and end with 2.
        faults += ran.faults(0, 1, 2)
        if ran.code and f"{name}' is listed" not in ran.err:
            faults.append(f"`{ran.words}` does not name it: {_short(ran.err)}")
    return Compared(len(FUNCTIONS), ()), tuple(faults)


def _small(words: tuple[str, ...], *codes: int) -> Check:
    def check(on: Commands) -> tuple[Compared, tuple[str, ...]]:
        ran = on.run(*words)
        faults = ran.faults(*codes)
        if "--json" in words or words[0] == "policy":
            _, more = parsed(ran)
            faults += more
        return Compared(1, ()), faults

    return check


def _doctor(on: Commands) -> tuple[Compared, tuple[str, ...]]:
    """Compare who doctor says this is."""
    ran = on.run("doctor", "--json")
    found, faults = parsed(ran)
    caller = on.reader.at("sts").get_caller_identity()
    said = json.dumps(found)
    differences = tuple(
        f"doctor does not say {caller[part]}"
        for part in ("Account", "Arn")
        if f'"{caller[part]}"' not in said
    )
    return Compared(2, differences), (*faults, *ran.faults(0, 1), *on.run("doctor").faults(0, 1))


REGIONS = (
    ("AWS_REGION", REGION),
    ("AWS_DEFAULT_REGION", REGION),
    ("LAMBDATOP_REGION", REGION),
    ("--region", REGION),
    ("--region", "eu-central-1"),
    ("--region", "ap-southeast-7"),
    ("--region", "cn-north-1"),
    ("--region", "us-gov-west-1"),
    ("--region", "eusc-de-east-1"),
    ("--region", "us-iso-east-1"),
)
NO_REGIONS = (
    "us-east-1.x",
    "US-EAST-1",
    "us east 1",
    "us-east-1/",
    "",
    "https://us-east-1",
    "us-east",
    "-",
    "ü-east-1",
)


def _regions(on: Commands) -> tuple[Compared, tuple[str, ...]]:
    """Compare the ARNs of each region's functions, however it is named; what is no region is refused."""
    differences: list[str] = []
    faults: list[str] = []
    compared = 0
    for way, name in REGIONS:
        words = (way, name) if way.startswith("--") else ()
        more = {} if words else {way: name}
        ran = on.run("snapshot", "--json", "--wait", "20", *words, region=None, **more)
        found, broken = parsed(ran)
        faults += [*ran.faults(0), *broken]
        if found is None:
            continue
        with reading(on.server, name) as there:
            arns = {f["FunctionArn"] for f in there.pages("lambda", "list_functions", "Functions")}
        mine = {f["arn"] for f in found["functions"]}
        compared += max(1, len(arns))
        differences += [f"{way} {name}: {arn} is shown or read, not both" for arn in sorted(arns ^ mine)]
        said = [t["region"] for t in found["targets"]]
        if said != [name]:
            differences.append(f"{way} {name}: the target says {said}")
    for name in NO_REGIONS:
        ran = on.run("snapshot", "--json", "--wait", "5", "--region", name, region=None)
        compared += 1
        faults += ran.faults(2)
        if not re.match(r"lambdatop: .+", ran.err):
            faults.append(f"`--region {name!r}` is refused without a sentence: {_short(ran.err)}")
    return Compared(compared, tuple(differences)), tuple(faults)


def _pages(names: tuple[str, ...], mode: str) -> Check:
    """Open the console in a terminal and compare each function's page."""

    def check(on: Commands) -> tuple[Compared, tuple[str, ...]]:
        before = _account(on.reader)
        words = [
            sys.executable,
            "-m",
            "lambdatop",
            "--endpoint-url",
            on.server.url,
            *([mode] if mode else []),
        ]
        environ = environment(on.home, **KEYS, AWS_REGION=REGION, AWS_EC2_METADATA_DISABLED="true")
        values: Values = {}
        faults: list[str] = []
        with Terminal(words, environ, 200, 60) as term:
            term.wait_for("orders-worker")
            # Settings are read after the list of functions: the last of them once its source has answered.
            term.wait_for(lambda s: re.search(r"orders-worker .*/7", s) is not None, ENDS_S)
            for name in names:
                term.press(f"1/{re.escape(name)}\r")
                term.wait_for(lambda s: "1 of " in s)
                term.press("\r")
                term.wait_for(partial(_page_of, name))
                # The terminal gets a page in pieces.
                term.wait_for(partial(_complete, name))
                values |= shown.of_page(term.screen(), name)
                term.press("\x1b")
                term.wait_for("hot functions")
                term.press("\x1b")
                term.wait_for(lambda s: "1 of " not in s)
            for key, title in SCREENS:
                term.press(key)
                term.wait_for(title)
                term.press("\x1b")
                # Esc and a key behind it at once would be one key: Alt and that key.
                term.wait_for(partial(_without, title))
            for key in "2345":
                term.press(key)
            term.press("q")
            code = term.wait_for_exit()
            if code:
                faults.append(f"the console ended with {code}")
            if b"Traceback (most recent call last)" in term.written:
                faults.append("the console showed a traceback")
            if mode == "--read-only" and b"READ-ONLY" not in term.written:
                faults.append("the console does not say that it only reads")
        mine = {place: value for place, value in before.items() if place[1] in names}
        return compare(values, mine, only=shown.PAGE_FIELDS), tuple(faults)

    return check


SCREENS = (("J", "before → after"), ("?", "everywhere"), ("$", "cloudwatch.DescribeAlarms"))
"""Keys that open a screen, and words that are on it and nowhere else."""


def _without(words: str, screen: str) -> bool:
    return words not in screen and "hot functions" in screen


def _page_of(name: str, screen: str) -> bool:
    return f"function:{name} " in screen and "async DLQ" in screen


def _complete(name: str, screen: str) -> bool:
    return {field for _, _, field in shown.of_page(screen, name)} >= shown.PAGE_FIELDS


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


def _plans(changes: tuple[Change, ...], mode: str) -> Check:
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


def _mitigations(changes: tuple[Change, ...], *, quick: bool) -> Check:
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


def checks(quick: bool) -> Iterator[tuple[str, Check]]:
    """Yield each row's name and check; what changes the account comes last."""
    for mode in ("",) if quick else ("", "--read-only"):
        words = f" {mode}" if mode else ""
        yield f"snapshot --json{words}", _snapshot("--json", mode, JSON_FIELDS, _of_json)
        if not quick:
            yield f"snapshot --table{words}", _snapshot("--table", mode, TABLE_FIELDS, shown.of_table)
            yield (
                f"snapshot --markdown{words}",
                _snapshot("--markdown", mode, shown.REPORT_FIELDS, shown.of_report),
            )
    yield "logs", _logs
    if not quick:
        yield "logs of every function", _of_every_function
        yield "doctor", _doctor
        yield "region names", _regions
    for small in SMALL[:1] if quick else SMALL:
        yield " ".join(small), _small(small, 0)
    names = tuple(FUNCTIONS)
    yield "console: pages", _pages(names[:1] if quick else names, "")
    if not quick:
        yield "console --read-only: pages", _pages(names[:2], "--read-only")
    chosen = CHANGES[:1] if quick else CHANGES
    if not quick:
        yield "plan", _plans(chosen, "")
        yield "plan --read-only", _plans(CHANGES[:3], "--read-only")
    yield "mitigate, undo, journal", _mitigations(chosen, quick=quick)


TABLE_FIELDS = shown.TABLE_FIELDS | {"of", "actions", "limit"}
SMALL = (
    ("version", "--json"),
    ("version",),
    ("policy", "read-only"),
    ("policy", "operator"),
    ("policy", "operator-elevated"),
    ("config", "path"),
    ("config", "show"),
    ("config", "check"),
    ("journal", "--json"),
)


def run_all(server: Server, *, quick: bool, only: str = "") -> Iterator[Row]:
    """Yield one row for each command that `only` is part of."""
    with tempfile.TemporaryDirectory(prefix="lambdatop-foreign-home-") as home, reading(server) as reader:
        on = Commands(server, Path(home), reader)
        for name, check in checks(quick):
            if only not in name:
                continue
            begun = time.monotonic()
            try:
                compared, faults = check(on)
            except Exception as error:  # one command's failure must not hide what the others would show
                compared, faults = NOTHING, (f"the check ended: {type(error).__name__}: {str(error)[:3000]}",)
            yield Row(name, server.name, compared, faults, time.monotonic() - begun)
