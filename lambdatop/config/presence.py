"""Find out whether a file exists. One that exists and cannot be reached is not the same as none."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def is_there(path: Path) -> bool:
    """Return whether something may stand at `path`: False only when nothing at all does.

    A dangling link, a loop of links, a file in the place of a directory and a directory without permission
    hide what is behind them: the file may exist, for example on a disk that is not mounted.

    Raises:
        OSError: whether it exists is not known; `strerror` says why.
    """
    try:
        os.lstat(path)
    except FileNotFoundError:
        for parent in path.parents:
            if os.path.exists(parent):
                return False
            if os.path.islink(parent):
                raise _dangling(parent) from None
        return False
    return True


def read_file(path: Path, limit: int) -> bytes:
    """Read at most `limit` + 1 bytes of a regular file; a pipe in its place is not waited for.

    Raises:
        FileNotFoundError: it does not exist.
        OSError: it cannot be read; `strerror` says why.
    """
    with open(open_file(path), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "is not a plain file", str(path))
        return file.read(limit + 1)


def open_file(path: Path) -> int:
    """Open a read descriptor without waiting; raises like `read_file` (but for the kind of file)."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        if is_there(path):
            raise _dangling(path) from None
        raise


def _dangling(link: Path) -> OSError:
    return OSError(errno.ELOOP, f"the symbolic link {link} leads nowhere", str(link))
