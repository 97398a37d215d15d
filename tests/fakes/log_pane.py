"""The console with a log of a test's own words in front."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType
from typing import Any

from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import dashboard
from msgspec.structs import replace

from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.loglines.tail import LogTail as Tail
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.logview.tail import LogTail

MakeApp = Callable[..., LambdatopApp]
NARROW = (80, 24)
KEY = scene.key("function", "orders-worker")


def with_log(words: Iterable[str]) -> Snapshot:
    lines: list[LogLine] = []
    for i, said in enumerate(words, 1):
        lines.append(replace(parse(scene.NOW + i, str(i), "s", said), seq=i))
    log = Tail("/aws/lambda/orders-worker", tuple(lines), len(lines) + 1, True, "", scene.NOW)
    return replace(scene.snapshot(), logs=MappingProxyType({KEY: log}))


def numbered(last: int, **special: str) -> list[str]:
    return [special.get(f"n{i}", f"line {i}") for i in range(1, last + 1)]


def tail(app: LambdatopApp) -> LogTail:
    return dashboard(app).query_one(LogTail)


def marked(app: LambdatopApp) -> str:
    cursor = tail(app).cursor
    return cursor.text if cursor is not None else ""


def rows(app: LambdatopApp) -> list[str]:
    log = tail(app)
    return [log.render_line(y).text.rstrip() for y in range(log.size.height)]


OpenLog = Callable[..., LambdatopApp]


def opener(make_app: MakeApp, console: FakeConsole) -> OpenLog:
    """Return a maker of an app whose selected function has logged some words."""

    def make(words: Sequence[str], **options: Any) -> LambdatopApp:
        console.snapshot = with_log(words)
        return make_app(**options)

    return make
