"""Write `snapshot --markdown`, a report for auditors. Pure: a Snapshot in, Markdown out.

It says what was not seen before it says what was, and ends with the hash of itself. Whatever came from AWS or
from this machine goes through `cell`: one line, secrets masked, nothing of it Markdown. It stands in tables
only, so no name can look like a heading or like the line of the hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import partial

from msgspec import Struct

from lambdatop.domain.endpoint import foreign
from lambdatop.domain.sections import section
from lambdatop.domain.settings.settings import ModeSettings
from lambdatop.domain.sources import FUNCTIONS
from lambdatop.domain.state.snapshot import Snapshot, SourceRow, Target
from lambdatop.domain.units import plural
from lambdatop.report.audit.tables import cell, not_made, sections, table
from lambdatop.report.text import not_known as unseen
from lambdatop.report.text import numbers as figures

HASH_LINE = "SHA-256"
"""What the last line begins with, and no other line can."""

_INTEGRITY = f"""\
## Integrity

The last line holds the SHA-256 of all bytes (UTF-8) before it. To check the file:

    sed '/^{HASH_LINE}/,$d' report.md | sha256sum

It shows that nothing was changed by accident. It is not a signature: whoever edits the report can compute it
anew, so keep the hash where it cannot be edited."""

_NOTE = """\
The command snapshot only reads, in either mode. Values of environment variables never stand in this report;
other secrets in texts are masked as far as they can be told."""


class Asked(Struct, frozen=True):
    """Who made the report: the local user and machine, and why the mode is what it is."""

    user: str
    host: str
    mode: ModeSettings


def report(snapshot: Snapshot, asked: Asked) -> str:
    """Return the whole report with its hash."""
    where = ", ".join(dict.fromkeys(str(t.scope) for t in snapshot.targets)) or "no account"
    blocks = [
        f"# lambdatop {cell(snapshot.version)}: AWS Lambda in {cell(where)}",
        section("Who asked", lambda: _who(snapshot, asked), partial(not_made, "Who asked, when and where")),
        section("What was not seen", lambda: _not_seen(snapshot), partial(not_made, "What was not seen")),
        *sections(snapshot),
        _INTEGRITY,
    ]
    return sealed("\n\n".join(blocks) + "\n\n")


def sealed(text: str) -> str:
    """Return the text, which ends with a line feed, with the line that holds its hash."""
    return f"{text}{HASH_LINE}: {hashlib.sha256(text.encode()).hexdigest()}\n"


def _who(snapshot: Snapshot, asked: Asked) -> str:
    rows = [
        ("made at (UTC)", figures.moment(snapshot.at)),
        ("made with", f"lambdatop {snapshot.version}"),
        ("made by (local)", f"{asked.user}@{asked.host}"),
        ("mode", _mode(snapshot, asked)),
    ]
    for target in snapshot.targets:
        rows += _target(target)
    return f"## Who asked, when and where\n\n{table(('FIELD', 'VALUE'), rows)}\n\n{_NOTE}"


def _mode(snapshot: Snapshot, asked: Asked) -> str:
    forced = next((t.forced for t in snapshot.targets if t.forced), "") or asked.mode.origin
    lifted = asked.mode.lifted or next((t.lifted for t in snapshot.targets if t.lifted), "")
    if snapshot.mode == "read-only":
        return f"read-only ({forced})" if forced else "read-only"
    return f"operator (read-only by {lifted} was lifted by {asked.mode.write})" if lifted else "operator"


def _target(target: Target) -> list[tuple[str, str]]:
    own = "AWS's own"
    if target.endpoint:
        strange = foreign(target.endpoint)
        own = (
            f"{target.endpoint} (not AWS's: every figure is what was answered there)"
            if strange
            else target.endpoint
        )
    rows = [
        ("account", target.scope.account),
        ("region", target.scope.region),
        ("account alias", target.alias),
        ("identity", target.identity or "not known"),
        ("endpoint", own),
        ("remark", target.notice),
    ]
    return [row for row in rows if row[1]]


def _not_seen(snapshot: Snapshot) -> str:
    parts = [*_sources(snapshot), *_permissions(snapshot), *_functions(snapshot), *_looks(snapshot)]
    where = "the one above" if len(snapshot.targets) == 1 else "those above"
    parts.append(
        f"- Outside of this report: every account and region but {where}; log lines, which appear "
        "in findings only; what CloudWatch's minutes do not show."
    )
    return "## What was not seen\n\n" + "\n".join(parts)


def _sources(snapshot: Snapshot) -> Iterable[str]:
    gaps = [s for s in snapshot.sources if s.state != "ok" or s.error]
    asked = plural(len(snapshot.sources), "source")
    if gaps:
        yield f"- Sources: {len(gaps)} of {len(snapshot.sources)} did not answer, or not fully:"
        yield (
            "\n" + table(("SOURCE", "STATE", "LAST ANSWER", "MISSING ACTION", "WHY"), map(_gap, gaps)) + "\n"
        )
    elif not snapshot.gaps:
        yield f"- Sources: {asked} asked, none denied, failed or stale."
    if snapshot.gaps:
        reads = sum(gap.targets for gap in snapshot.gaps)
        so = "" if gaps else f": {asked} asked, all of them answered something"
        yield f"- Single reads that brought nothing or were not made: {reads:,}{so}."
        yield "\n" + table(unseen.HEAD, unseen.gap_rows(snapshot)) + "\n"


def _gap(source: SourceRow) -> tuple[str, ...]:
    last = "never" if source.age_s is None else f"{figures.age(source.age_s)} before"
    return (
        source.name,
        source.state,
        last,
        source.action or figures.UNKNOWN,
        source.error or "no answer in time",
    )


def _permissions(snapshot: Snapshot) -> Iterable[str]:
    found = snapshot.permissions
    if found is None:
        yield (
            "- Permissions: IAM was not asked, or did not answer, what this identity may do; what was "
            "denied is said under sources."
        )
        return
    by = {
        answer: [a for a, said in found.answers.items() if said == answer]
        for answer in ("yes", "no", "unknown")
    }
    yield (
        f"- Permissions, simulated by IAM at {figures.moment(found.at)}: {len(by['yes'])} actions allowed, "
        f"{len(by['no'])} not allowed, {len(by['unknown'])} not known. A simulation does not cover session "
        "policies, resource control policies or conditions of the moment."
    )
    rows = [(action, "not allowed") for action in by["no"]]
    rows += [(action, f"not known: {found.why}" if found.why else "not known") for action in by["unknown"]]
    if rows:
        yield "\n" + table(("ACTION", "ANSWER"), rows) + "\n"


def _functions(snapshot: Snapshot) -> Iterable[str]:
    total = len(snapshot.functions)
    silent = sum(f.as_of is None for f in snapshot.functions)
    unread = sum(not f.reserved_known for f in snapshot.functions)
    if not total:
        yield f"- Functions: {cell(unseen.empty(snapshot, FUNCTIONS))}."
    elif not silent and not unread:
        yield f"- Functions: metrics and reserved concurrency of all {total} were read."
    if silent:
        yield f"- Functions without metrics: {silent} of {total} (a dash in their column AGE)."
    if unread:
        yield f"- Functions whose reserved concurrency is not known: {unread} of {total} (a dash there)."


def _looks(snapshot: Snapshot) -> Iterable[str]:
    plan = snapshot.polling
    if plan is None:
        sent = dict(snapshot.spend.calls).get("cloudwatch.GetMetricData", 0)
        yield (
            f"- Metrics: {plural(sent, 'request')} sent (GetMetricData), but no polling round was "
            "completed, so the figures of functions and queues are not known."
            if sent
            else "- Metrics: no polling plan was made, so none were asked for."
        )
        return
    budget = {"calm": "the calm budget", "wrong": "the whole budget", "unlimited": "no budget"}[plan.spending]
    others = "not until they turn hot" if plan.others_s is None else f"every {figures.age(plan.others_s)}"
    yield (
        f"- Metrics under {budget}: account totals every {figures.age(plan.wire_s)}, some series of each "
        f"active function within {figures.age(plan.discovery_s)}, all series of hot ones every "
        f"{figures.age(plan.detail_s)}, of the other active ones {others}."
    )
    more = (("why that budget", plan.why), ("slowed down", plan.slowed), ("missing", plan.note))
    rows = [(name, text) for name, text in more if text]
    if rows:
        yield "\n" + table(("POLLING PLAN", "WHAT"), rows) + "\n"
