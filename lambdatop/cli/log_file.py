"""Write lambdatop's own log: a small private file in the state directory, nothing on the terminal."""

from __future__ import annotations

import copy
import io
import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from lambdatop.cli import stdio
from lambdatop.domain.error_words import error_words, traceback_text
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.sanitize import clean_line
from lambdatop.storage import secure_files

MAX_BYTES = 1_000_000
BACKUPS = 2
MESSAGE_MAX = 2000
"""Characters of one message."""


class _SafeFormatter(logging.Formatter):
    """One line a message, without control characters and secrets; tracebacks without quoted answers.

    Of a message that is not ours only the first line is kept: asyncio goes on with the exception it quotes.
    """

    def format(self, record: logging.LogRecord) -> str:
        safe = copy.copy(record)
        safe.exc_text = None
        if isinstance(record.args, tuple):
            safe.args = tuple(error_words(a) if isinstance(a, BaseException) else a for a in record.args)
        words = safe.getMessage()
        if not record.name.startswith("lambdatop"):
            words = words.partition("\n")[0]
        safe.msg, safe.args = redact(clean_line(words, MESSAGE_MAX))[0], None
        return super().format(safe)

    def formatException(self, ei: object) -> str:
        error = ei[1] if isinstance(ei, tuple) else None
        return traceback_text(error) if isinstance(error, BaseException) else ""


class _PrivateFile(RotatingFileHandler):
    """Opens its files as the journal opens its own: regular, ours alone, 0600, through no link or pipe."""

    failure = ""
    """Why the first line that is missing could not be written."""

    def _open(self) -> io.TextIOWrapper:
        path = Path(self.baseFilename)
        directory = secure_files.open_directory(path.parent)
        try:
            fd = secure_files.open_for_appending(directory, path, "log")
        finally:
            os.close(directory)
        return io.TextIOWrapper(io.FileIO(fd, "a"), encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:
        """Continue without the line: a traceback over the console would help nobody."""
        error = sys.exc_info()[1]
        self.failure = self.failure or (error_words(error) if error else "unknown")


def open_log(file: Path | None, *, debug: bool) -> logging.Handler:
    """Send warnings (and with `debug` what lambdatop does) to `file`; return the handler, for closing.

    Without a file they go nowhere, but never to the terminal.

    The SDK never gets below WARNING: its debug lines hold request bodies and tokens. A log that cannot
    be written is no reason not to help in an incident; it is said once.
    """
    handler = logging.NullHandler() if file is None else _file_handler(file)
    handler.setFormatter(_SafeFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("lambdatop").setLevel(logging.INFO if debug else logging.WARNING)
    # A handler that fails must not print its traceback over the console.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    return handler


def close_log(handler: logging.Handler) -> None:
    """Undo `open_log`, and say when lines are missing."""
    logging.captureWarnings(False)
    logging.getLogger().removeHandler(handler)
    try:
        handler.close()
    except OSError as error:  # the last lines did not reach the disk
        handler.handleError(logging.LogRecord("", 0, "", 0, error, None, (OSError, error, None)))
    if isinstance(handler, _PrivateFile) and handler.failure:
        stdio.message(f"note: lines are missing in the log {handler.baseFilename} ({handler.failure})")


def _file_handler(file: Path) -> logging.Handler:
    try:
        secure_files.make_directory(file.parent)
        return _PrivateFile(file, maxBytes=MAX_BYTES, backupCount=BACKUPS)
    except LambdatopError as error:
        stdio.message(f"note: no log is written: {error}")
    except OSError as error:
        stdio.message(f"note: no log is written: {file}: {error.strerror}")
    return logging.NullHandler()
