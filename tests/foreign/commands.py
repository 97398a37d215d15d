"""Run commands that read against one server, and compare what it shows with what boto3 reads there.

Each command is a row: values compared, differences, and faults (a traceback, an exit code that the contract
does not give, JSON that is none, a read that failed without a word).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from fakes.terminal import Terminal, environment
from foreign import shown
from foreign.account import FUNCTIONS, log_lines
from foreign.servers import KEYS, REGION, ROOT, Server
from foreign.truth import Reader, reading
from foreign.values import NOTHING, Compared, Values, compare, unsaid

ENDS_S = 180.0
WAIT_S = "60"
ALLOWED = "--allow-endpoint-changes"
CODES = {0, 1, 2, 3, 4, 5}


class Row(NamedTuple):
    """The outcome of one command."""

    command: str
    server: str
    compared: Compared
    faults: tuple[str, ...]
    seconds: float


class Ran(NamedTuple):
    """The outputs and the exit code of one run."""

    words: str
    code: int
    out: str
    err: str

    def faults(self, *codes: int) -> tuple[str, ...]:
        """Return what no run may do: end with another code than these, or show a traceback."""
        found = []
        if self.code not in (codes or CODES):
            found.append(f"`{self.words}` ended with {self.code}: {short(self.err)}")
        if "Traceback (most recent call last)" in self.out + self.err:
            found.append(f"`{self.words}` showed a traceback")
        if re.search(r"<!doctype|<html|</h1>", self.out + self.err, re.IGNORECASE):
            found.append(f"`{self.words}` showed the page of a web server")
        return tuple(found)


def short(text: str) -> str:
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
        return None, (f"`{ran.words}` printed no JSON: {short(ran.out + ran.err)}",)


def snapshot(form: str, mode: str, fields: Collection[str], of: Callable[[str], Values]) -> Check:
    def check(on: Commands) -> tuple[Compared, tuple[str, ...]]:
        before = _account(on.reader)
        ran = on.run("snapshot", form, "--wait", WAIT_S, *([mode] if mode else []))
        after = _account(on.reader)
        faults = ran.faults(0)
        try:
            values = of(ran.out)
        except (ValueError, KeyError, IndexError) as error:
            return NOTHING, (*faults, f"`{ran.words}` cannot be read: {error!r}: {short(ran.out)}")
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


def of_json(text: str) -> Values:
    return shown.of_json(json.loads(text))


JSON_FIELDS = frozenset(
    {"arn", "runtime", "memory_mb", "timeout_s", "log_group", "reserved", "actions", "of", "limit"}
) | {*shown.METRICS, *shown.MAPPING_FIELDS, *shown.QUEUE_FIELDS}  # fmt: skip


def logs(on: Commands) -> tuple[Compared, tuple[str, ...]]:
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


def logs_of_every_function(on: Commands) -> tuple[Compared, tuple[str, ...]]:
    """Ask for the log of each function by the name that ListFunctions gives."""
    faults: list[str] = []
    for name in FUNCTIONS:
        ran = on.run("logs", name, "--since", "2h")
        # A server may list a name that it then does not take: lambdatop has to say so, and end with 2.
        faults += ran.faults(0, 1, 2)
        if ran.code and f"{name}' is listed" not in ran.err:
            faults.append(f"`{ran.words}` does not name it: {short(ran.err)}")
    return Compared(len(FUNCTIONS), ()), tuple(faults)


def small(words: tuple[str, ...], *codes: int) -> Check:
    def check(on: Commands) -> tuple[Compared, tuple[str, ...]]:
        ran = on.run(*words)
        faults = ran.faults(*codes)
        if "--json" in words or words[0] == "policy":
            _, more = parsed(ran)
            faults += more
        return Compared(1, ()), faults

    return check


def doctor(on: Commands) -> tuple[Compared, tuple[str, ...]]:
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


def regions(on: Commands) -> tuple[Compared, tuple[str, ...]]:
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
            faults.append(f"`--region {name!r}` is refused without a sentence: {short(ran.err)}")
    return Compared(compared, tuple(differences)), tuple(faults)


def pages(names: tuple[str, ...], mode: str) -> Check:
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
