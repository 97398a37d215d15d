"""Three minutes of `make chaos`: the real console in a real terminal while everything behind it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.chaos_report import told
from bench.chaos_soak import soak

pytestmark = pytest.mark.wire

SECONDS = 180.0
PHASE_S = 5.0


@pytest.mark.timeout(SECONDS + 300)  # and the recovery after the last phase, which AWS's own limits stretch
def test_the_console_answers_recovers_and_leaks_nothing_while_everything_breaks(tmp_path: Path) -> None:
    report = soak(SECONDS, PHASE_S, tmp_path)
    assert not report.wrongs, told(report)
    assert report.keys > SECONDS / 5, told(report)
    assert "Traceback" not in report.log, report.log[-3000:]
