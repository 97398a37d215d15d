"""One round of `make chaos`: the real console in a real terminal while everything behind it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.chaos_report import told
from bench.chaos_soak import soak
from fakes.fault_proxy import PHASES

pytestmark = pytest.mark.wire

PHASE_S = 2.0


@pytest.mark.timeout(480)  # and the recovery after the last phase, which AWS's own limits stretch
def test_the_console_answers_recovers_and_leaks_nothing_while_everything_breaks(tmp_path: Path) -> None:
    report = soak(0.0, PHASE_S, tmp_path)
    assert not report.wrongs, told(report)
    assert report.keys > len(PHASES), told(report)
    assert "Traceback" not in report.log, report.log[-3000:]
