"""Describe what can go wrong with files, as sentences for a person."""

from __future__ import annotations

import errno
from pathlib import Path

from lambdatop.domain.errors import LambdatopError

_WHY = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file may not grow any further (file size limit)",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ELOOP: "it is a symbolic link",
    errno.ENOTDIR: "a part of the path is not a directory",
    errno.ENOLCK: "the file system offers no locks",
    errno.EIO: "the disk reports an error",
}


class JournalError(LambdatopError):
    """The journal cannot be read or written; without it nothing may be changed."""


class LockedOut(JournalError):
    """Another process holds the journal's lock for longer than a write can take."""


def why(error: OSError) -> str:
    """Return the reason of a failed system call, as a clause."""
    return _WHY.get(error.errno or 0) or (error.strerror or type(error).__name__)


def from_os(path: Path, verb: str, error: OSError) -> JournalError:
    """Return the sentence for a failed system call; `verb` is "read" or "written"."""
    return JournalError(
        f"The journal {path} cannot be {verb}: {why(error)}. "
        "Choose another place with --state-dir, or repair it."
    )


class RecordingError(LambdatopError):
    """A recording cannot be written or read."""


class SpillError(LambdatopError):
    """Drained messages cannot be kept on this machine; then none of them may be deleted."""
