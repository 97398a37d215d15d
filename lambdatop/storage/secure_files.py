"""Open files that belong to one person, so that nobody else can replace one meanwhile.

Every check is made on the descriptor that is then used, never on the path.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lambdatop.storage.errors import JournalError, LockedOut

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

LOCK_TRIES = 250
LOCK_PAUSE_S = 0.02


def make_directory(path: Path) -> None:
    """Create `path` and its missing parents with mode 0700 whatever the umask, and make them durable."""
    missing = [p for p in (path, *path.parents) if not p.exists() and not p.is_symlink()]
    for directory in reversed(missing):
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
            directory.chmod(0o700)
            _sync_directory(directory.parent)


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def open_directory(path: Path) -> int:
    """Return a descriptor of a private directory; raise FileNotFoundError, JournalError, OSError."""
    try:
        fd = os.open(path, _DIRECTORY)
    except OSError as error:
        if path.is_symlink():
            raise JournalError(f"{path} is a symbolic link. Name the directory itself.") from error
        raise
    info = os.fstat(fd)
    if info.st_uid != os.geteuid():
        os.close(fd)
        raise JournalError(f"{path} belongs to somebody else. Choose a directory of your own (--state-dir).")
    if info.st_mode & 0o022:
        os.close(fd)
        raise JournalError(f"{path} can be written by others. Close it with: chmod 700 {path}")
    return fd


def open_for_reading(directory: int, path: Path) -> int:
    """Return a checked read descriptor of `path` within the open `directory`."""
    return _checked(os.open(path.name, os.O_RDONLY | _FILE, dir_fd=directory), path)


def open_for_appending(directory: int, path: Path, what: str = "journal") -> int:
    """Return a checked append descriptor of `path` within the open `directory`; create it 0600 when missing.

    `what` the file is, for the sentence that refuses it.
    """
    flags = os.O_RDWR | os.O_APPEND | _FILE
    try:
        fd = os.open(path.name, flags | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=directory)
    except FileExistsError:
        return _checked(os.open(path.name, flags, dir_fd=directory), path, what)
    os.fchmod(fd, 0o600)  # a umask of 0777 would lock us out of our own file
    os.fsync(directory)
    return _checked(fd, path, what)


def open_trusted(path: Path, what: str) -> int:
    """Return a read descriptor of a file that only we (or root) could have written; others may read it.

    `what` the file is, for the sentence that refuses it.

    Raises:
        JournalError: it is a link, no regular file, somebody else's, or writable by others.
        OSError: it cannot be opened.
    """
    try:
        fd = os.open(path, os.O_RDONLY | _FILE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise JournalError(f"The {what} {path} is a symbolic link. Name the file itself.") from error
        raise
    info = os.fstat(fd)
    wrong = ""
    if not stat.S_ISREG(info.st_mode):
        wrong = "is not a regular file"
    elif info.st_uid not in (os.geteuid(), 0):
        wrong = "belongs to somebody else"
    elif info.st_mode & 0o022:
        wrong = f"can be written by others; close it with: chmod go-w {path}"
    if wrong:
        os.close(fd)
        raise JournalError(f"The {what} {path} is not used because it {wrong}.")
    return fd


def create_private(path: Path) -> int:
    """Return a write descriptor of a new file of mode 0600.

    Raise FileExistsError, also for a symbolic link.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o600)
    os.fchmod(fd, 0o600)  # whatever the umask
    return fd


def _checked(fd: int, path: Path, what: str = "journal") -> int:
    info = os.fstat(fd)
    wrong = ""
    if not stat.S_ISREG(info.st_mode):
        wrong = "is not a regular file"
    elif info.st_uid != os.geteuid():
        wrong = "belongs to somebody else"
    elif info.st_nlink > 1:
        wrong = "has a second name (hard link)"
    elif info.st_mode & 0o077:
        wrong = f"is open to others; close it with: chmod 600 {path}"
    if wrong:
        os.close(fd)
        raise JournalError(f"The {what} {path} is not used because it {wrong}.")
    return fd


@contextmanager
def locked(fd: int, path: Path, *, exclusive: bool) -> Iterator[None]:
    """Hold the file's lock; waits at most about 5 s for another process to finish its line."""
    how = (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(fd, how)
            break
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_S)
    else:
        raise LockedOut(f"Another process keeps the journal {path} locked. End it, then try again.")
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


def lock_new(fd: int) -> None:
    """Take the lock of a file that nobody else knows yet; closing it lets go."""
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_still(fd: int, directory: int, path: Path) -> bool:
    """Return whether `path` within the open `directory` is still the file that was opened as `fd`."""
    mine = os.fstat(fd)
    try:
        there = os.stat(path.name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def read_from(fd: int, offset: int) -> bytes:
    """Return everything from `offset` to the end of the file."""
    parts: list[bytes] = []
    while part := os.pread(fd, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def append_durably(fd: int, data: bytes) -> None:
    """Write all of `data` and wait until it is on disk; on failure the file is as it was before.

    Raises:
        OSError: the data is not on disk.
    """
    size = os.fstat(fd).st_size
    try:
        written = 0
        while written < len(data):
            written += os.write(fd, data[written:])
        sync(fd)
    except OSError:
        with suppress(OSError):
            os.ftruncate(fd, size)
            os.fsync(fd)
        raise


def sync(fd: int) -> None:
    """Wait until the disk has it; on macOS a plain fsync stops at the drive's cache."""
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        try:
            fcntl.fcntl(fd, full)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EINVAL):
                raise
    os.fsync(fd)
