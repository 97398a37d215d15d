"""The share of the labelled log lines that is read right, by runtime, and the lines that are not.

    python -m bench.log_corpus

`tests/corpus/loglines.jsonl` holds one line of a log a row, with what a person on call says of it. A line is
right when kind, level, request id, signature and the figures of a report are all as labelled:

- `kind` is `error` for what the platform or a runtime says of a failure, for an exception with its trace, and
  for what a logger wrote at level error or fatal in JSON or behind the prefix of a runtime. Other text of a
  program is `app`; its `level` says that it is an error, and the console shows both as one.
- `level` is the one that the writer gave; `signature` the known failure that the line shows.

The rows with a `source` come from public sources: an address, or repository and place, where a format string
carries a neutral message. They were labelled before the parser saw them; `at_first` says whether they were
read right then, before anything was changed for them: so much may be expected of lines nobody has looked at.
Set 2 was collected after the changes for set 1. `miss` says why a row is still read otherwise. `make corpus`
prints all this and fails below the floor that stands here.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lambdatop.domain.loglines.line import Report, parse

FILE = Path(__file__).resolve().parents[1] / "corpus/loglines.jsonl"
FLOOR = 0.97
RUNTIMES = (
    "platform", "python", "node", "java", "dotnet", "ruby", "go", "rust", "php", "extension", "custom",
    "sizes", "broken", "hostile",
)  # fmt: skip
"""How `style` begins; the last three are about size, broken JSON and hostile text instead of a runtime."""
FIELDS = ("kind", "level", "request_id", "signature", "report")

Row = dict[str, Any]


def rows() -> list[Row]:
    """Return the labelled lines."""
    return [json.loads(row) for row in FILE.read_text(encoding="utf-8").splitlines()]


def differences(row: Row) -> list[str]:
    """Return what is read otherwise than a row is labelled; nothing where it is read right."""
    line = parse(1.0, "e", "s", row["text"])
    labelled: Row = {field: row.get(field, "") for field in FIELDS}
    labelled["report"] = Report(**row["report"]) if "report" in row else None
    read = {field: getattr(line, field) for field in FIELDS}
    return [
        f"{name}: {labelled[name]!r} expected, {read[name]!r} read"
        for name in FIELDS
        if read[name] != labelled[name]
    ]


def runtime(row: Row) -> str:
    """Return what wrote the line, one of RUNTIMES."""
    return str(row["style"]).partition("-")[0]


def share(right: int, count: int) -> str:
    """Return "222 of 296 (75.0 %)"."""
    return f"{right} of {count} ({100 * right / max(count, 1):.1f} %)"


def scoreboard(labelled: Sequence[Row]) -> tuple[str, float]:
    """Return the lines to print, and the share that is read right (0 to 1)."""
    count, right = Counter[str](), Counter[str]()
    first, first_right = Counter[int](), Counter[int]()
    misses = []
    for number, row in enumerate(labelled, 1):
        wrong = differences(row)
        count[runtime(row)] += 1
        right[runtime(row)] += not wrong
        if "set" in row:
            first[row["set"]] += 1
            first_right[row["set"]] += bool(row["at_first"])
        if wrong:
            misses += [
                f"  line {number}, {row['style']}: {row['text'][:90]!r}",
                f"    {'; '.join(wrong)}",
                f"    {row.get('miss', 'no reason is given')}",
            ]
    made = [f"{name:10}{share(right[name], count[name])}" for name in RUNTIMES if count[name]]
    made += ["", f"{'all':10}{share(right.total(), count.total())}", ""]
    made += ["Before anything was changed for them:"]
    made += [f"  set {each}: {share(first_right[each], first[each])}" for each in sorted(first)]
    made += ["", f"Read otherwise than labelled: {count.total() - right.total()}", *misses]
    return "\n".join(made), right.total() / max(count.total(), 1)


def main() -> int:
    """Print the scoreboard; return 1 below the floor."""
    text, found = scoreboard(rows())
    print(text)
    return 0 if found >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
