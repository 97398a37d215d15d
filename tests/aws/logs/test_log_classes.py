"""Log groups of the classes INFREQUENT_ACCESS and DELIVERY: not readable as a log, and said so.

CloudWatch Logs user guide, "Log classes": FilterLogEvents, GetLogEvents and Live Tail need STANDARD; Logs
Insights reads INFREQUENT_ACCESS, too.
"""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import SCOPE, Bench
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.logs.collector import LogsSource
from lambdatop.aws.logs.history import LogHistory
from lambdatop.aws.logs.insights import Insights
from lambdatop.domain.errors import Missing, NotSupported, SourceError
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.ports.aws import View
from lambdatop.domain.state.events import FunctionsListed, GapsObserved, LogsObserved
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

from ..conftest import MakeBench

pytestmark = [pytest.mark.wire, pytest.mark.sdk]

NOW = 1_800_000_000.0
GROUP = "/aws/lambda/f"
F = FunctionFacts(Key(SCOPE, "function", "f"), "arn", log_group=GROUP)
REFUSED = Fault("InvalidParameterException", "not supported for this log group class")
NOTHING: dict[str, Any] = {"events": []}


def listed(kind: str | None, name: str = GROUP) -> dict[str, Any]:
    group = {"logGroupName": name, "creationTime": 1_700_000_000_000}
    return {"logGroups": [group | ({"logGroupClass": kind} if kind else {})]}


def view(bench: Bench) -> View:
    world = fold_all(EMPTY_WORLD, (FunctionsListed(SCOPE, NOW, (F,)),))
    return bench.view(world, F.key)


async def tail(bench: Bench, source: LogsSource) -> tuple[LogsObserved, tuple[GapsObserved, ...]]:
    told = await source.collect(view(bench))
    (logs,) = (e for e in told if isinstance(e, LogsObserved))
    return logs, tuple(e for e in told if isinstance(e, GapsObserved))


@pytest.mark.parametrize("answer", [REFUSED, NOTHING])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("INFREQUENT_ACCESS", "which only Logs Insights reads: `lambdatop logs FUNCTION --errors` asks it"),
        ("DELIVERY", "CloudWatch Logs delivers its lines elsewhere, and lets nobody read them"),
    ],
)
async def test_the_tail_says_why_there_is_none(
    stub: WireStub, bench: MakeBench, answer: Any, kind: str, words: str
) -> None:
    stub.on("logs", "FilterLogEvents", answer)
    stub.on("logs", "DescribeLogGroups", listed(kind))
    made = bench(at=NOW)
    source = LogsSource(made.api, SCOPE)
    logs, (gaps,) = await tail(made, source)
    assert words in logs.gap
    assert not logs.complete
    assert [(g.reason, g.target) for g in gaps.gaps] == [("not supported", "f")]
    assert gaps.gaps[0].not_known.why == "AWS offers no logs:FilterLogEvents for it"
    asked = len(stub.calls("FilterLogEvents"))
    made.clock.at = NOW + 60
    again, _ = await tail(made, source)
    assert words in again.gap
    assert (len(stub.calls("FilterLogEvents")), len(stub.calls("DescribeLogGroups"))) == (asked, 1)


async def test_a_group_without_lines_is_asked_about_once(stub: WireStub, bench: MakeBench) -> None:
    stub.on("logs", "FilterLogEvents", NOTHING)
    stub.on("logs", "DescribeLogGroups", listed(None))
    made = bench(at=NOW)
    source = LogsSource(made.api, SCOPE)
    for second in (0, 60):
        made.clock.at = NOW + second
        logs, gaps = await tail(made, source)
        assert (logs.gap, gaps) == ("", ())
    assert len(stub.calls("DescribeLogGroups")) == 1


async def test_a_refusal_of_another_kind_stays_as_it_is(stub: WireStub, bench: MakeBench) -> None:
    stub.on("logs", "FilterLogEvents", REFUSED)
    stub.on("logs", "DescribeLogGroups", listed("STANDARD"), Fault("AccessDeniedException"))
    made = bench(at=NOW)
    for _ in range(2):
        with pytest.raises(SourceError, match="InvalidParameterException") as caught:
            await LogsSource(made.api, SCOPE).collect(view(made))
        assert not isinstance(caught.value, NotSupported)


@pytest.mark.parametrize("answer", [REFUSED, NOTHING])
async def test_a_whole_log_says_it(stub: WireStub, bench: MakeBench, answer: Any) -> None:
    stub.on("logs", "FilterLogEvents", answer)
    stub.on("logs", "DescribeLogGroups", listed("INFREQUENT_ACCESS"))
    made = bench(at=NOW)
    with pytest.raises(NotSupported, match="only Logs Insights reads"):
        _ = [batch async for batch in LogsSource(made.api, SCOPE).texts(view(made))]


async def test_what_was_before_says_it(stub: WireStub, bench: MakeBench) -> None:
    stub.on("logs", "DescribeLogGroups", listed("INFREQUENT_ACCESS"))
    with pytest.raises(NotSupported, match="only Logs Insights reads"):
        await LogHistory(bench(at=NOW).api).older([F], NOW, ())
    assert stub.calls("FilterLogEvents") == []


async def test_logs_insights_reads_infrequent_access_and_not_what_is_delivered(
    stub: WireStub, bench: MakeBench
) -> None:
    stub.on("logs", "StartQuery", REFUSED)
    stub.on("logs", "DescribeLogGroups", listed("DELIVERY"), listed("INFREQUENT_ACCESS"))
    for words in ("lets nobody read them", "InvalidParameterException"):
        with pytest.raises(SourceError, match=words):
            await Insights(bench(at=NOW).api, SCOPE).run([GROUP], "fields @message", NOW - 60, NOW)
    stub.on("logs", "StartQuery", Fault("ResourceNotFoundException"))
    with pytest.raises(Missing):
        await Insights(bench(at=NOW).api, SCOPE).run([GROUP], "fields @message", NOW - 60, NOW)


async def test_of_a_class_that_is_not_known_aws_speaks_for_itself(stub: WireStub, bench: MakeBench) -> None:
    stub.on("logs", "DescribeLogGroups", listed("GLACIER"))
    stub.on("logs", "FilterLogEvents", REFUSED)
    made = bench(at=NOW)
    with pytest.raises(SourceError, match="not supported for this log group class"):
        async for _ in LogsSource(made.api, SCOPE).texts(view(made)):
            pass
