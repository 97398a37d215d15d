"""The demo's start beside the console, and its end whatever happens in between."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.entries import entry
from fakes.time_limit import PATIENCE_S
from msgspec.structs import fields

import lambdatop.demo.process.launch
from lambdatop.cli.commands.console import saver
from lambdatop.cli.demo_session import PACES, DemoJournal, DemoRun, demo_settings
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.settings.settings import Screen, Settings


@dataclass
class Running:
    """As much of a demo as the run looks at."""

    directory: str
    endpoint_url: str = "http://127.0.0.1:4566"
    region: str = "us-east-1"
    access_key: str = "123456789012"
    secret_key: str = "x"
    session_token: str = "t"
    compression: int = 12
    notices: tuple[str, ...] = ("kinder than AWS",)
    stopped: int = 0

    def stop(self) -> None:
        """Count."""
        self.stopped += 1


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    demo = Running(str(tmp_path))
    monkeypatch.setattr(lambdatop.demo.process.launch, "start", lambda scenario: demo)
    return demo


async def test_it_is_started_once_and_located_as_an_isolated_connection(running: Running) -> None:
    run = DemoRun("calm", read_only=True)
    first, second = await run.locate(), await run.locate()
    assert first == second
    assert (first.isolated, first.read_only, first.profile) == (True, True, None)
    assert first.notice == "DEMO \N{MULTIPLICATION SIGN}12"
    assert run.notices == ("kinder than AWS",)
    run.stop()
    assert running.stopped == 1
    with pytest.raises(LambdatopError, match="ending"):
        await run.locate()


def test_stopping_while_it_starts_ends_it_too(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on = threading.Event()

    def slow(scenario: str) -> Running:
        may_go_on.wait(PATIENCE_S)
        return running

    monkeypatch.setattr(lambdatop.demo.process.launch, "start", slow)
    run = DemoRun("calm", read_only=False)
    run._start()
    stopping = threading.Thread(target=run.stop)
    stopping.start()
    may_go_on.set()
    stopping.join(PATIENCE_S)
    assert running.stopped == 1


async def test_a_failed_start_is_a_sentence_and_may_be_tried_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(scenario: str) -> Running:
        raise lambdatop.demo.process.launch.DemoUnavailable("the emulator ended")

    with monkeypatch.context() as patch:
        patch.setattr(lambdatop.demo.process.launch, "start", fail)
        run = DemoRun("calm", read_only=False)
        with pytest.raises(LambdatopError, match="could not be started: the emulator ended"):
            await run.locate()
        assert run.demo is None
    assert (await run.locate()).endpoint_url == running.endpoint_url
    run.stop()


async def test_its_journal_lies_among_the_demos_own_files(running: Running, tmp_path: Path) -> None:
    run = DemoRun("calm", read_only=False)
    journal = DemoJournal(run)
    assert journal.read() == ()
    with pytest.raises(LambdatopError, match="does not run"):
        journal.intent(entry())
    await run.locate()
    journal.intent(entry())
    assert [e.outcome for e in journal.read()] == ["open"]
    assert (tmp_path / "state/journal.jsonl").exists()
    run.stop()


def test_the_demo_keeps_the_users_looks_and_mode_but_not_his_account() -> None:
    user = Settings(
        profile="prod",
        region="eu-central-1",
        endpoint_url="https://x",
        read_only=True,
        screen=Screen("paper", 1),
    )
    settings = demo_settings(user, "poison-queue")
    assert (settings.profile, settings.region, settings.endpoint_url) == (None, None, None)
    assert (settings.read_only, settings.screen) == (True, Screen("paper", 1))
    assert settings.metrics.publish_delay_s == 0
    assert all(getattr(PACES, pace.name) <= 20 for pace in fields(PACES))
    assert settings.limits.control_plane_per_s == Settings().limits.control_plane_per_s


def test_what_the_demo_saves_is_said_to_vanish_with_it(tmp_path: Path) -> None:
    kept, gone = (saver(lambda: tmp_path, lambda: 1_800_000_000.0, vanishes=on) for on in (False, True))
    assert Path(kept("orders-worker", ["a line"])).is_file()
    path, words = gone("orders-worker", ["another line"]).split("; ")
    assert Path(path).is_file()
    assert words == "the demo deletes it when it ends"
