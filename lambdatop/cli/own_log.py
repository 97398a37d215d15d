"""The log of lambdatop itself: a small private file in the state directory, nothing on the terminal."""

from __future__ import annotations

import io
import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

from lambdatop.cli import streams

MAX_BYTES = 1_000_000
BACKUPS = 2
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class _PrivateFile(RotatingFileHandler):
    """Makes its files 0600 whatever the umask says, and follows no symbolic link."""

    def _open(self) -> io.TextIOWrapper:
        fd = os.open(self.baseFilename, _FLAGS, 0o600)
        os.fchmod(fd, 0o600)
        return io.TextIOWrapper(io.FileIO(fd, "a"), encoding="utf-8", errors="backslashreplace")


def open_log(file: Path | None, *, debug: bool) -> logging.Handler:
    """Send warnings (and with `debug` what lambdatop does) to `file`; return the handler, for closing.

    Without a file they go nowhere, but never to the terminal.

    The SDK never gets below WARNING: its debug lines hold request bodies and tokens. A log that cannot
    be written is no reason not to help in an incident; it is said once.
    """
    handler = logging.NullHandler() if file is None else _file_handler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("lambdatop").setLevel(logging.INFO if debug else logging.WARNING)
    # A handler that fails must not print its traceback over the console.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    return handler


def close_log(handler: logging.Handler) -> None:
    """Undo `open_log`."""
    logging.captureWarnings(False)
    logging.getLogger().removeHandler(handler)
    handler.close()


def _file_handler(file: Path) -> logging.Handler:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _PrivateFile(file, maxBytes=MAX_BYTES, backupCount=BACKUPS)
    except OSError as error:
        streams.say(f"note: no log is written: {file}: {error.strerror}")
        return logging.NullHandler()
