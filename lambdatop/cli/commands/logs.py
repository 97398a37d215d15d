"""Tail functions' logs, from their configured log groups, without the console."""

from __future__ import annotations

import argparse
import asyncio
import gc
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager

from lambdatop.cli import exit_codes, stdio
from lambdatop.cli.compose import Parts, functions_of, source_of, wire
from lambdatop.cli.context import Context, settle
from lambdatop.cli.options import parse_age
from lambdatop.domain.errors import SourceError, UsageError
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine, Report
from lambdatop.domain.loglines.redact import redact_all
from lambdatop.domain.ports.aws import Backend, Source, View
from lambdatop.domain.ports.log_export import LogExport, Text
from lambdatop.domain.search.automaton import PatternError
from lambdatop.domain.search.patterns import Pattern, linear_pattern
from lambdatop.domain.sources import LOGS
from lambdatop.domain.state.events import LogsObserved
from lambdatop.domain.state.world import World
from lambdatop.report.text.numbers import moment_of_ms

COLLECT_AFTER = 50_000
"""New objects between two collections of cycles while whole logs are read."""

LIVE_PACE_S = 1.0
"""Live Tail sends an update each second."""
_COUNTDOWN = re.compile(r" in \d+ s$")
"""What alone of a way is other at every look, and no news."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("functions", nargs="+", metavar="FUNCTION", help="names or ARNs")
    parser.add_argument("-f", "--follow", action="store_true", help="continue until Ctrl-C")
    parser.add_argument(
        "--live",
        action="store_true",
        help="with --follow: Live Tail, billed by the minute",
    )
    parser.add_argument(
        "--since",
        default="10m",
        metavar="WHEN",
        help="from when on: 30s, 1h30m, 1w, '10 min ago', 10:15, 2026-11-30T12:00Z (default 10m)",
    )
    parser.add_argument("--until", metavar="WHEN", help="up to when (default: now), written like --since")
    parser.add_argument("--grep", metavar="RE", help="only lines in which this regular expression is found")
    parser.add_argument(
        "--errors",
        action="store_true",
        help="failures by kind from Logs Insights: the scanned volume and its cost are shown first",
    )
    parser.add_argument(
        "--yes", action="store_true", help="with --errors: run the query without confirmation"
    )
    parser.add_argument(
        "--reveal", action="store_true", help="show secrets, which are hidden as in the console (best effort)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document a line")


def run(args: argparse.Namespace) -> int:
    """Print lines, oldest first."""
    wanted = _pattern(args.grep)
    since_s, until_s = parse_age(args.since), 0.0 if args.until is None else parse_age(args.until)
    if args.until is not None and args.follow:
        raise UsageError("--until ends in the past: it does not go with --follow")
    if until_s >= since_s > 0:
        raise UsageError("--until is not after --since")
    if args.live and not args.follow:
        raise UsageError("--live shows what comes from now on: it goes with --follow")
    if args.errors and (args.follow or args.grep):
        raise UsageError("--errors sums up what was; --follow and --grep go with the lines themselves")
    context = settle(args)
    if args.errors:
        from lambdatop.cli.commands.log_errors import run as run_errors

        span = (since_s, until_s)
        return run_errors(context, args.functions, span, as_json=args.json, yes=args.yes, reveal=args.reveal)
    with wire(context, reads_only=True) as parts:
        tail = _Tail(
            context,
            parts,
            (since_s, until_s),
            wanted,
            as_json=args.json,
            live=args.live,
            reveal=args.reveal,
        )
        asyncio.run(tail.run(args.functions, follow=args.follow))
    return exit_codes.DONE


def _pattern(text: str | None) -> Pattern | None:
    """Return a pattern that takes linear time on any line; others are refused."""
    try:
        return linear_pattern(text) if text is not None else None
    except PatternError as error:
        raise UsageError(f"--grep {text!r} cannot be searched for: {error}") from None


class _Tail:
    """Reads with the same source as the console; lines of several functions say whose they are."""

    def __init__(
        self,
        context: Context,
        parts: Parts,
        span: tuple[float, float],
        wanted: Pattern | None,
        *,
        as_json: bool,
        live: bool,
        reveal: bool,
    ) -> None:
        self._hidden: Callable[[Sequence[str]], Sequence[str]] = (
            (lambda texts: texts) if reveal else redact_all
        )
        self._pace_s = min(LIVE_PACE_S, context.settings.paces.logs) if live else context.settings.paces.logs
        self._live = live
        self._ways: dict[str, str] = {}
        self._parts = parts
        self._since_s, self._until_s = span
        self._wanted = wanted
        self._as_json = as_json
        self._said = ""
        self._began = parts.clock.now()
        self._several = False

    async def run(self, targets: Sequence[str], *, follow: bool) -> None:
        """Print once, or until interrupted."""
        backend = await self._parts.connect()
        try:
            keys = frozenset([await backend.reader.find(target, ("function",)) for target in targets])
            self._several = len(keys) > 1
            world = await functions_of(backend, self._parts.clock.now())
            if follow:
                await self._follow(source_of(backend, LOGS), world, keys)
            else:
                until = self._began - self._until_s if self._until_s else None
                await self._whole(backend, View(self._began, world, keys, self._since_s, log_until=until))
            if odd := backend.oddities():
                self._report(odd)
        finally:
            await backend.close()

    async def _follow(self, source: Source, world: World, keys: frozenset[Key]) -> None:
        while True:
            if not await self._round(source, world, keys):
                await self._parts.clock.sleep(self._pace_s)

    async def _whole(self, backend: Backend, view: View) -> None:
        """Print everything since then, once.

        Lines are parsed only where their meaning is asked for.
        """
        export = next(source for source in backend.sources if isinstance(source, LogExport))
        with _seldom_collecting():
            if self._as_json:
                async with aclosing(export.lines(view)) as understood:
                    async for parsed in understood:
                        self._print((line, key.id) for key, line in parsed.lines)
                        self._report_all(parsed.notes)
                return
            async with aclosing(export.texts(view)) as batches:
                async for batch in batches:
                    self._print_texts(batch.lines)
                    self._report_all(batch.notes)

    def _print_texts(self, found: Sequence[Text]) -> None:
        if self._wanted is not None:
            found = [line for line in found if self._wanted.found(line[2])]
        if self._several:
            texts = [f"{moment_of_ms(at)} {key.id} {text}" for at, key, text in found]
        else:
            texts = [f"{moment_of_ms(at)} {text}" for at, _, text in found]
        stdio.lines(self._hidden(texts))

    async def _round(self, source: Source, world: World, keys: frozenset[Key]) -> bool:
        """Run one round; return whether it was cut short before it came to the present."""
        live = keys if self._live else frozenset[Key]()
        now = self._parts.clock.now()
        view = View(now, world, keys, self._since_s, live, log_raw=self._as_json)
        try:
            events = await source.collect(view)
        except SourceError as error:
            # Somebody follows through an outage: say it once and try again.
            if error.state == "denied":
                raise
            self._report(str(error))
            return False
        more = False
        found: list[tuple[LogLine, str]] = []
        for event in events:
            if isinstance(event, LogsObserved):
                found += [(line, event.function.id) for line in event.lines]
                self._report_way(event)
                cut_short = not event.complete and bool(event.lines)
                more = more or (cut_short and event.lines[-1].at < self._began)
                if event.gap:
                    self._report(f"{event.function.id}: {event.gap}" if self._several else event.gap)
        found.sort(key=lambda pair: pair[0].at)
        self._print((line, name) for line, name in found if line.at >= self._began - self._since_s)
        return more

    def _report_way(self, event: LogsObserved) -> None:
        """Report where lines come from, when it is not the way that was asked for, or has changed."""
        if not self._live:
            return
        cost = f", ${event.usd_per_hour:.2f}/h at list price" if event.usd_per_hour else ""
        why = f": {event.via_why}" if event.via_why else ""
        name = event.function.id
        way = f"{name} comes by {event.via}{cost}{why}"
        if (news := _COUNTDOWN.sub("", way)) != self._ways.get(name):
            self._ways[name] = news
            stdio.message(f"note: {way}")

    def _report_all(self, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self._report(sentence)

    def _report(self, sentence: str) -> None:
        if sentence != self._said:
            self._said = sentence
            stdio.message(f"note: {sentence}")

    def _print(self, lines: Iterable[tuple[LogLine, str]]) -> None:
        if self._wanted is not None:
            lines = (pair for pair in lines if self._wanted.found(pair[0].text))
        if self._as_json:
            pairs = [*lines]
            texts = self._hidden([line.text for line, _ in pairs])
            # Most lines are what was cleaned of them: no secret in one is none in the other.
            apart = [line.raw for line, _ in pairs if line.raw.rstrip("\r\n") != line.text]
            masked = dict(zip(apart, self._hidden(apart), strict=True))
            stdio.lines(
                [
                    stdio.json_line_with(
                        line_json(line, name, text),
                        "raw",
                        line.raw
                        if text == line.text and masked.get(line.raw, line.raw) == line.raw
                        else None,
                    )
                    for (line, name), text in zip(pairs, texts, strict=True)
                ]
            )
        else:
            whose = "{} " if self._several else ""
            told = [f"{_moment(line)} {whose.format(name)}{line.text}" for line, name in lines]
            stdio.lines(self._hidden(told))


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Collect garbage rarely: a search for cycles among so many lines takes a fifth of the time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _moment(line: LogLine) -> str:
    return moment_of_ms(round(line.at * 1000))


def line_json(line: LogLine, function: str, text: str) -> dict[str, object]:
    """Return one line for other programs, with the `text` that may be shown; units stand in the names.

    Beside it stands `raw`, the message as it came, or null where it holds a secret that is hidden.
    """
    return {
        "at": _moment(line),
        "function": function,
        "kind": line.kind,
        "level": line.level,
        "request_id": line.request_id or None,
        "stream": line.stream,
        "event_id": line.event_id,
        "text": text,
        "report": _report_json(line.report) if line.report else None,
    }


def _report_json(report: Report) -> dict[str, object]:
    return {
        "duration_ms": report.duration_ms,
        "billed_ms": report.billed_ms,
        "init_ms": report.init_ms,
        "restore_ms": report.restore_ms,
        "memory_mb": report.memory_mb,
        "max_memory_mb": report.max_memory_mb,
        "status": report.status or None,
        "error_type": report.error_type or None,
    }
