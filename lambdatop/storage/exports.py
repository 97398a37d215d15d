"""Save what the log pane shows: a private file per save, in `exports` of the state directory."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.sanitize import clean_line
from lambdatop.storage.errors import JournalError, why
from lambdatop.storage.secure_files import append_durably, make_directory, open_directory

FOLDER = "exports"
NAME_CHARS = 80
TRIES = 100
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]")
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class ExportError(LambdatopError):
    """The lines are not on disk."""


class LogExports:
    """Saves lines. `directory` is the state directory, `now` gives s since the epoch."""

    def __init__(self, directory: Path, now: Callable[[], float]) -> None:
        self._state_dir = directory
        self._now = now

    def save(self, name: str, lines: Iterable[str]) -> str:
        """Write the lines to a new file (0600) and return its path after fsync.

        Whatever was done to them before, they are cleaned and their secrets hidden here.

        Raises:
            ExportError: nothing usable was written.
        """
        data = "".join(f"{redact(clean_line(line))[0]}\n" for line in lines).encode()
        folder = self._state_dir / FOLDER
        try:
            make_directory(folder)
            os.close(open_directory(self._state_dir))  # who can write here can put another folder there
            directory = open_directory(folder)
            try:
                return str(folder / self._write(directory, name, data))
            finally:
                os.close(directory)
        except JournalError as error:  # the helpers' class; their sentences name the path
            raise ExportError(str(error)) from error
        except OSError as error:
            raise ExportError(f"{folder} cannot be written to: {why(error)}.") from error

    def _write(self, directory: int, name: str, data: bytes) -> str:
        for attempt in range(TRIES):
            file = file_name(name, self._now(), data, attempt)
            try:
                fd = os.open(file, _FLAGS, 0o600, dir_fd=directory)
            except FileExistsError:
                continue
            try:
                os.fchmod(fd, 0o600)  # whatever the umask
                append_durably(fd, data)
                os.fsync(directory)
            except OSError:
                os.unlink(file, dir_fd=directory)
                raise
            finally:
                os.close(fd)
            return file
        raise FileExistsError("there are a hundred files of this name")


def file_name(name: str, at: float, data: bytes, attempt: int = 0) -> str:
    """Return `<name>-<time>-<hash>.log` in characters without meaning to a shell.

    `at` in s since the epoch.
    """
    safe = _FOREIGN.sub("_", name)[:NAME_CHARS].lstrip("-.") or "log"
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    seed = f"{name}\n{attempt}\n".encode("utf-8", "surrogatepass") + data
    return f"{safe}-{stamp}-{hashlib.sha256(seed).hexdigest()[:8]}.log"
