"""The page of one finding: the rule that raised it, as it is in force."""

from __future__ import annotations

from fakes.worlds import NOW, WORKER
from msgspec.structs import replace

from lambdatop.domain.plans.finding import Finding, Ref
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.settings.thresholds import DetectorSettings, ErrorRateSettings
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.finding import page
from lambdatop.tui.style.spans import plain


def test_the_rule_names_the_thresholds_that_are_set() -> None:
    finding = Finding("error_rate", "critical", Ref(WORKER, "arn", "orders-worker"), "fails", NOW)
    usual = Frame(now=NOW)
    limits = DetectorSettings(error_rate=ErrorRateSettings(window_min=9, min_errors=60))
    frame = replace(usual, settings=Settings(detectors=limits))
    assert "over 5 final minutes, with at least 20 invocations and 3 errors" in plain(
        page(usual, finding, 200)
    )
    assert "over 9 final minutes, with at least 20 invocations and 60 errors" in plain(
        page(frame, finding, 200)
    )
