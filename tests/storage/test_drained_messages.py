"""Drained messages on disk: private, each once, and durable before anybody may delete them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.keys import Scope
from lambdatop.storage import drained_messages, secure_files
from lambdatop.storage.drained_messages import SpillFile, SpillFiles, file_name
from lambdatop.storage.errors import SpillError

SCOPE = Scope("123456789012", "eu-central-1")
AT = 1_800_000_000.0


def md5(body: str) -> str:
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def message(number: int, body: str = "", **more: Any) -> dict[str, Any]:
    text = body or f"order {number}"
    named = {"MessageId": f"id-{number}", "ReceiptHandle": f"secret-handle-{number}"}
    return {**named, "MD5OfBody": md5(text), "Body": text, **more}


def opened(directory: Path, **options: Any) -> SpillFile:
    return SpillFiles(directory, lambda: AT, **options).open(SCOPE, "orders")


def records(directory: Path) -> list[dict[str, Any]]:
    (file,) = (directory / "drained").iterdir()
    return [json.loads(line) for line in file.read_text().splitlines()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_line_holds_the_message_and_not_its_receipt_handle(tmp_path: Path) -> None:
    sent = message(
        1,
        "grün \u202e\x1b[31m",
        Attributes={"ApproximateReceiveCount": "3", "MessageGroupId": "g"},
        MessageAttributes={"k": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
    )
    assert opened(tmp_path).keep([sent]) == 1
    assert records(tmp_path) == [
        {
            "drained_at": "2027-01-15T08:00:00+00:00",
            "queue": "orders",
            "MessageId": "id-1",
            "MD5OfBody": sent["MD5OfBody"],
            "Body": sent["Body"],
            "Attributes": sent["Attributes"],
            "MessageAttributes": {
                "k": {"DataType": "Binary", "BinaryValue": base64.b64encode(b"\x00\xff").decode()}
            },
            "receive_count": 3,
        }
    ]
    raw = (tmp_path / "drained" / "123456789012-eu-central-1-orders.jsonl").read_bytes()
    assert b"secret-handle" not in raw
    assert raw.isascii()
    assert b"\x1b" not in raw


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_folder_and_file_are_ours_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        file = opened(tmp_path / "state")
        file.keep([message(1)])
    finally:
        os.umask(before)
    assert mode(Path(file.path)) == 0o600
    assert mode(Path(file.path).parent) == mode(tmp_path / "state") == 0o700


def test_a_folder_that_others_can_look_into_is_closed(tmp_path: Path) -> None:
    (tmp_path / "drained").mkdir(mode=0o755)
    opened(tmp_path)
    assert mode(tmp_path / "drained") == 0o700


def test_what_is_in_the_file_is_not_kept_twice(tmp_path: Path) -> None:
    first = opened(tmp_path)
    assert first.keep([message(1), message(2), message(1)]) == 2
    assert first.keep([message(2), message(3)]) == 1
    first.close()
    again = opened(tmp_path)
    assert again.keep([message(n) for n in range(1, 6)]) == 2
    assert again.keep([message(1)]) == 0
    assert [r["MessageId"] for r in records(tmp_path)] == [f"id-{n}" for n in range(1, 6)]


def test_a_torn_line_is_cut_off_and_its_message_kept_anew(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.keep([message(1), message(2)])
    file.close()
    whole = Path(file.path).read_bytes()
    for cut in range(len(whole) - 1, whole.index(b"\n"), -20):
        Path(file.path).write_bytes(whole[:cut])
        resumed = opened(tmp_path)
        assert resumed.keep([message(1), message(2)]) == 1
        resumed.close()
        assert Path(file.path).read_bytes() == whole


@pytest.mark.parametrize("line", [b'{"half": 1\n', b"[" * 100_000 + b"\n"], ids=["half", "nested"])
def test_a_damaged_line_is_no_place_to_go_on(tmp_path: Path, line: bytes) -> None:
    file = opened(tmp_path)
    file.keep([message(1)])
    file.close()
    Path(file.path).write_bytes(line + Path(file.path).read_bytes())
    with pytest.raises(SpillError, match="line 1 is not a drained message"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "wrong", [message(9) | {"MD5OfBody": md5("another")}, {"MessageId": "x", "Body": "no md5"}]
)
def test_one_body_that_is_not_what_sqs_says_stops_its_whole_batch(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    file = opened(tmp_path)
    with pytest.raises(SpillError, match="not kept"):
        file.keep([message(1), wrong])
    assert records(tmp_path) == []
    assert file.keep([message(1)]) == 1


def test_a_batch_beyond_the_limit_is_refused_as_a_whole(tmp_path: Path) -> None:
    file = opened(tmp_path, limit_bytes=600)
    file.keep([message(1)])
    with pytest.raises(SpillError, match="would grow beyond 600 B"):
        file.keep([message(2), message(3, "x" * 400)])
    assert [r["MessageId"] for r in records(tmp_path)] == ["id-1"]
    assert SpillFiles(tmp_path, lambda: AT)._limit_bytes == 2 * 1024**3


def test_a_second_drain_of_the_same_queue_is_refused(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(SpillError, match="Another lambdatop on this machine drains orders now"):
        opened(tmp_path)
    SpillFiles(tmp_path, lambda: AT).open(SCOPE, "invoices").keep([message(1)])
    del first  # whoever held it is gone, and so is the lock
    assert opened(tmp_path).keep([message(1)]) == 1


def test_another_process_is_refused_too_and_its_death_lets_the_file_go(tmp_path: Path) -> None:
    child = (
        "import sys; from pathlib import Path; from lambdatop.domain.keys import Scope\n"
        "from lambdatop.storage.drained_messages import SpillFiles\n"
        f"held = SpillFiles(Path({str(tmp_path)!r}), lambda: 0.0).open(Scope(*{tuple(SCOPE)!r}), 'orders')\n"
        "sys.stdout.write('held\\n'); sys.stdout.flush(); sys.stdin.read()"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == "held\n"
        with pytest.raises(SpillError, match="Another lambdatop"):
            opened(tmp_path)
        running.kill()
    assert opened(tmp_path).keep([message(1)]) == 1


def test_a_failed_write_keeps_nothing_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = opened(tmp_path)
    file.keep([message(1)])
    with monkeypatch.context() as broken:
        broken.setattr(secure_files, "sync", _full)
        with pytest.raises(SpillError, match="the disk is full"):
            file.keep([message(2)])
    assert [r["MessageId"] for r in records(tmp_path)] == ["id-1"]
    assert file.keep([message(2)]) == 1


def test_a_write_that_cannot_be_taken_back_ends_the_drain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = opened(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(secure_files, "sync", _full)
        broken.setattr(os, "ftruncate", _full)
        with pytest.raises(SpillError, match="the disk is full"):
            file.keep([message(1)])
    with pytest.raises(SpillError, match="middle of a line"):
        file.keep([message(2)])


def _full(*_: Any) -> None:
    raise OSError(28, "No space left on device")


def test_every_batch_is_synced_and_so_is_what_a_killed_drain_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(secure_files, "sync", lambda fd: synced.append("batch"))
    monkeypatch.setattr(drained_messages, "sync", lambda fd: synced.append("open"))
    file = opened(tmp_path)
    file.keep([message(1), message(2)])
    file.keep([message(3)])
    assert synced == ["open", "batch", "batch"]


def test_a_file_that_was_removed_or_opened_to_others_meanwhile_takes_nothing(tmp_path: Path) -> None:
    file = opened(tmp_path)
    Path(file.path).chmod(0o640)
    with pytest.raises(SpillError, match="opened to others"):
        file.keep([message(1)])
    Path(file.path).chmod(0o600)
    Path(file.path).unlink()
    with pytest.raises(SpillError, match="was removed"):
        file.keep([message(1)])


def test_a_file_removed_during_the_write_does_not_count_as_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = opened(tmp_path)
    monkeypatch.setattr(secure_files, "sync", lambda fd: Path(file.path).unlink())
    with pytest.raises(SpillError, match="was removed"):
        file.keep([message(1)])


def test_a_closed_file_takes_nothing(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.close()
    with pytest.raises(SpillError, match="was closed"):
        file.keep([message(1)])


def _symlink(folder: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    folder.symlink_to(target)


def _open_folder(folder: Path, _: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def _open_parent(folder: Path, _: Path) -> None:
    folder.mkdir(mode=0o700)
    folder.parent.chmod(0o777)


@pytest.mark.parametrize("trap", [_symlink, _open_folder, _open_parent])
def test_a_folder_that_others_can_reach_is_refused(tmp_path: Path, trap: Any) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    trap(state / "drained", tmp_path / "elsewhere")
    with pytest.raises(SpillError):
        opened(state)


@pytest.mark.parametrize(
    ("trap", "says"),
    [
        (lambda file, other: file.symlink_to(other), "symbolic link"),
        (lambda file, other: file.hardlink_to(other), "hard link"),
        (lambda file, other: (file.touch(), file.chmod(0o644)), "open to others"),
        (lambda file, other: os.mkfifo(file, 0o600), "not a regular file"),
    ],
    ids=["symlink", "hard link", "0644", "fifo"],
)
def test_a_file_that_is_not_ours_alone_is_refused(tmp_path: Path, trap: Any, says: str) -> None:
    folder = tmp_path / "drained"
    folder.mkdir(mode=0o700)
    other = tmp_path / "other"
    other.touch(mode=0o600)
    trap(folder / file_name(SCOPE, "orders"), other)
    with pytest.raises(LambdatopError, match=says):
        opened(tmp_path)
    assert other.read_bytes() == b""


def test_names_stay_within_the_folder_and_apart() -> None:
    assert file_name(SCOPE, "orders.fifo") == "123456789012-eu-central-1-orders.fifo.jsonl"
    odd = [file_name(SCOPE, name) for name in ("../../x", "..\\..\\x", "a/b", "a b", "a\x00b", "q" * 300)]
    assert len(set(odd)) == len(odd)
    assert all(set(name) <= set("-._") | set(map(chr, range(48, 123))) and "/" not in name for name in odd)
    assert all(len(name) < 250 for name in odd)
