"""A configuration that is there and cannot be read is an error; only none at all means defaults."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdatop.cli.parser import build_parser
from lambdatop.config.aws_profile import profile_status
from lambdatop.config.load import load
from lambdatop.config.presence import is_there
from lambdatop.config.theme_file import load_themes
from lambdatop.domain.errors import UsageError

Hide = Callable[[Path], Path]


def dangling(directory: Path) -> Path:
    (directory / "file").symlink_to(directory / "not mounted/file")
    return directory / "file"


def dangling_parent(directory: Path) -> Path:
    (directory / "dir").symlink_to(directory / "not mounted")
    return directory / "dir/sub/file"


def loop(directory: Path) -> Path:
    (directory / "file").symlink_to(directory / "other")
    (directory / "other").symlink_to(directory / "file")
    return directory / "file"


def looping_parent(directory: Path) -> Path:
    (directory / "dir").symlink_to(directory / "dir")
    return directory / "dir/file"


def file_as_parent(directory: Path) -> Path:
    (directory / "dir").write_text("")
    return directory / "dir/file"


def is_directory(directory: Path) -> Path:
    (directory / "file").mkdir()
    return directory / "file"


def pipe(directory: Path) -> Path:
    os.mkfifo(directory / "file")
    return directory / "file"


def pipe_behind_a_link(directory: Path) -> Path:
    (directory / "file").symlink_to(pipe_in(directory))
    return directory / "file"


def pipe_in(directory: Path) -> Path:
    os.mkfifo(directory / "pipe")
    return directory / "pipe"


def device(directory: Path) -> Path:
    (directory / "file").symlink_to("/dev/zero")
    return directory / "file"


def name_too_long(directory: Path) -> Path:
    return directory / ("n" * 300)


HIDDEN = (
    dangling,
    dangling_parent,
    loop,
    looping_parent,
    file_as_parent,
    is_directory,
    pipe,
    pipe_behind_a_link,
    device,
    name_too_long,
)


@pytest.mark.parametrize("hide", HIDDEN, ids=lambda h: h.__name__)
@pytest.mark.parametrize("asked", [False, True])
def test_settings_that_cannot_be_read_are_an_error(hide: Hide, asked: bool, tmp_path: Path) -> None:
    file = hide(tmp_path)
    with pytest.raises(UsageError) as failed:
        load(file, asked=asked)
    assert str(tmp_path) in str(failed.value)


@pytest.mark.parametrize("what", ["check", "show"])
def test_the_commands_end_with_a_usage_error(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("LAMBDATOP_CONFIG", raising=False)
    (tmp_path / "lambdatop").symlink_to(tmp_path / "not mounted")
    args = build_parser(["config", what]).parse_args(["config", what])
    with pytest.raises(UsageError, match="leads nowhere"):
        args.run(args)


@pytest.mark.parametrize("hide", HIDDEN, ids=lambda h: h.__name__)
@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_files_of_the_sdk_that_cannot_be_read_are_an_error(hide: Hide, variable: str, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path / "nobody"), variable: str(hide(tmp_path))}
    with pytest.raises(UsageError, match="cannot be read"):
        profile_status(environ, None)


def test_nothing_at_all_means_defaults(tmp_path: Path) -> None:
    for file in (tmp_path / "none", tmp_path / "no/such/dir/config.yaml"):
        assert not is_there(file)
        assert not load(file).exists
        assert profile_status({"HOME": str(file)}, None).kind == "other"
    assert profile_status({"HOME": "/", "AWS_CONFIG_FILE": os.devnull}, None).kind == "other"


def test_a_directory_that_may_not_be_entered(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "config.yaml").write_text("read_only: true\n")
    closed.chmod(0)
    root = os.geteuid() == 0
    if root:  # root may enter every directory
        os.seteuid(65534)
    try:
        with pytest.raises(UsageError, match="Permission denied"):
            load(closed / "config.yaml")
    finally:
        if root:
            os.seteuid(0)
        closed.chmod(0o700)


def test_themes_that_cannot_be_reached_are_said(tmp_path: Path) -> None:
    (tmp_path / "themes").symlink_to(tmp_path / "not mounted")
    assert "No such file" in load_themes([tmp_path / "themes"]).message()
    assert load_themes([tmp_path / "none"]).problems == ()
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.yaml").symlink_to(tmp_path / "gone")
    assert "leads nowhere" in load_themes([tmp_path / "real"]).message()
