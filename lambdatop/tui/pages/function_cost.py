"""Write what a function costs: parts, the exact figure beside the estimate, waste, the account. Pure."""

from __future__ import annotations

from textwrap import wrap

from lambdatop.domain.cost.burn import AccountBurn, Burn
from lambdatop.domain.cost.prices import Prices
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.log_analysis.figures import Exact
from lambdatop.domain.log_analysis.reader import Learned
from lambdatop.domain.state.snapshot import FunctionRow
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, fit, spans
from lambdatop.tui.style.theme import TIMES

LABEL, VALUE, GAP = 17, 12, 3
NOT_READ = "not read"


def burn_section(
    row: FunctionRow,
    account: AccountBurn,
    learned: Learned | None,
    width: int,
    none: str = "no metrics yet",
    *,
    stale: bool = False,
) -> Spans:
    """Return the section of one function; without metrics it is `none`."""
    burn = row.burn
    if burn is None:
        memory = row.facts.memory_mb
        why = f"its memory size is {memory.words}" if isinstance(memory, NotKnown) else none
        return spans(("\nburn", "accent"), "\n", (f"{why}\n", "muted"))
    exact = learned.exact if learned is not None else None
    pieces = [Span("\nburn", "accent"), Span(f"  {_headline(burn, exact)}", "stale" if stale else "")]
    pieces += [Span("\n"), *_parts(burn, width, stale=stale)]
    for words, slot in _notes(row, burn, account, exact):
        pieces += [Span(f"{line}\n", slot) for line in wrap(words, width)]
    return tuple(pieces)


def _headline(burn: Burn, exact: Exact | None) -> str:
    """Return `≈ $0.0029/h, exact $0.0031/h over 10 min`."""
    text = f"≈ {fmt.usd(burn.total)}/h"
    if exact is None:
        return text
    least = "" if exact.complete else "at least "
    return f"{text}, exact {least}{fmt.usd(exact.usd_per_hour)}/h over {fmt.span(exact.over_s)}"


def _parts(burn: Burn, width: int, *, stale: bool) -> Spans:
    wasted = burn.wasted
    bad = "warning" if wasted and wasted >= burn.usage / 2 else ""
    cells = [
        ("duration $/h", fmt.usd(burn.duration), ""),
        ("requests $/h", fmt.usd(burn.requests), ""),
        ("extra /tmp $/h", fmt.usd(burn.ephemeral), ""),
        ("provisioned $/h", NOT_READ if burn.provisioned is None else fmt.usd(burn.provisioned), ""),
        ("logs $/h", fmt.usd(burn.logs), ""),
        ("wasted $/h", fmt.usd(wasted), bad),
    ]
    if burn.durable != 0:
        cells.append(("durable $/h", NOT_READ if burn.durable is None else fmt.usd(burn.durable), ""))
    columns = max(1, min(3, width // (LABEL + VALUE + 5)))
    per_column = -(-len(cells) // columns)
    pieces: list[Span] = []
    for line in range(per_column):
        for name, text, slot in cells[line::per_column]:
            pieces += [Span(f"{name:<{LABEL}}", "muted")]
            pieces += [*fit(spans((text, "stale" if stale else slot)), VALUE, "right"), Span(" " * GAP)]
        pieces.append(Span("\n"))
    return tuple(pieces)


def _notes(row: FunctionRow, burn: Burn, account: AccountBurn, exact: Exact | None) -> list[tuple[str, str]]:
    said = [(prices_words(account.prices, burn.borrowed), "muted")]
    if besides := (*row.facts.billed_besides, *burn.besides):
        said.append((f"not counted: {'; '.join(besides)}", "warning"))
    if exact is not None:
        said.append(("exact: billed durations of REPORT lines and their requests, nothing else", "muted"))
    if burn.log_writers > 1:
        said.append((f"log group shared by {burn.log_writers} functions: split by invocations", "muted"))
    if account.usd_per_hour is not None:
        said.append((account_words(account), "muted"))
    return said


def prices_words(prices: Prices, borrowed: frozenset[str]) -> str:
    """Return the region and date of the prices, and which of them are us-east-1's for lack of own ones."""
    words = f"estimate at list price of {prices.region}, {prices.as_of}"
    if prices.set_by:
        words += f", with prices of {' and '.join(prices.set_by)}"
    if borrowed:
        names = ", ".join(sorted(name.replace("_", " ") for name in borrowed))
        words += f"; us-east-1 price for {names}"
    return words


def account_words(account: AccountBurn) -> str:
    """Return the account's total, the projection, and how much runs against yesterday and a week ago."""
    words = f"account {fmt.usd(account.usd_per_hour)}/h"
    if account.wasted_usd_per_hour:
        words += f", wasted {fmt.usd(account.wasted_usd_per_hour)}/h"
    if account.until is not None:
        words += f"; until {fmt.moment(account.until)[5:16]}Z it costs {fmt.usd(account.projected_usd)}"
    compared = [f"{_times(account.vs_yesterday)} yesterday", f"{_times(account.vs_week)} a week ago"]
    return f"{words}; duration {', '.join(compared)}"


def _times(value: float | None) -> str:
    return f"{fmt.ratio(value)} {TIMES}" if value is not None else fmt.UNKNOWN
