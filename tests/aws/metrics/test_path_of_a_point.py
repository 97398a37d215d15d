"""CONTRIBUTING's "Follow a metric point" names the functions that a point passes, in their order."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import WireStub

from lambdatop.aws.metrics.collector import MetricsSource
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.settings.settings import Limits, Settings
from lambdatop.domain.state.events import FunctionsListed
from lambdatop.engine.clock import SystemClock
from lambdatop.engine.collecting.collector import Collector, Setting
from lambdatop.engine.collecting.mailbox import Feed
from lambdatop.engine.collecting.publisher import Publisher
from lambdatop.report.json.snapshot import snapshot_json
from lambdatop.tui.frame import Frame
from lambdatop.tui.panes.functions import COLUMNS

from ..conftest import MakeBench

ROOT = Path(__file__).resolve().parents[3]
NOW, MINUTE = 1_800_000_030.0, 60
STEP = re.compile(r"^\d+\. `(lambdatop/[\w/]+\.py)` `(\w+)`", re.MULTILINE)
SETTINGS = Settings(limits=Limits(budget_usd_per_hour=0.0))
Step = tuple[str, str]


def steps() -> list[Step]:
    """Return the path as it is written down."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Follow a metric point", 1)[1].split("\n## ", 1)[0]
    return [(path, function) for path, function in STEP.findall(section)]


class Calls:
    """Which of the steps were called, in the order of their first calls."""

    def __init__(self, wanted: list[Step]) -> None:
        self.seen: list[Step] = []
        self._wanted = {(str(ROOT / path), function): (path, function) for path, function in wanted}

    def __call__(self, frame: FrameType, event: str, arg: object) -> None:
        if event == "call":
            step = self._wanted.get((frame.f_code.co_filename, frame.f_code.co_name))
            if step is not None and step not in self.seen:
                self.seen.append(step)


def answer(params: dict[str, Any]) -> dict[str, Any]:
    """Return seven invocations in each of the last ten minutes, of every series."""
    end = NOW // MINUTE * MINUTE
    stamps = [end - n * MINUTE for n in range(10, 0, -1)]
    results = [
        {"Id": q["Id"], "Timestamps": stamps, "Values": [7.0] * 10, "StatusCode": "Complete"}
        for q in params["MetricDataQueries"]
    ]
    return {"MetricDataResults": results}


async def test_a_point_passes_what_is_written_down(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "GetMetricData", answer)
    made = bench(at=NOW)
    feed, publisher = Feed(), Publisher(made.clock, SETTINGS, "operator", "0")
    facts = FunctionFacts(Key(SCOPE, "function", "f"), f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f")
    publisher.fold((FunctionsListed(SCOPE, 1.0, (facts,)),))
    failures: list[BaseException] = []
    at = Setting(SCOPE, SystemClock(), lambda: made.view(publisher.world), feed.post, failures.append)
    collector = Collector(MetricsSource(made.api, SCOPE, SETTINGS), 60.0, at)
    calls = Calls(steps())
    sys.setprofile(calls)
    try:
        await collector._one_round()
        publisher.fold(feed.take_now())
        snapshot = publisher.publish()
        (row,) = snapshot.functions
        cells = {c.id: c.cell(row, Frame(snapshot, NOW, None, SETTINGS), 10) for c in COLUMNS}
        told = snapshot_json(snapshot)
    finally:
        sys.setprofile(None)
    assert failures == []
    assert row.invocations_per_min == 7.0
    assert "7" in "".join(span.text for span in cells["inv"])
    assert told["functions"][0]["invocations_per_min"] == 7.0
    assert calls.seen == steps()
