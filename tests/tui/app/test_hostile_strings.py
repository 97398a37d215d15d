"""Whatever AWS says is shown as it is: never parsed as markup, never an action, never the end."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import pytest
from fakes import console_scene as scene
from fakes.fake_console import FakeConsole
from fakes.screens import press, started, text, toasts
from msgspec.structs import replace

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.plans.finding import Incident
from lambdatop.domain.state.snapshot import Snapshot, SourceRow, Target
from lambdatop.tui.app.app import LambdatopApp

MakeApp = Callable[..., LambdatopApp]
HOSTILE = ("a[/x][@click=app.quit]b[/][$ink-x]", "[link=x]受[bold\\[")


def scene_of(evil: str) -> Snapshot:
    """Return the scene with all of AWS's text replaced."""
    base = scene.snapshot()
    name = f"orders-{evil}"
    worker = base.functions[0]
    key = scene.key("function", name)
    facts = replace(worker.facts, key=key, arn=scene.ARN + name, runtime=evil, log_group=evil, dlq_arn=evil)
    storm = replace(base.storms[0], function=key, source_name=evil, state=evil, last_result=evil, why=evil,
                    risks=(evil,), failure_path=evil, blocks=(evil,), source_kind=evil)  # fmt: skip
    mapping = base.mappings[0]
    mapped = replace(mapping, facts=replace(mapping.facts, function=key, state=evil, last_result=evil),
                     risks=(evil,))  # fmt: skip
    finding = replace(base.findings[0], title=evil, evidence=((evil, evil),), suggests=(evil,),
                      formula=evil, target=replace(base.findings[0].target, key=key, name=evil))  # fmt: skip
    symptom = replace(finding, detector="dlq_growth")
    incident = Incident(finding, (symptom,), "critical", finding.since, (key,))
    alarm = replace(base.alarms[0], key=scene.key("alarm", evil), reason=evil, metric=evil, function=key)
    line = replace(parse(scene.NOW, "1", "s", f"[ERROR] {evil}\n{evil}"), seq=1)
    return replace(
        base,
        functions=(replace(worker, facts=facts), *base.functions[1:]),
        storms=(storm, *base.storms[1:]),
        mappings=(mapped, *base.mappings[1:]),
        findings=(finding, symptom),
        incidents=(incident,),
        alarms=(alarm,),
        quotas=(replace(base.quotas[0], name=evil, note=evil, source=evil),),
        sources=(SourceRow(evil, "failed", 3.0, evil, evil), SourceRow("logs", "failed", 3.0, evil, evil),
                 SourceRow("queues", "failed", 3.0, evil), SourceRow("metrics", "denied", 3.0, evil, evil)),
        targets=(Target(scene.SCOPE, evil, evil, evil, evil),),
        journal=(scene.entry("m", "applied", target=key, arn=evil, actor=evil, host=evil, detail=evil,
                             seen={"state": evil}),),
        logs=MappingProxyType({key: LogTail(evil, (line,), 2, False, evil, scene.NOW)}),
    )  # fmt: skip


@pytest.mark.parametrize("evil", HOSTILE)
async def test_hostile_text_is_harmless_everywhere(
    make_app: MakeApp, console: FakeConsole, evil: str
) -> None:
    console.snapshot = scene_of(evil)
    app = make_app()
    async with started(app) as pilot:
        assert text(app).count(evil) >= 8
        for keys in (("enter",), ("J",), ("T",), ("D",), ("P",), ("R",)):
            await press(pilot, *keys)
            assert evil in text(app), keys
            await press(pilot, "escape")
        await press(pilot, "slash", *"orders", "enter")
        for route in ("2", "3", "4", "5", "5 x", "5 x enter"):
            await press(pilot, *route.split())
            assert evil in text(app), route
        await press(pilot, "escape")
        console.failure = LambdatopError(evil)
        await press(pilot, "1", "T")
        assert evil in text(app)
        await press(pilot, "escape")
        app.show_message(f"toast {evil}", "warning")
        await press(pilot)
        assert f"toast {evil}" in toasts(app)
        assert app.is_running


async def test_a_filter_is_text_not_markup(make_app: MakeApp) -> None:
    app = make_app()
    async with started(app) as pilot:
        for evil in ("[/x]", "[@click=app.quit]"):
            await press(pilot, "slash")
            focused = app.focused
            assert focused is not None
            focused.value = evil  # type: ignore[attr-defined]
            await press(pilot, "enter")
            assert evil in text(app)
            await press(pilot, "escape")


async def test_clicks_on_hostile_text_run_nothing(make_app: MakeApp, console: FakeConsole) -> None:
    console.snapshot = scene_of("[@click=app.quit]x[/]")
    app = make_app()
    async with started(app) as pilot:
        lines = text(app).splitlines()
        found = [(line.find("@click") + 2, y) for y, line in enumerate(lines) if "@click" in line]
        assert len(found) > 5
        for offset in found[::2]:
            await pilot.click(offset=offset)
        assert app.is_running
