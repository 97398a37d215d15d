"""Show the API spend: requests and USD by operation, and how often each metric is read."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.state.world import Spend
from lambdatop.tui.bindings import bindings
from lambdatop.tui.closing import Modal
from lambdatop.tui.frame import Frame
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, fit, spans
from lambdatop.tui.style.theme import inks_of

LIST_PRICE = (
    "List prices without free tiers; requests of FIFO queues cost more. Free requests are counted, too."
)
NAME, COUNT, USD = 34, 11, 12


def spend_lines(spend: Spend) -> Spans:
    """Return one line for each API, the most expensive first.

    Then the sum, and what it comes to in an hour.
    """
    usd = dict(spend.usd_by_call)
    rows = sorted(spend.calls, key=lambda row: (-usd.get(row[0], 0.0), -row[1], row[0]))
    pieces = [*_row("API", "requests", "USD", "muted")]
    for name, count in rows:
        cost = usd.get(name, 0.0)
        pieces += _row(name, f"{count:,}", fmt.usd(cost) if cost else "free", "" if cost else "faint")
    pieces += _row("all", f"{sum(count for _, count in rows):,}", fmt.usd(spend.usd), "accent")
    budget = f" of a budget of {fmt.usd(spend.budget_usd_per_hour)}" if spend.budget_usd_per_hour else ""
    return (*pieces, *spans(("this hour ", "muted"), f"{fmt.usd(spend.usd_per_hour)}/h{budget}"))


def _row(name: str, count: str, usd: str, slot: str) -> list[Span]:
    text = f"{count:>{COUNT}}{usd:>{USD}}"
    return [*fit(spans((name, slot)), NAME), Span(text, slot), Span("\n")]


def polling_lines(polling: PollingStatus | None) -> Spans:
    """Return how often each metric is asked for, and what the budget slowed down."""
    if polling is None:
        return spans(("How often metrics are asked for is not known yet: none have been read.", "muted"))
    if polling.spending == "unlimited":
        return spans(("There is no budget: everything is asked for in every round.", "muted"))
    why = f": {polling.why}" if polling.why else ""
    spending = "Nothing is wrong: the calm budget" if polling.spending == "calm" else f"The whole budget{why}"
    found = f"Any other is discovered within {fmt.age(polling.discovery_s)}."
    words = [
        f"{spending}. Planned {fmt.usd(polling.usd_per_hour)}/h, "
        f"{polling.calls_per_min:.1f} requests a minute.",
        f"Totals every {fmt.age(polling.wire_s)}; rows on screen and hot functions "
        f"every {fmt.age(polling.detail_s)}.",
        f"A function that moves a total is found within {fmt.age(polling.mover_s)}. {found}",
    ]
    slowed = [(f"{words}\n", "warning") for words in (polling.slowed, polling.note) if words]
    return spans(*[(f"{line}\n", "muted") for line in words], *slowed)


class SpendScreen(Modal[None]):
    """As it was when it was opened; Esc closes."""

    BINDINGS = bindings("dialog")

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self._frame = frame

    def compose(self) -> ComposeResult:
        """Yield title, list, plan."""
        inks, snapshot = inks_of(self.app), self._frame.snapshot
        with Vertical(id="dialog"):
            title = spans(("API spend", "accent"))
            yield Static(inks.content(title), id="title", markup=False)
            with VerticalScroll(id="body"):
                yield Static(inks.content(spend_lines(snapshot.spend)), markup=False)
                yield Static("", markup=False)
                yield Static(inks.content(polling_lines(snapshot.polling)), markup=False)
            yield Static(inks.content(spans((LIST_PRICE, "muted"))), markup=False)
            yield Static(inks.content(spans(("Esc", "accent"), (" closes", "muted"))), markup=False)

    def action_cancel(self) -> None:
        """Close."""
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable what does not apply: there is nothing to confirm or to read again."""
        return action in ("cancel", "scroll_body")
