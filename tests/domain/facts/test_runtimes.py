from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lambdatop.domain.facts.runtimes import DEPRECATED_ON, deprecated

NOW = datetime(2026, 11, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("runtime", "since"),
    [
        ("nodejs18.x", "2025-09-01"),
        ("python3.10", "2026-10-31"),
        ("python3.14", ""),
        ("", ""),  # a container image
        ("cobol85", ""),
    ],
)
def test_since_when_a_runtime_is_deprecated(runtime: str, since: str) -> None:
    assert deprecated(runtime, NOW) == since


def test_a_runtime_is_deprecated_from_its_day_on() -> None:
    day = datetime(2027, 4, 30, tzinfo=UTC).timestamp()
    assert (deprecated("nodejs22.x", day - 1), deprecated("nodejs22.x", day)) == ("", "2027-04-30")


def test_every_day_is_one() -> None:
    assert all(datetime.fromisoformat(day) for day in DEPRECATED_ON.values())
