"""Show who changed this lately, by CloudTrail, which is late and slow, so only on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.facts.principal import SHOWN_AFTER_S, TrailEvent
from lambdatop.tui.bindings import bindings
from lambdatop.tui.closing import Modal
from lambdatop.tui.futures import background, ending
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, fit, spans
from lambdatop.tui.style.theme import inks_of

LATE = (
    f"CloudTrail lags by about {fmt.span(SHOWN_AFTER_S)} and covers only the last days: "
    "a recent change may still appear."
)
AGE, NAME, WHO = 9, 30, 22


def trail_lines(events: Sequence[TrailEvent], now: float, width: int) -> Spans:
    """Return events, newest first: how long ago, what, who, from where, and why it was refused if it was."""
    if not events:
        return spans(("no change in the last days, as far as CloudTrail shows", "muted"))
    pieces: list[Span] = []
    for event in events:
        pieces += fit(spans((f"{fmt.age(now - event.at)} ago", "muted")), AGE)
        pieces += [*fit(spans((event.name, "warning" if event.error else "")), NAME), Span(" ")]
        pieces += [*fit(spans((event.who, "accent")), WHO), Span(" ")]
        tail = f"REFUSED: {event.error}" if event.error else event.source_ip
        pieces += fit(spans((tail, "muted")), max(10, width - AGE - NAME - WHO - 2))
        pieces.append(Span("\n"))
    return tuple(pieces)


class WhoScreen(Modal[None]):
    """Reads, then lists. Esc closes, whether or not the answer has come."""

    BINDINGS = bindings("dialog")

    def __init__(
        self, what: str, ask: Callable[[], Future[tuple[TrailEvent, ...]]], now: Callable[[], float]
    ) -> None:
        super().__init__()
        self._what = what
        self._ask = ask
        self._now = now

    def compose(self) -> ComposeResult:
        """Yield title, list, and explanation."""
        inks = inks_of(self.app)
        with Vertical(id="dialog"):
            title = spans(("who changed ", "muted"), (self._what, "accent"))
            yield Static(inks.content(title), id="title", markup=False)
            with VerticalScroll(id="body"):
                yield Static(inks.content(spans(("asking CloudTrail…", "muted"))), id="events", markup=False)
            yield Static(inks.content(spans((LATE, "muted"))), id="late", markup=False)
            yield Static(inks.content(spans(("Esc", "accent"), (" closes", "muted"))), markup=False)

    def on_mount(self) -> None:
        """Ask."""
        background(self, self._read, exclusive=True)

    async def _read(self) -> None:
        inks, width = inks_of(self.app), max(60, self.query_one("#body").size.width)
        try:
            events = await ending(self._ask())
            pieces = trail_lines(events, self._now(), width)
        except LambdatopError as error:
            pieces = spans((str(error), "warning"))
        if self.is_on_stack:
            self.query_one("#events", Static).update(inks.content(pieces))

    def action_cancel(self) -> None:
        """Close."""
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable what does not apply: there is nothing to confirm or to read again."""
        return action in ("cancel", "scroll_body")
