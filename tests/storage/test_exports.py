from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lambdatop.storage import exports as log_export
from lambdatop.storage.exports import ExportError, LogExports, file_name

AT = 1_782_914_602.0


def exports(directory: Path) -> LogExports:
    return LogExports(directory / "state", lambda: AT)


def test_a_save_is_private_clean_and_redacted(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        path = Path(exports(tmp_path).save("orders", ["password=hunter2", "\x1b]52;c;x\x07 \u202e", "ü"]))
    finally:
        os.umask(before)
    assert path.parent == tmp_path / "state" / "exports"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.read_text(encoding="utf-8") == "password=•••\n␛]52;c;x␇ [U+202E]\nü\n"


def test_every_save_is_a_file_of_its_own(tmp_path: Path) -> None:
    saved = {exports(tmp_path).save("orders", ["a"]) for _ in range(3)}
    assert len(saved) == 3
    assert all(Path(p).read_text() == "a\n" for p in saved)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "-rf", "a b;$(x)", "受注", "x" * 300, ".", "", "\ud800"]
)
def test_names_hold_nothing_that_means_something(tmp_path: Path, name: str) -> None:
    path = Path(exports(tmp_path).save(name, ["a"]))
    assert path.parent == tmp_path / "state" / "exports"
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,140}\.log", path.name)


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "exports").mkdir(parents=True, mode=0o700)
    state.chmod(0o700)
    (state / "exports").chmod(0o700)
    aim = tmp_path / "aim"
    link = state / "exports" / file_name("orders", AT, b"a\n")
    link.symlink_to(aim)
    path = Path(exports(tmp_path).save("orders", ["a"]))
    assert not aim.exists()
    assert link.is_symlink()
    assert path.name != link.name


@pytest.mark.parametrize("kind", ["link", "open", "file"])
def test_a_folder_that_cannot_be_trusted_is_refused(tmp_path: Path, kind: str) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    folder = state / "exports"
    if kind == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    elif kind == "open":
        folder.mkdir()
        folder.chmod(0o777)
    else:
        folder.write_text("")
    with pytest.raises(ExportError, match="exports"):
        exports(tmp_path).save("orders", ["a"])


def test_a_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log_export, "append_durably", full)
    with pytest.raises(ExportError, match="the disk is full"):
        exports(tmp_path).save("orders", ["a"])
    assert list((tmp_path / "state" / "exports").iterdir()) == []
