"""Show errors by kind from Logs Insights: the cost first, the query on Enter, then the kinds."""

from __future__ import annotations

import concurrent.futures
import textwrap
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Literal

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.insights import USD_PER_GIB, ErrorsFound, Scan
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.sanitize import clean_line
from lambdatop.tui.bindings import bindings
from lambdatop.tui.closing import Modal
from lambdatop.tui.futures import background, ending
from lambdatop.tui.host import Host, host_of
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, clip, fit, spans

MINUTES = (5.0, 15.0, 30.0, 60.0, 180.0)
PREFIX = "/aws/lambda/"
COUNT, AGE = 7, 6
AROUND = 6
"""Lines of the dialog that are not kinds: borders, title, price, heads, keys."""

State = Literal["estimating", "ready", "asking", "stopped", "answered", "failed"]
KEYS: dict[State, tuple[tuple[str, str], ...]] = {
    "estimating": (("+ -", "minutes"), ("Esc", "leaves")),
    "ready": (("Enter", "asks"), ("+ -", "minutes"), ("Esc", "leaves")),
    "asking": (("Esc", "stops the query"),),
    "stopped": (("Enter", "asks again"), ("+ -", "minutes"), ("Esc", "leaves")),
    "answered": (("↓ ↑", "scroll"), ("Enter", "begins anew"), ("+ -", "minutes"), ("Esc", "leaves")),
    "failed": (("Enter", "begins anew"), ("+ -", "minutes"), ("Esc", "leaves")),
}

STATE: dict[State, tuple[tuple[str, str], ...]] = {
    "asking": (("asking…   ", "muted"),),
    "stopped": (("the query was stopped   ", "warning"),),
}


def price_words(scan: Scan, minutes: float) -> str:
    """Return what a query would scan and cost."""
    groups = fmt.plural(len(scan.groups), "log group")
    if scan.left_out:
        groups = f"the first {groups} of {len(scan.groups) + scan.left_out:,}"
    where = f"{groups}, last {minutes:.0f} min"
    if scan.about_bytes is None or scan.usd is None:
        return f"{where}: how much it scans is not known (${USD_PER_GIB} per GiB at list price)"
    return f"{where}: scans about {fmt.size(scan.about_bytes)}, {fmt.usd(scan.usd)} at list price"


def cost_words(found: ErrorsFound) -> str:
    """Return what the answer cost, and what it leaves out."""
    words = "how much it scanned is not known"
    if found.scanned_bytes is not None:
        words = f"scanned {fmt.size(found.scanned_bytes)}, {fmt.usd(found.usd)} at list price"
    if found.left_out:
        rest = f"the newest {found.matched - found.left_out:,} of {found.matched:,} matching lines"
        words += f"; only {rest} were looked at"
    return words


def head_line(width: int) -> Spans:
    """Return the heads of the columns."""
    return _row(("count", "first", "last", "log group", "newest of its kind"), width, "muted")


def kind_lines(found: ErrorsFound, now: float, width: int) -> Spans:
    """Return a line for each kind, the most frequent first.

    Secrets are masked.
    """
    if not found.kinds:
        of = "the newest lines that were summed up" if found.left_out else "the lines in that time"
        return spans((f"no errors: none of {of} tells of a failure", "muted"))
    pieces: list[Span] = []
    for group, kind in found.kinds:
        ages = fmt.age(now - kind.first_at), fmt.age(now - kind.last_at)
        text = redact(clean_line(kind.headline or kind.fingerprint, 2048))[0]
        short = clean_line(group.removeprefix(PREFIX), 512)
        pieces += [*_row((f"{kind.count:,}", *ages, short, text), width), Span("\n")]
    return tuple(pieces[:-1])


def _row(cells: tuple[str, str, str, str, str], width: int, slot: str = "") -> Spans:
    count, first, last, group, text = cells
    room = max(10, min(40, width // 4))
    pieces = [*fit(spans((count, slot or "critical")), COUNT, "right"), Span(" ")]
    for age in (first, last):
        pieces += [*fit(spans((age, slot or "muted")), AGE, "right"), Span(" ")]
    pieces += [*fit(spans((group, slot or "accent")), room), Span(" ")]
    return (*pieces, Span(clip(text, max(10, width - COUNT - 2 * AGE - room - 4)), slot))


class LogErrorsScreen(Modal[None]):
    """Estimates at once; nothing is asked before Enter, and a query that nobody waits for is stopped."""

    BINDINGS = bindings("dialog", "insights")

    def __init__(self, functions: frozenset[Key], minutes: float = 15) -> None:
        super().__init__()
        self._functions = functions
        self._minutes = float(minutes)
        self._state: State = "estimating"
        self._scan: Scan | None = None
        self._found: ErrorsFound | None = None
        self._words = ""
        self._asked: Future[Any] | None = None

    @property
    def console_app(self) -> Host:
        """The app, by what its parts use of it."""
        return host_of(self)

    def compose(self) -> ComposeResult:
        """Yield title, price, heads, kinds, keys."""
        with Vertical(id="dialog"):
            yield Static("", id="title", markup=False)
            yield Static("", id="price", markup=False)
            yield Static("", id="heads", markup=False)
            with VerticalScroll(id="body", can_focus=False):
                yield Static("", id="kinds", markup=False)
            yield Static("", id="keys-here", markup=False)

    def on_mount(self) -> None:
        """Estimate."""
        names = sorted(key.id for key in self._functions)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        self._put("#title", spans(("errors by kind in ", "muted"), (", ".join(names[:3]) + more, "accent")))
        self._estimate()

    def on_unmount(self) -> None:
        """Cancel whatever is under way."""
        self._stop()

    def on_resize(self) -> None:
        """Cut the lines for another size."""
        self._show()

    # -- keys ------------------------------------------------------------------------------------

    def action_ask(self) -> None:
        """Ask what was estimated; after an answer estimate anew, since time has gone on."""
        if self._state in ("ready", "stopped") and self._scan is not None:
            scan, self._state = self._scan, "asking"
            self._await(lambda: self.console_app.engine.log_errors(scan), self._answered)
        elif self._state in ("answered", "failed"):
            self._estimate()

    def action_minutes(self, direction: int) -> None:
        """Choose the next longer or shorter period."""
        if self._state == "asking":
            return
        longer = [m for m in MINUTES if m > self._minutes]
        shorter = [m for m in MINUTES if m < self._minutes]
        if wanted := longer[:1] if direction > 0 else shorter[-1:]:
            self._minutes = wanted[0]
            self._estimate()

    def action_cancel(self) -> None:
        """Stop the query that runs; close when none does."""
        if self._state != "asking":
            self.dismiss()
            return
        self._stop()
        self._state = "stopped"
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable what does not apply: there is nothing to confirm or to read again."""
        return action in ("cancel", "scroll_body", "ask", "minutes")

    # -- questions -------------------------------------------------------------------------------

    def _estimate(self) -> None:
        self._state, self._scan, self._found = "estimating", None, None
        engine, functions, minutes = self.console_app.engine, self._functions, self._minutes
        self._await(lambda: engine.log_scan(functions, minutes), self._estimated)

    def _estimated(self, scan: Scan) -> None:
        self._scan, self._state = scan, "ready"

    def _answered(self, found: ErrorsFound) -> None:
        self._found, self._state = found, "answered"

    def _await(self, ask: Callable[[], Future[Any]], take: Callable[[Any], None]) -> None:
        self._stop()
        self._asked = future = ask()
        self._show()
        background(self, partial(self._wait, future, take))

    async def _wait(self, future: Future[Any], take: Callable[[Any], None]) -> None:
        try:
            answer = await ending(future)
        except concurrent.futures.CancelledError:
            return
        except LambdatopError as error:
            if future is self._asked:
                self._state, self._words = "failed", str(error)
        else:
            if future is self._asked:
                take(answer)
        if self.is_on_stack:
            self._show()

    def _stop(self) -> None:
        future, self._asked = self._asked, None
        if future is not None:
            future.cancel()

    # -- what is shown ---------------------------------------------------------------------------

    def _show(self) -> None:
        found, width = self._found, max(40, min(160, self.app.size.width) - 5)
        self._put("#price", self._status())
        self._put("#heads", head_line(width) if found is not None and found.kinds else ())
        self._put("#kinds", kind_lines(found, self.console_app.now(), width) if found is not None else ())
        keys: list[str | tuple[str, str]] = list(STATE.get(self._state, ()))
        for key, what in KEYS[self._state]:
            keys += [(key, "accent"), (f" {what}   ", "muted")]
        self._put("#keys-here", spans(*keys))
        wrapped = len(textwrap.wrap(self._price_text(), width)) - 1
        self.query_one("#body").styles.max_height = max(3, self.app.size.height - AROUND - wrapped)

    def _status(self) -> Spans:
        return spans((self._price_text(), "warning" if self._state == "failed" else ""))

    def _price_text(self) -> str:
        if self._state == "estimating":
            return f"last {self._minutes:.0f} min: estimating what it scans…"
        if self._state == "answered" and self._found is not None:
            return f"last {self._minutes:.0f} min: {cost_words(self._found)}"
        if self._state == "failed" or self._scan is None:
            return self._words
        return price_words(self._scan, self._minutes)

    def _put(self, selector: str, pieces: Spans) -> None:
        static = self.query_one(selector, Static)
        static.update(self.console_app.inks.content(pieces))
        static.display = bool(pieces)
