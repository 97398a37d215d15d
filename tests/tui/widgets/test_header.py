"""The header says what this process may do, and who said so."""

from __future__ import annotations

import pytest
from fakes import console_scene as scene
from msgspec.structs import replace

from lambdatop.domain.settings.settings import ModeSettings, Settings
from lambdatop.domain.state.snapshot import SourceRow, Target
from lambdatop.tui.frame import Frame
from lambdatop.tui.style.spans import plain
from lambdatop.tui.widgets.header import first_line, second_line, short_origin

FORCED = "/home/ann/.config/lambdatop/config.yaml:9 (account 123456789012)"


def _line(mode: ModeSettings, shown: str, target: Target | None = None, width: int = 140) -> str:
    frame = Frame(
        scene.snapshot(targets=(target or Target(scene.SCOPE),)), scene.NOW, None, Settings(mode=mode)
    )
    return "".join(span.text for span in first_line(frame, shown, "", width))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("origin", "short"),
    [
        ("flag --read-only", "--read-only"),
        ("variable LAMBDATOP_READ_ONLY", "LAMBDATOP_READ_ONLY"),
        ("/etc/x y/config.yaml:3", "config.yaml:3"),
        (FORCED, "account 123456789012"),
        ("session_policy, /etc/config.yaml:3", "session_policy"),
        ("session_policy, /etc/config.yaml:3 (profile audit)", "profile audit"),
        ("", ""),
    ],
)
def test_an_origin_in_short(origin: str, short: str) -> None:
    assert short_origin(origin) == short


REFUSED = (
    "The endpoint https://lambda.eu-central-1.amazonaws.com/ could not be reached: it was refused twice."
)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_why_there_is_no_connection_begins_legibly(width: int) -> None:
    """What is cut stands whole in the panes; in the header it ends behind a word where it can."""
    row = SourceRow("connection", "failed", None, REFUSED)
    frame = Frame(scene.snapshot(targets=(), sources=(row,)), scene.NOW, None, Settings(mode=ModeSettings()))
    line = plain(first_line(frame, "read-only", "", width))
    name, said, mode = line[:10], line[12:-11].rstrip(), line[-11:]
    assert (name.strip(), mode.strip(), len(line)) == ("lambdatop", "READ-ONLY", width)
    assert said == REFUSED or (said.endswith("…") and REFUSED.startswith(said[:-1]))
    assert width < 100 or said == REFUSED or said.endswith(" …")
    assert len(said) > min(len(REFUSED), width) - 30


def test_read_only_names_its_reason_where_there_is_room() -> None:
    mode = ModeSettings(origin="flag --read-only")
    assert "--read-only READ-ONLY" in " ".join(_line(mode, "read-only").split())
    narrow = _line(mode, "read-only", width=50)
    assert "READ-ONLY" in narrow
    assert "--read-only" not in narrow


def test_an_account_that_is_held_to_read_only_is_named() -> None:
    line = _line(ModeSettings(), "read-only", Target(scene.SCOPE, forced=FORCED))
    assert "account 123456789012 READ-ONLY" in " ".join(line.split())


@pytest.mark.parametrize(
    ("mode", "target"),
    [
        (ModeSettings(write="flag --write", lifted="config.yaml:3"), Target(scene.SCOPE)),
        (ModeSettings(write="flag --write"), Target(scene.SCOPE, lifted=FORCED)),
    ],
)
def test_what_write_lifted_is_not_forgotten(mode: ModeSettings, target: Target) -> None:
    assert "WRITE (lifted)" in _line(mode, "operator", target)
    assert "OPERATOR" in _line(ModeSettings(write="flag --write"), "operator")


def test_many_sources_that_failed_leave_room_for_what_is_urgent() -> None:
    rows = tuple(
        replace(row, name=f"source{n}", state="failed", action=f"service:Read{n}", age_s=None)
        for n, row in enumerate(scene.sources() * 3)
    )
    expires = replace(scene.snapshot().targets[0], credentials_expire_at=scene.NOW + 300)
    frame = Frame(replace(scene.snapshot(), sources=rows, targets=(expires,)), scene.NOW, None, Settings())
    for width in (100, 150, 200):
        line = plain(second_line(frame, width))
        assert "credentials 5 min" in line
        assert "source0 failed (service:Read0)" in line
        assert " more" in line
