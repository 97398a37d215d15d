"""What lambdatop shows, by place: from JSON, tables, the report and the function's page. Pure.

A dash and "not known" are UNREAD; "none" is None. What cannot be read out of the text is missing, which is a
difference.
"""

from __future__ import annotations

import re
from typing import Any

from foreign.values import UNREAD, Values

TABLE_FIELDS = frozenset({"timeout_s", "reserved"})
REPORT_FIELDS = frozenset(
    {"runtime", "memory_mb", "timeout_s", "reserved", "dlq_arn", "state", "source_arn", "batch_size",
     "max_concurrency", "max_retry_attempts", "on_failure_arn", "partial_responses", "visible", "in_flight",
     "delayed", "visibility_timeout_s", "max_receive_count", "of", "actions", "limit"}
)  # fmt: skip
PAGE_FIELDS = frozenset({"arn", "runtime", "memory_mb", "timeout_s", "reserved", "dlq_arn", "log_group"})
METRICS = {
    "invocations_per_min": ("Invocations", "Sum"),
    "errors_per_min": ("Errors", "Sum"),
    "throttles_per_min": ("Throttles", "Sum"),
    "duration_max_ms": ("Duration", "Maximum"),
    "duration_p99_ms": ("Duration", "p99"),
    "concurrency_max": ("ConcurrentExecutions", "Maximum"),
}
"""Figures of a function with the metric and the statistic that they are made of."""


def of_json(snapshot: dict[str, Any]) -> Values:
    """Return the values of `snapshot --json`."""
    found: Values = {}
    for f in snapshot["functions"]:
        reserved = f["reserved_concurrency"] if f["reserved_concurrency_known"] else UNREAD
        fields = {"arn": f["arn"], "runtime": f["runtime"], "memory_mb": f["memory_mb"]}
        fields |= {"timeout_s": f["timeout_s"], "log_group": f["log_group"], "reserved": reserved}
        fields |= {"dlq_arn": f["dlq_arn"]}
        fields |= {name: UNREAD if f[name] is None else f[name] for name in METRICS}
        found |= {("function", f["name"], field): value for field, value in fields.items()}
    for m in snapshot["mappings"]:
        found |= {("mapping", m["uuid"], field): m[field] for field in MAPPING_FIELDS}
    for q in snapshot["queues"]:
        found |= {("queue", q["arn"], field): q[field] for field in QUEUE_FIELDS}
    for a in snapshot["alarms"]:
        function = a["target"]["name"] if a["target"] else None
        fields = {"actions": a["actions"], "of": function}
        found |= {("alarm", a["name"], field): value for field, value in fields.items()}
    limits = {q["name"]: q["limit"] for q in snapshot["quotas"]}
    return found | _account(limits)


MAPPING_FIELDS = (
    "source_arn", "function_arn", "state", "batch_size", "batching_window_s", "parallelization_factor",
    "max_concurrency",
    "max_retry_attempts", "max_record_age_s", "bisect_on_error", "partial_responses", "on_failure_arn",
    "starting_position",
)  # fmt: skip
QUEUE_FIELDS = (
    "visible", "in_flight", "delayed", "dlq_arn", "max_receive_count", "visibility_timeout_s", "retention_s",
)  # fmt: skip


def _account(limits: dict[str, Any]) -> Values:
    return {
        ("account", "concurrency", "limit"): limits.get("concurrent executions", UNREAD),
        ("account", "unreserved", "limit"): limits.get("unreserved pool", UNREAD),
    }


def of_table(text: str) -> Values:
    """Return the values of the plain tables."""
    found: Values = {}
    tables = plain_tables(text)
    for row in tables.get("FUNCTIONS", []):
        name = row["FUNCTION"]
        found[("function", name, "timeout_s")] = int(row["TIMEOUT"].removesuffix("s"))
        found[("function", name, "reserved")] = _count(row["RESERVED"])
    for row in tables.get("ALARMS IN STATE ALARM", []):
        found[("alarm", row["ALARM"], "of")] = row["OF"]
        found[("alarm", row["ALARM"], "actions")] = row["ACTIONS"].split(", ")
    limits = {row["QUOTA"]: _count(row["LIMIT"].removeprefix("~")) for row in tables.get("QUOTAS", [])}
    return found | _account(limits)


def plain_tables(text: str) -> dict[str, list[dict[str, str]]]:
    """Return the rows of each table by its title; columns begin where the head's words do."""
    found = {}
    for block in text.split("\n\n"):
        title, _, body = block.partition("\n")
        lines = body.splitlines()
        if len(lines) < 2:
            continue
        heads = [(m.group(), m.start(), m.end()) for m in re.finditer(r"\S+(?: \S+)*", lines[0])]
        found[title] = [_row(line, heads) for line in lines[1:]]
    return found


def _row(line: str, heads: list[tuple[str, int, int]]) -> dict[str, str]:
    """Return a line's cells: each belongs to the head that it overlaps (numbers stand under its end)."""
    row = {name: "" for name, _, _ in heads}
    for cell in re.finditer(r"\S+(?: \S+)*", line):
        for name, start, end in heads:
            if cell.start() < end and start < cell.end():
                row[name] = cell.group()
                break
    return row


def of_report(text: str) -> Values:
    """Return the values of the Markdown report."""
    found: Values = {}
    for row in markdown_rows(text):
        if "MEMORY MB" in row:
            fields: dict[str, Any] = {"runtime": row["RUNTIME"], "memory_mb": int(row["MEMORY MB"])}
            fields |= {
                "timeout_s": int(row["TIMEOUT"].removesuffix("s")),
                "reserved": _count(row["RESERVED"]),
            }
            fields |= {"dlq_arn": _name(row["DLQ"])}
            found |= {("function", row["FUNCTION"], field): value for field, value in fields.items()}
        elif "PARTIAL RESPONSES" in row:
            fields = {"source_arn": row["SOURCE"], "state": row["STATE"].partition(" ")[0]}
            fields |= {"batch_size": _set(row["BATCH"]), "max_concurrency": _set(row["MAX CONC"])}
            fields |= {"max_retry_attempts": _set(row["RETRIES"]), "on_failure_arn": _name(row["ON FAILURE"])}
            fields |= {"partial_responses": row["PARTIAL RESPONSES"] == "yes"}
            found |= {("mapping", row["UUID"], field): value for field, value in fields.items()}
        elif "VISIBILITY" in row:
            fields = {"visible": _count(row["VISIBLE"]), "in_flight": _count(row["IN FLIGHT"])}
            fields |= {"delayed": _count(row["DELAYED"]), "dlq_arn": _name(row["DLQ"])}
            fields |= {"visibility_timeout_s": int(row["VISIBILITY"].removesuffix("s"))}
            fields |= {"max_receive_count": _set(row["MAX RECEIVES"])}
            found |= {("queue", row["QUEUE"], field): value for field, value in fields.items()}
        elif "ALARM" in row:
            found[("alarm", row["ALARM"], "of")] = row["OF"]
            found[("alarm", row["ALARM"], "actions")] = row["ACTIONS"].split(", ")
    limits = {r["QUOTA"]: _count(r["LIMIT"].removeprefix("~")) for r in markdown_rows(text) if "QUOTA" in r}
    return found | _account(limits)


def markdown_rows(text: str) -> list[dict[str, str]]:
    """Return the rows of every table, by their heads, as a reader sees them."""
    rows, head = [], None
    for line in text.splitlines():
        if not line.startswith("| "):
            head = None
            continue
        cells = [_unmarked(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if head is None:
            head = cells
        elif not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            rows.append(dict(zip(head, cells, strict=True)))
    return rows


def _unmarked(cell: str) -> str:
    return re.sub(r"\\(.)", r"\1", cell.replace("`", ""))


def of_page(screen: str, name: str) -> Values:
    """Return the values of the page that the console shows of one function."""
    lines = [line.split("│")[1].strip() for line in screen.splitlines() if line.count("│") > 1]
    text = "\n".join(lines)

    def after(label: str) -> str:
        line = re.search(rf"^{re.escape(label)} +(\S.*)$", text, re.MULTILINE)
        return line.group(1).strip() if line else ""

    found: Values = {}
    runtime = re.match(r"(\S+)  \S+  (\d+) MB  timeout (\d+) s", after("runtime"))
    if runtime:
        found[("function", name, "runtime")] = runtime.group(1)
        found[("function", name, "memory_mb")] = int(runtime.group(2))
        found[("function", name, "timeout_s")] = int(runtime.group(3))
    reserved = re.search(r"reserved +(none|\d+|not known|not read)", text)
    if reserved:
        found[("function", name, "reserved")] = _count(reserved.group(1))
    found[("function", name, "arn")] = after("arn")
    found[("function", name, "log_group")] = after("log group").partition("  ")[0]
    found[("function", name, "dlq_arn")] = _name(after("async DLQ"))
    return found


def _count(text: str) -> Any:
    if text in ("-", "not known", "not read", ""):
        return UNREAD
    return None if text == "none" else int(text.replace(",", ""))


def _set(text: str) -> Any:
    """Return a setting, which a dash means is not set."""
    return None if text == "-" else int(text.replace(",", ""))


def _name(text: str) -> str | None:
    return None if text == "none" else text
