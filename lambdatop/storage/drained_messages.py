"""Keep drained messages on this machine: one JSON line each, on disk before the queue's copy is deleted.

    {"drained_at": …, "queue": …, "MessageId": …, "MD5OfBody": …, "Body": …, "Attributes": {…}, …}

A drain that was cut off is gone on with: what is in the file already is not written again when SQS
delivers it again. The file holds customers' data, so it is private, and lambdatop never removes it.
Receipt handles are not written: whoever has one can delete the message.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lambdatop.domain import units
from lambdatop.domain.keys import Scope
from lambdatop.storage.errors import JournalError, SpillError, why
from lambdatop.storage.secure_files import (
    append_durably,
    make_directory,
    open_directory,
    open_for_appending,
    sync,
)

FOLDER = "drained"
LIMIT_BYTES = 2 * 1024**3
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]")
_CHUNK = 1 << 20


class SpillFiles:
    """`domain.ports.storage.SpillStore`: a file per queue in the folder `drained` of one directory.

    `now` gives s since the epoch; no file grows beyond `limit_bytes`.
    """

    def __init__(self, directory: Path, now: Callable[[], float], *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._state_dir = directory
        self._now = now
        self._limit_bytes = limit_bytes

    def open(self, scope: Scope, queue: str) -> SpillFile:
        """Return the file of a queue, locked while the result lives; create it (0600) when it is missing.

        Raises:
            SpillError: somebody drains this queue on this machine, or the file cannot be trusted or read.
        """
        path = self._state_dir / FOLDER / file_name(scope, queue)
        with _sentences(path):
            make_directory(path.parent)
            os.close(open_directory(self._state_dir))  # who can write here can put another folder there
            directory = open_directory(path.parent)
            try:
                os.fchmod(directory, 0o700)
                fd = open_for_appending(directory, path, "file")
            finally:
                os.close(directory)
            try:
                return SpillFile(fd, path, queue, self._now, self._limit_bytes)
            except BaseException:
                os.close(fd)
                raise


def file_name(scope: Scope, queue: str) -> str:
    """Return the file of a queue: account, region and name, with a hash where a name had to be changed."""
    plain = f"{scope.account}-{scope.region}-{queue}"
    safe = _FOREIGN.sub("_", plain)
    if safe != plain or len(safe) > 200:
        safe = f"{safe[:200]}-{hashlib.sha256(plain.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"{safe}.jsonl"


class SpillFile:
    """`domain.ports.storage.Spill` on an open, checked file, which from now on is this object's to close.

    The lock goes with the object, so nobody else can drain the queue while a write is under way in a thread.
    """

    def __init__(self, fd: int, path: Path, queue: str, now: Callable[[], float], limit_bytes: int) -> None:
        self._fd = fd
        self._path = path
        self._queue = queue
        self._now = now
        self._limit_bytes = limit_bytes
        self._mutex = threading.Lock()
        self._torn = False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            words = f"Another lambdatop on this machine drains {queue} now. Wait for it, or end it."
            raise SpillError(words) from error
        self._known = self._read()
        self._closing = weakref.finalize(self, os.close, fd)

    @property
    def path(self) -> str:
        """Where it is, for people."""
        return str(self._path)

    def close(self) -> None:
        """Let the file and its lock go, after a write that is under way."""
        with self._mutex:
            self._closing()

    def keep(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """Write those messages that are not in the file yet; returns after fsync how many they were.

        Raises:
            SpillError: nothing of these messages may be deleted; the file is as it was before.
        """
        with self._mutex, _sentences(self._path):
            self._refuse_what_is_not_ours()
            new: dict[bytes, bytes] = {}
            for message in messages:
                mark = _verified(message)
                if mark not in self._known and mark not in new:
                    new[mark] = self._line(message)
            if not new:
                return 0
            self._append(b"".join(new.values()))
            # A file that was removed meanwhile has taken the messages along.
            self._refuse_what_is_not_ours()
            self._known.update(new)
            return len(new)

    def _append(self, data: bytes) -> None:
        size = os.fstat(self._fd).st_size
        if size + len(data) > self._limit_bytes:
            limit = units.size(self._limit_bytes)
            raise SpillError(f"{self._path} would grow beyond {limit}. Move it to another place to go on.")
        try:
            append_durably(self._fd, data)
        except OSError:
            self._torn = os.fstat(self._fd).st_size != size
            raise

    def _refuse_what_is_not_ours(self) -> None:
        if not self._closing.alive:
            raise SpillError(f"{self._path} was closed; nothing more is written to it.")
        info = os.fstat(self._fd)
        if info.st_nlink != 1:
            raise SpillError(
                f"{self._path} was removed, or got a second name, while {self._queue} was drained."
            )
        if info.st_mode & 0o077:
            raise SpillError(f"{self._path} was opened to others; close it with: chmod 600 {self._path}")
        if self._torn:
            raise SpillError(f"{self._path} ends in the middle of a line after a failed write.")

    def _line(self, message: Mapping[str, Any]) -> bytes:
        attributes = dict(message.get("Attributes") or {})
        received = str(attributes.get("ApproximateReceiveCount") or "")
        record = {
            "drained_at": datetime.fromtimestamp(self._now(), UTC).isoformat(),
            "queue": self._queue,
            "MessageId": message["MessageId"],
            "MD5OfBody": message["MD5OfBody"],
            "Body": message["Body"],
            "Attributes": attributes,
            "MessageAttributes": dict(message.get("MessageAttributes") or {}),
            "receive_count": int(received) if received.isdecimal() else None,
        }
        try:
            # ASCII only: a terminal that shows the file is safe from what somebody sent.
            return json.dumps(record, separators=(",", ":"), default=_plain).encode("ascii") + b"\n"
        except (TypeError, ValueError) as error:
            raise SpillError(f"A message of {self._queue} cannot be written as JSON ({error}).") from error

    def _read(self) -> set[bytes]:
        """Return the marks of what the file holds; cut a torn end off, and flush the rest to disk."""
        known: set[bytes] = set()
        whole = 0
        for number, line in enumerate(_lines(self._fd), 1):
            if not line.endswith(b"\n"):
                os.ftruncate(self._fd, whole)
                break
            whole += len(line)
            try:
                record = json.loads(line)
                known.add(_mark(record["MessageId"], record["MD5OfBody"]))
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise SpillError(
                    f"{self._path} is damaged: line {number} is not a drained message. Move it away."
                ) from error
        # What a killed drain wrote may not have got further than this machine's memory.
        sync(self._fd)
        return known


def _verified(message: Mapping[str, Any]) -> bytes:
    """Return the mark of a message whose body is what SQS says it is."""
    identity, body, md5 = (message.get(name) for name in ("MessageId", "Body", "MD5OfBody"))
    if not (isinstance(identity, str) and isinstance(body, str) and isinstance(md5, str)):
        raise SpillError("SQS delivered a message without id, body or MD5; it is not kept and not deleted.")
    found = hashlib.md5(body.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    if found != md5.lower():
        raise SpillError(f"The body of message {identity} does not have the MD5 that SQS reported: not kept.")
    return _mark(identity, md5)


def _mark(identity: str, md5: str) -> bytes:
    """Return a message as one short key; a file at its limit may hold millions of them."""
    return hashlib.blake2b(f"{identity}\n{md5.lower()}".encode(), digest_size=16).digest()


def _lines(fd: int) -> Iterator[bytes]:
    """Yield the lines of a file, each with its line feed; the last one may lack it.

    Never holds the whole file.
    """
    with open(os.dup(fd), "rb", buffering=_CHUNK) as file:
        file.seek(0)
        yield from file


def _plain(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} is not JSON")


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except JournalError as error:  # the helpers' class; their sentences name the path
        raise SpillError(str(error)) from error
    except OSError as error:
        raise SpillError(f"{path} cannot be used: {why(error)}.") from error
