"""Show the search line of the log pane, and search its text."""

from __future__ import annotations

from textual.widgets import Input

from lambdatop.tui.style.spans import Spans, spans


class SearchLine(Input):
    """Of the class `filter`: what is typed behind its Enter waits until the match is marked."""

    def __init__(self) -> None:
        super().__init__(
            id="log-search",
            classes="filter",
            placeholder="search: regular expression or text; n older, N newer",
            compact=True,
        )


def words_of_search(text: str, note: str, place: tuple[int, int], *, busy: bool) -> Spans:
    """Return the search for the title: `"timeout" 3/17`; with a plus while older lines are still searched."""
    if not text:
        return ()
    at, count = place
    where = f" {at}/{count:,}" if at else f" {count:,}"
    more = "+" if busy else ""
    return spans(f"  “{text}”", where + more, (f" ({note})" if note else "", "warning"))
