from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lambdatop.config.example import render_example
from lambdatop.config.load import Given, load
from lambdatop.domain.errors import UsageError
from lambdatop.domain.settings.settings import Settings

Write = Callable[[str], Path]
ROOT = Path(__file__).resolve().parents[2]


def test_without_a_file_there_are_the_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path / "none.yaml")
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}
    assert not loaded.exists


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load(tmp_path / "none.yaml", asked=True)


LAYERED = """\
region: eu-west-1
paces:
  metrics: 90
  queues: 20
profiles:
  prod:
    region: eu-central-1
    paces: {metrics: 120}
"""


def test_flag_beats_section_beats_file_beats_default(write: Write) -> None:
    file = write(LAYERED)
    loaded = load(
        file,
        given={"profile": Given("prod", "flag --profile"), "screen.theme": Given("mono", "flag --theme")},
    )
    s = loaded.settings
    assert (s.profile, s.region, s.paces.metrics, s.paces.queues, s.paces.alarms, s.screen.theme) == (
        "prod",
        "eu-central-1",
        120.0,
        20.0,
        60.0,
        "mono",
    )
    assert loaded.origins["profile"] == "flag --profile"
    assert loaded.origins["region"] == f"{file}:7 (profile prod)"
    assert loaded.origins["paces.queues"] == f"{file}:4"
    assert loaded.origins["paces.alarms"] == "default"
    assert loaded.section == "prod"


def test_the_section_follows_the_environments_profile_too(write: Write) -> None:
    assert load(write(LAYERED), section="prod").settings.paces.metrics == 120.0
    assert load(write(LAYERED), section="other").settings.paces.metrics == 90.0
    assert load(write("profile: prod\n" + LAYERED)).settings.region == "eu-central-1"


def test_the_default_profile_has_a_section(write: Write) -> None:
    assert load(write("profiles: {default: {read_only: true}}\n")).settings.read_only


@pytest.mark.parametrize(
    "text",
    [
        "read_only: true\n",
        "profiles: {prod: {read_only: true}}\n",
        "read_only: true\nprofiles: {prod: {read_only: false}}\n",
    ],
)
def test_read_only_holds_wherever_it_stands_until_write_lifts_it(write: Write, text: str) -> None:
    file = write(text)
    assert load(file, section="prod").settings.read_only
    lifted = load(file, section="prod", write="flag --write")
    assert not lifted.settings.read_only
    assert lifted.origins["read_only"] == "flag --write"


def test_read_only_by_flag_names_itself(tmp_path: Path) -> None:
    loaded = load(tmp_path / "none", given={"read_only": Given(True, "flag --read-only")})
    assert loaded.settings.read_only
    assert loaded.origins["read_only"] == "flag --read-only"


def test_a_file_that_sets_an_endpoint_is_announced_a_flag_is_not(write: Write) -> None:
    file = write("endpoint_url: https://proxy.example\n")
    (notice,) = load(file).notices
    assert "https://proxy.example" in notice
    assert f"{file}:1" in notice
    assert load(file, given={"endpoint_url": Given("https://other.example", "flag")}).notices == ()


def test_a_section_that_allows_destruction_again_is_announced(write: Write) -> None:
    text = "allow_destructive: false\nprofiles: {dev: {allow_destructive: true}}\n"
    loaded = load(write(text), section="dev")
    assert loaded.settings.allow_destructive
    assert "destructive" in loaded.notices[0]
    assert not load(write(text)).settings.allow_destructive
    assert load(write(text)).notices == ()


def test_values_that_contradict_each_other_name_both(write: Write) -> None:
    with pytest.raises(
        UsageError, match=r"warning \(0\.5, .*:3\) must not be larger than .*critical \(0\.25, default\)"
    ):
        load(write("detectors:\n  error_rate:\n    warning: 0.5\n"))
    with pytest.raises(UsageError, match=r"metrics\.history_min"):
        load(write("metrics:\n  history_min: 5\n"))


def test_the_example_is_generated_and_means_the_defaults(tmp_path: Path) -> None:
    example = ROOT / "config.example.yaml"
    assert example.read_text(encoding="utf-8") == render_example()
    copy = tmp_path / "config.yaml"
    copy.write_text(render_example(), encoding="utf-8")
    copy.chmod(0o600)
    loaded = load(copy)
    assert loaded.settings == Settings()
    assert "default" not in loaded.origins.values()
