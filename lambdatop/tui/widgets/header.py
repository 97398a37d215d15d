"""Make header, banner, tabs and key hints as pure lines, and show them in small widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.reactive import reactive
from textual.widgets import Static

from lambdatop.domain.endpoint import foreign
from lambdatop.domain.facts.not_read import Gap, lost_reads
from lambdatop.domain.mitigations.drain import OPERATION as DRAIN
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.sections import section
from lambdatop.domain.state.snapshot import Mode, SourceRow
from lambdatop.tui.frame import EMPTY_FRAME, Frame
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Item, Span, Spans, bar, clip, fit, spans, width_of
from lambdatop.tui.style.theme import OFF, ON, inks_of

EXPIRES_SOON_S = 900.0
UNDER_WAY_S = 60.0
"""An intent that is younger is most likely being carried out right now, here or in another console."""
WIDE = 110
GAP = 2
"""Cells between two items of a line."""
CONNECTION = "connection"
"""The engine's source that stands for the connection itself."""
SOURCE_SLOT = {"ok": "ok", "starting": "faint", "stale": "stale", "throttled": "warning"}


def first_line(frame: Frame, mode: Mode, notice: str, width: int) -> Spans:
    """Return who and where we are, and what this process may do."""
    target = frame.target
    left = [Item(spans((" lambdatop", "accent")))]
    if target is None:
        taken = width_of(left[0].pieces) + width_of(badges(frame, mode)[-1].pieces) + 2 * GAP
        words = whole_words(frame.trouble, width - taken) or "connecting…"
        left.append(Item(spans((words, "warning" if frame.trouble else "muted"))))
    else:
        account = target.scope.account
        name = spans(target.alias, (f" {account}", "muted")) if target.alias else spans(account)
        left += [Item(name), Item(spans(target.scope.region))]
        left.append(Item(spans((short_identity(target.identity), "muted")), 6))
        if target.endpoint:
            slot = "warning" if foreign(target.endpoint) else "muted"
            left.append(Item(spans((target.endpoint, slot)), 3))
    standing = target.notice if target and target.notice else notice
    right = [Item(spans((standing, "warning")), 2), Item(paused(frame))]
    return bar(left, [*right, *badges(frame, mode)], width, GAP)


def whole_words(sentence: str, width: int) -> str:
    """Return how a sentence begins, cut behind a word or in a long one; the panes show its end, too."""
    cut = clip(sentence, width)
    words = cut.rpartition(" ")[0]
    return f"{words} …" if cut != sentence and 3 * len(words) > 2 * len(cut) else cut


def badges(frame: Frame, mode: Mode) -> tuple[Item, ...]:
    """Return what this process may do, and why; read-only that --write lifted stays mentioned."""
    target, how = frame.target, frame.settings.mode
    if mode == "read-only":
        why = short_origin((target.forced if target else "") or how.origin)
        return (Item(spans((why, "muted") if why else ""), 5), Item(spans(("READ-ONLY", "ok"), " ")))
    lifted = how.lifted or (target.lifted if target else "")
    return (Item(spans(("WRITE (lifted)" if lifted else "OPERATOR", "warning"), " ")),)


def short_origin(origin: str) -> str:
    """Return --read-only for `flag --read-only`, profile prod for `…/config.yaml:3 (profile prod)`."""
    if origin.endswith(")"):
        return origin[:-1].rpartition("(")[2]
    if origin.startswith("session_policy"):
        return "session_policy"
    return origin.rpartition("/")[2].rpartition(" ")[2]


def second_line(frame: Frame, width: int) -> Spans:
    """Return health of the sources, alarms, credentials, and what lambdatop itself costs."""
    snapshot = frame.snapshot
    left = [Item(sources(snapshot.sources, snapshot.gaps, width))]
    if snapshot.alarms:
        left.append(Item(spans((fmt.plural(len(snapshot.alarms), "alarm"), "warning")), 2))
    spend = snapshot.spend
    over = spend.budget_usd_per_hour and spend.usd_per_hour >= spend.budget_usd_per_hour
    # Without a budget (the demo: nobody bills) there is nothing to hold the rate against.
    short = snapshot.polling is not None and width < WIDE
    known = spend.budget_usd_per_hour and (over or not short)
    budget = f" of {fmt.usd(spend.budget_usd_per_hour)}" if known else ""
    rate = f"{fmt.usd(spend.usd_per_hour)}{budget}/h"
    label, after = ("own ", ", ") if short else ("own API calls ", " in all, ")
    cost = spans(
        (label, "muted"), fmt.usd(spend.usd), (after, "muted"), (rate, "warning" if over else "muted")
    )
    right = [*looks(frame), Item(expiry(frame), 1), Item(cost, 3)]
    right.append(Item(spans((f"{fmt.clock(frame.now)}Z", "muted")), 6) if frame.now else Item(()))
    return (*bar(left, right, width - 1), Span(" "))


def looks(frame: Frame) -> tuple[Item, ...]:
    """Return how soon a cold function is discovered, and how often rows are asked for where that is slow."""
    polling = frame.snapshot.polling
    if polling is None or polling.spending == "unlimited":
        return ()
    slow = polling.detail_s > polling.wire_s
    bound = "warning" if polling.spending == "wrong" and polling.slowed else "muted"
    detail = (f"rows {fmt.age(polling.detail_s)}", bound if slow else "muted")
    found = (f"discovery {fmt.age(polling.discovery_s)}", bound)
    return Item(spans(found), 4), Item(spans(detail) if slow else (), 5)


def short_identity(identity: str) -> str:
    """Return a short identity: `arn:aws:sts::1:assumed-role/Operator/alice` is Operator/alice."""
    return identity.rsplit(":", 1)[-1].removeprefix("assumed-role/").removeprefix("user/")


def sources(rows: Sequence[SourceRow], gaps: Sequence[Gap], width: int) -> Spans:
    """Return one dot per source and how many are well; those that are not are named.

    A source of which single reads brought nothing answers, but is not well.
    """
    if not rows:
        return spans((" sources: none has answered yet", "muted"))
    partly = {r.name: lost for r in rows if r.state == "ok" and (lost := lost_reads(r.name, gaps))}
    dots = [
        (
            ON if r.state == "ok" else OFF,
            "warning" if r.name in partly else SOURCE_SLOT.get(r.state, "critical"),
        )
        for r in rows
    ]
    well = sum(r.state == "ok" and r.name not in partly for r in rows)
    words: list[tuple[str, str]] = []
    for row in rows:
        if row.state not in ("ok", "starting"):
            action = f" ({row.action})" if row.action else ""
            slot = SOURCE_SLOT.get(row.state, "critical")
            words.append((f"  {row.name} {row.state}{action if width >= 100 else ''}", slot))
    words += [(f"  {name} {lost}", "warning") for name, lost in partly.items()]
    return spans(" ", *dots, (f" {well}/{len(rows)} ok", "muted"), *_named(words, width // 2 - len(dots)))


def _named(words: list[tuple[str, str]], room: int) -> list[tuple[str, str]]:
    """Return what fits, at least one, and how many more there are: the right end tells what is urgent."""
    used = 0
    for count, (text, _) in enumerate(words):
        used += len(text)
        if count and used > room:
            return [*words[:count], (f"  +{len(words) - count} more", words[count][1])]
    return words


def expiry(frame: Frame) -> Spans:
    """Return how long the credentials live."""
    target = frame.target
    if target is None or target.credentials_expire_at is None:
        return ()
    left = target.credentials_expire_at - frame.now
    if left <= 0:
        return spans(("credentials EXPIRED", "critical"))
    slot = "warning" if left < EXPIRES_SOON_S else "muted"
    return spans((f"credentials {fmt.span(left)}", slot))


def paused(frame: Frame) -> Spans:
    """Return the badge of a paused display."""
    if frame.paused_at is None:
        return ()
    return spans((f"PAUSED {fmt.clock(frame.paused_at)}Z", "warning"))


def disconnected(frame: Frame) -> tuple[Spans, ...]:
    """Return why figures stand still, once there were some: the connection is lost and is tried again."""
    lost = next((r for r in frame.snapshot.sources if r.name == CONNECTION and r.state == "failed"), None)
    if lost is None or frame.target is None:
        return ()
    words = f" {lost.error or 'the connection is lost'} What is shown is kept; :login logs in "
    return (spans((words, "critical")),)


def banners(frame: Frame) -> tuple[Spans, ...]:
    """Return lines that must not be missed: mutations without outcome, and a paused display."""
    lines = [*disconnected(frame)]
    open_ones = frame.snapshot.open_intents
    under_way = sum(e.outcome == "open" and 0 <= frame.now - e.at < _lasts_s(e) for e in open_ones)
    if under_way:
        lines.append(spans((f" {fmt.plural(under_way, 'mutation')} under way: J shows it ", "warning")))
    if len(open_ones) > under_way:
        words = f" {fmt.plural(len(open_ones) - under_way, 'mutation')} without outcome: press J "
        lines.append(spans((words, "critical")))
    overridden = len(frame.snapshot.overridden)
    if overridden:
        words = f" somebody changed {fmt.plural(overridden, 'setting')} of ours since: press J "
        lines.append(spans((words, "critical")))
    if frame.paused_at is not None:
        # A time, and no age: a screen that stands still writes nothing to a slow line.
        words = (
            f" PAUSED at {fmt.clock(frame.paused_at)}Z: everything, ages too, is as it was then. p resumes "
        )
        lines.append(spans((words, "warning")))
    return tuple(lines)


def _lasts_s(entry: Entry) -> float:
    """Return how long a mutation may take before its open intent deserves attention, s."""
    return UNDER_WAY_S * 10 if entry.call.operation == DRAIN else UNDER_WAY_S


class Lines(Static):
    """Lines that a function makes of a frame and a width; repainted only when they differ."""

    frame: reactive[Frame] = reactive(EMPTY_FRAME, repaint=False)

    def __init__(self, make: Callable[[Frame, int], Sequence[Spans]], *, id: str) -> None:
        super().__init__("", id=id, markup=False)
        self._make = make
        self._shown: object = None
        self._height = -1

    def on_mount(self) -> None:
        """Show the frame that may have come already."""
        self.refresh_lines()

    def on_resize(self) -> None:
        """Render the lines for another width."""
        self.refresh_lines()

    def watch_frame(self) -> None:
        """Show a new frame (the watcher also runs before the widget stands)."""
        if self.is_mounted:
            self.refresh_lines()

    def refresh_lines(self) -> None:
        """Make the lines and show them."""
        width = self.size.width or self.app.size.width
        lines = section(
            f"the line {self.id}",
            lambda: tuple(self._make(self.frame, width)),
            lambda sentence: (spans((clip(sentence, width), "critical")),),
        )
        inks = inks_of(self.app)
        if (lines, inks) != self._shown:
            self._shown = (lines, inks)
            joined: list[Span] = []
            for line in lines:
                joined += [Span("\n"), *line] if joined else [*line]
            # A clock that ticks must not have the whole screen arranged anew each second.
            self.update(inks.content(joined), layout=len(lines) != self._height)
            self._height = len(lines)
            self.display = bool(lines)


def hints_line(hints: Sequence[tuple[str, str, int, bool]], width: int) -> Spans:
    """Return key hints (key, label, rank, usable) in one line; those with high ranks leave first."""
    items = [
        Item(
            spans((key, "accent" if usable else "faint"), (f" {label}", "muted" if usable else "faint")), rank
        )
        for key, label, rank, usable in hints
    ]
    return fit((Span(" "), *bar(items, [], max(0, width - 2))), width)
