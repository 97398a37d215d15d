"""Describe where the log pane's lines come from. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lambdatop.domain.loglines.tail import LogTail
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Spans, spans

LIVE = "live tail"
STARTING = "Live Tail is starting"


def way(tails: Iterable[LogTail], now: float) -> Spans:
    """Return `live, 1 s behind, $0.60/h  /aws/lambda/x`, or `polled 3 s ago, 4 s behind  …`."""
    read = [tail for tail in tails if tail.at]
    if not read:
        return ()
    live = [tail for tail in read if tail.via == LIVE]
    lags = [tail.lag_s for tail in read if tail.lag_s is not None]
    words = [_how(read, live, now)]
    if lags:
        words.append(f"{fmt.age(max(lags)) if max(lags) >= 1 else '<1s'} behind")
    seen = [tail.coverage for tail in live if tail.coverage is not None]
    if seen and min(seen) < 1:
        words.append(f"{fmt.percent(min(seen))} % of its updates whole")
    groups = sorted({tail.group for tail in read if tail.group})
    where = groups[0] if len(groups) == 1 else fmt.plural(len(groups), "log group")
    price = f", ${live[0].usd_per_hour:.2f}/h" if live and live[0].usd_per_hour else ""
    return spans((", ".join(words), "muted"), (price, "warning"), (f"  {where}", "muted"))


def _how(read: list[LogTail], live: list[LogTail], now: float) -> str:
    if len(live) == len(read):
        return "live"
    polled = [tail for tail in read if tail.via != LIVE]
    age = fmt.age(max(0.0, now - min(tail.at for tail in polled)))
    starting = ", live is starting" if any(tail.via_why == STARTING for tail in polled) else ""
    return (f"{len(live)} live, {len(polled)} " if live else "") + f"polled {age} ago{starting}"


def notes(tails: Iterable[LogTail], *, live_asked: bool) -> tuple[str, ...]:
    """Return notes about lines that may be missing, and why lines that should be live are polled."""
    said: dict[str, None] = {}
    for tail in tails:
        if not tail.complete:
            said[f"lines may be missing: {tail.gap}"] = None
        if live_asked and tail.via_why and tail.via_why != STARTING:
            said[tail.via_why] = None
    return tuple(said)
