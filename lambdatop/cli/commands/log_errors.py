"""Ask Logs Insights for failures by kind, for volumes that one machine cannot read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from lambdatop.cli import exit_codes, stdio
from lambdatop.cli.compose import Parts, functions_of, wire
from lambdatop.cli.context import Context
from lambdatop.domain import units
from lambdatop.domain.errors import LambdatopError, UsageError
from lambdatop.domain.log_analysis.insights import (
    USD_PER_GIB,
    Found,
    KindIn,
    errors_query,
    kinds_in,
    price_usd,
)
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.sanitize import clean_line
from lambdatop.report.text import numbers
from lambdatop.report.text.table import text_table

ASK_FROM_USD = 0.01
SHOWN = 160
"""Characters of a sample on the terminal; the JSON holds more."""


def run(
    context: Context,
    targets: Sequence[str],
    span: tuple[float, float],
    *,
    as_json: bool,
    yes: bool,
    reveal: bool,
) -> int:
    """Estimate, ask where it costs, query, sum up; secrets are hidden unless `reveal` asks for them.

    `span` is from when to when, in s before now.
    """
    with wire(context, reads_only=True) as parts:
        found = asyncio.run(_query(parts, targets, span, yes=yes))
    if found is None:
        stdio.message("not confirmed; nothing was asked")
        return exit_codes.FAILED
    kinds = kinds_in(found.rows)
    if as_json:
        stdio.document(_json(found, kinds, reveal=reveal))
    elif kinds:
        stdio.data(_table(kinds, reveal=reveal))
    _report_cost(found)
    return exit_codes.DONE


async def _query(
    parts: Parts, targets: Sequence[str], span: tuple[float, float], *, yes: bool
) -> Found | None:
    backend = await parts.connect()
    try:
        groups = await _groups(backend, parts, targets)
        start, end = (parts.clock.now() - back_s for back_s in span)
        queries = backend.queries
        if queries is None:
            raise LambdatopError("This connection cannot ask Logs Insights.")
        if not _agreed(await queries.estimate_bytes(groups, start, end), groups, yes=yes):
            return None
        return await queries.run(groups, errors_query(), start, end)
    finally:
        await backend.close()


async def _groups(backend: Backend, parts: Parts, targets: Sequence[str]) -> list[str]:
    keys = [await backend.reader.find(target, ("function",)) for target in targets]
    world = await functions_of(backend, parts.clock.now())
    return sorted({world.functions[key].log_group for key in keys if key in world.functions})


def _agreed(about: int | None, groups: Sequence[str], *, yes: bool) -> bool:
    """Print what it scans and costs; above one cent, or where that is not known, somebody has to agree.

    Raises:
        UsageError: nobody can be asked.
    """
    where = units.plural(len(groups), "log group")
    if about is None:
        stdio.message(
            f"asking Logs Insights about {where}; how much it scans is not known (${USD_PER_GIB}/GiB)"
        )
    else:
        usd = price_usd(about)
        scans = f"scans about {units.size(about)}, {units.usd(usd)} at list price"
        stdio.message(f"asking Logs Insights about {where}: {scans}")
    if yes or (about is not None and price_usd(about) <= ASK_FROM_USD):
        return True
    answer = stdio.ask("Go on? Press y and Enter: ")
    if answer is None:
        raise UsageError("there is no terminal to ask on; agree with --yes")
    return answer.strip() in ("y", "Y")


def _shown(text: str, *, reveal: bool) -> str:
    return text if reveal else redact(text)[0]


def _table(kinds: Sequence[KindIn], *, reveal: bool) -> str:
    head = ("COUNT", "FIRST", "LAST", "LOG GROUP", "SAMPLE")
    rows = [
        (
            f"{kind.count:,}",
            numbers.moment(kind.first_at),
            numbers.moment(kind.last_at),
            group,
            clean_line(_shown(kind.headline, reveal=reveal), SHOWN),
        )
        for group, kind in kinds
    ]
    return text_table(head, rows, (0,))


def _json(found: Found, kinds: Sequence[KindIn], *, reveal: bool) -> dict[str, object]:
    return {
        "schema": "lambdatop.errors/1",
        "matched": found.matched,
        "rows": len(found.rows),
        "scanned_bytes": found.scanned_bytes,
        "usd": found.usd,
        "kinds": [
            {
                "count": kind.count,
                "first": numbers.moment_ms(kind.first_at),
                "last": numbers.moment_ms(kind.last_at),
                "log_group": group,
                "fingerprint": _shown(kind.fingerprint, reveal=reveal),
                "sample": _shown(kind.sample, reveal=reveal),
            }
            for group, kind in kinds
        ],
    }


def _report_cost(found: Found) -> None:
    words = "how much was scanned is not known"
    if found.scanned_bytes is not None:
        words = f"scanned {units.size(found.scanned_bytes)}, {units.usd(price_usd(found.scanned_bytes))}"
    if found.left_out:
        words += f"; the newest {len(found.rows):,} of {found.matched:,} matching lines were summed up"
    stdio.message(words)
