"""What the header says of endpoints, and of a connection that is lost while figures stand on the screen."""

from __future__ import annotations

import pytest
from fakes import console_scene as scene
from msgspec.structs import replace

from lambdatop.domain.state.snapshot import SourceRow
from lambdatop.tui.frame import EMPTY_FRAME, Frame
from lambdatop.tui.widgets.header import banners, first_line


def with_connection(state: str, error: str) -> Frame:
    shown = scene.snapshot()
    row = SourceRow("connection", state, 0.0, error)
    return Frame(replace(shown, sources=(row, *shown.sources)), scene.NOW)


def test_a_lost_connection_is_a_banner_that_names_the_way_back() -> None:
    frame = with_connection("failed", "The credentials have expired (ExpiredToken).")
    (line,) = [b for b in banners(frame) if "ExpiredToken" in "".join(s.text for s in b)]
    assert ":login" in line[0].text
    assert line[0].slot == "critical"
    fine = with_connection("ok", "")
    assert not any(":login" in "".join(s.text for s in b) for b in banners(fine))
    assert banners(EMPTY_FRAME) == ()


@pytest.mark.parametrize(
    ("endpoint", "slot"),
    [
        ("http://127.0.0.1:4566", "warning"),
        ("https://vpce-0a1b-2c3d.lambda.eu-central-1.vpce.amazonaws.com", "muted"),
    ],
)
def test_only_an_endpoint_that_is_not_awss_own_warns(endpoint: str, slot: str) -> None:
    shown = scene.snapshot()
    frame = Frame(replace(shown, targets=(replace(shown.targets[0], endpoint=endpoint),)), scene.NOW)
    (span,) = [s for s in first_line(frame, "operator", "", 250) if endpoint in s.text]
    assert span.slot == slot
