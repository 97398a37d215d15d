from __future__ import annotations

import pytest
from fakes.queuescene import END, found, scene
from fakes.worlds import NOW, SCOPE, WORKER, points

from lambdatop.domain.detectors.rules import provisioned_spillover as it
from lambdatop.domain.facts.quota_limits import Provisioned
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.state import events as ev

LIVE = Key(SCOPE, "alias", "orders-worker:live")


def spills(
    spilled: float,
    served: float,
    used: float | None = 0.3,
    ready: Provisioned | None = None,
    before: tuple[Finding, ...] = (),
) -> list[Finding]:
    data = [
        points(LIVE, "ProvisionedConcurrencySpilloverInvocations", [spilled] * 6, end=END),
        points(LIVE, "ProvisionedConcurrencyInvocations", [served] * 6, end=END),
    ]
    if used is not None:
        data.append(points(LIVE, "ProvisionedConcurrencyUtilization", [used] * 6, "Maximum", end=END))
    one = ready or Provisioned("live", 10, 10, 10, "READY")
    return found(it.detect, scene(data, ev.ProvisionedObserved(SCOPE, NOW, ((WORKER, (one,)),))), before)


def test_short_requests_meet_the_rate_while_environments_are_free() -> None:
    (finding,) = spills(2400, 6000)
    assert (finding.severity, finding.target.key, finding.about) == ("warning", LIVE, (WORKER,))
    assert finding.title == (
        "orders-worker:live: 29% of invocations find no provisioned environment: "
        "140 requests/s come, 10 environments take 100 (10/s each)"
    )
    assert finding.formula == "12000 spilled over / 42000 = 28.6% over 5 min"
    assert dict(finding.evidence)["utilisation_max"] == 0.3


@pytest.mark.parametrize(
    ("found_", "why"),
    [
        (spills(600, 1200, used=1.0), "all 10 are in use"),
        (
            spills(600, 1200, used=0.5),
            "at most 50% of 10 are in use in a minute; a burst within it is not visible",
        ),
        (spills(600, 1200, used=None), "how many are in use is not known"),
        (
            spills(600, 1200, ready=Provisioned("live", 10, 4, 0, "IN_PROGRESS")),
            "4 of 10 environments are allocated (IN_PROGRESS)",
        ),
    ],
)
def test_why_they_spill_over(found_: list[Finding], why: str) -> None:
    (finding,) = found_
    assert finding.title.endswith(why)


def test_few_are_silent_and_a_standing_one_stays_until_well_below() -> None:
    assert spills(19, 100) == []  # 95 in five minutes
    assert spills(30, 900) == []  # 3 %
    stood = spills(60, 1000)
    assert len(stood) == 1
    assert len(spills(47, 1000, before=tuple(stood))) == 1
    assert spills(30, 1000, before=tuple(stood)) == []
