"""The section of the profile whose credentials botocore would use holds: every combination, of which the
suite takes a sample."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import ProfileNotFound
from fakes.nightly import sample

from lambdatop.cli.options import choose
from lambdatop.cli.parser import build_parser
from lambdatop.config.aws_profile import environment_profile, profile_status
from lambdatop.config.load import Loaded, load

NAMES = ("flagged", "ours", "sdk", "sdk-default", "default", "filed")
SECTION = """\
  {name}:
    read_only: {held}
    allow_destructive: false
    lease: {{table: leases-{name}}}
"""
UNSET = "not set"


def written(directory: Path, held: str, own: str | None) -> Path:
    """Return a file in which one profile is read-only, and each has a lease table of its own."""
    file = directory / "config.yaml"
    sections = "".join(SECTION.format(name=name, held=str(name == held).lower()) for name in NAMES)
    file.write_text((f"profile: {own}\n" if own else "") + "profiles:\n" + sections)
    file.chmod(0o600)
    return file


def loaded(file: Path, flag: str | None, environ: dict[str, str]) -> Loaded:
    argv = (*(("--profile", flag) if flag else ()), "journal")
    chosen = choose(build_parser(argv).parse_args(argv), environ)
    return load(file, given=chosen.given, section=chosen.section, write=chosen.write)


COMBINATIONS = sample(
    tuple(
        itertools.product(
            (None, "flagged", "default"),
            (UNSET, "", "ours"),
            (UNSET, "", "sdk", "default"),
            (UNSET, "", "sdk-default", "default"),
            (None, "filed"),
        )
    ),
    one_in=4,
    name=repr,
)


@pytest.mark.sdk
def test_every_combination_takes_the_section_of_the_profile_that_the_sdk_uses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = tmp_path / "aws"
    files.write_text("".join(f"[{'profile ' * (n != 'default')}{n}]\nregion = eu-west-1\n" for n in NAMES))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(files))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    seen = set()
    for flag, ours, sdk, default, own in COMBINATIONS:
        wanted = {"LAMBDATOP_PROFILE": ours, "AWS_PROFILE": sdk, "AWS_DEFAULT_PROFILE": default}
        environ = {name: str(value) for name, value in wanted.items() if value is not UNSET}
        for name in wanted:
            monkeypatch.delenv(name, raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        settings = loaded(written(tmp_path, "nobody", own), flag, environ).settings
        session = AioSession(profile=settings.profile)
        used = "default" if session.profile is None else session.profile
        if used == "":  # a variable that is set to nothing: the SDK does not work at all
            with pytest.raises(ProfileNotFound):
                session.get_scoped_config()
            continue
        assert settings.mode.profile == used, (flag, environ, own)
        assert settings.lease.table == f"leases-{used}", (flag, environ, own)
        assert profile_status(environ, settings.profile).name == used
        assert loaded(written(tmp_path, used, own), flag, environ).settings.read_only
        seen.add(used)
    assert seen == set(NAMES)


def test_the_first_variable_that_is_set_names_the_profile() -> None:
    assert environment_profile({}) is None
    assert environment_profile({"AWS_PROFILE": "a", "AWS_DEFAULT_PROFILE": "b"}) == (
        "b",
        "AWS_DEFAULT_PROFILE",
    )
    assert environment_profile({"AWS_PROFILE": "a"}) == ("a", "AWS_PROFILE")
    assert environment_profile({"AWS_PROFILE": "a", "AWS_DEFAULT_PROFILE": ""}) is None
