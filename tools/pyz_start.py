"""What `lambdatop.pyz` does first: unpack once into a private directory, then start from there.

Python can import from a zip file in place, but then every start of the console takes four times as long
(nothing compiled is kept: 2.8 s instead of 0.7 s, measured), and the SDK, Textual and the themes open their
data by path. So the first run unpacks into `~/.cache/lambdatop/pyz-<hash of the content>` ($XDG_CACHE_HOME
counts), and later runs start like an installed lambdatop. Because whoever can write there runs code as this
user:

- the directory is made 0700 and must belong to this user; nobody else may write to it or to a parent of it;
- it gets its name in one step when it is complete: two first runs, or a killed one, leave nothing half;
- every start compares each file's size with the list in the archive; what differs is unpacked anew.

Where that cannot be had (no home, a full or foreign disk, a directory that others may write to), the run
lives in a temporary directory that is removed at its end, and says so. Third-party packages of the machine
are not looked at: only the standard library and what is in the archive.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import stat
import sys
import tempfile
import time
import zipfile
import zipimport
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any

HERE = f"{sys.platform} on {os.uname().machine} with {sys.implementation.name} {sys.version.split()[0]}"
ARCHIVE = os.path.dirname(os.path.abspath(__file__))
STALE_S = 3600.0
"""What a killed first run left behind is removed after so long."""


class Unsafe(Exception):
    """Why the usual directory is not used, for a sentence."""


def start() -> int:
    """Unpack when needed, and run lambdatop's command line; its exit code."""
    manifest = json.loads(zipimport.zipimporter(ARCHIVE).get_data(os.path.join(ARCHIVE, "manifest.json")))
    for module in manifest["compiled"]:
        if not any(module + suffix in manifest["files"] for suffix in EXTENSION_SUFFIXES):
            sys.stderr.write(f"lambdatop: this file was not built for {HERE}, but for Linux on x86-64 or ")
            sys.stderr.write("arm64 with CPython 3.11 to 3.14. Install the package with pipx instead.\n")
            return 1
    try:
        home = unpacked(manifest)
    except (OSError, Unsafe) as error:
        sys.stderr.write(f"lambdatop: unpacking into a temporary directory for this run: {error}\n")
        home = tempfile.mkdtemp(prefix="lambdatop-")
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        unpack(home)
    sys.path[:] = [home, *standard_library()]
    from lambdatop.cli import main

    return main()


def standard_library() -> list[str]:
    """Return where Python itself lives; neither this machine's packages nor PYTHONPATH."""
    library = os.path.dirname(os.path.abspath(os.__file__))
    zipped = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    return [
        path
        for path in sys.path
        if os.path.abspath(path) == library or os.path.basename(path) in ("lib-dynload", zipped)
    ]


def unpacked(manifest: dict[str, Any]) -> str:
    """Return the private directory with everything in it.

    Raises:
        Unsafe: somebody else could put code there.
        OSError: it cannot be made.
    """
    base = private_directory()
    home = os.path.join(base, "pyz-" + manifest["hash"])
    if is_whole(home, manifest["files"]):
        return home
    remove_stale(base)
    made = tempfile.mkdtemp(prefix=".new-", dir=base)
    try:
        unpack(made)
        try:
            os.rename(made, home)
        except OSError:
            if not is_whole(home, manifest["files"]):  # otherwise another first run was quicker
                os.rename(home, tempfile.mkdtemp(prefix=".old-", dir=base))
                os.rename(made, home)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return home


def private_directory() -> str:
    """Return `lambdatop` in the user's cache, made if need be, with all its parents checked."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if not cache.startswith("/"):
        user_home = os.environ.get("HOME", "")
        if not user_home.startswith("/"):
            raise Unsafe("HOME is not set")
        cache = os.path.join(user_home, ".cache")
    base = os.path.join(os.path.realpath(cache), "lambdatop")
    os.makedirs(base, mode=0o700, exist_ok=True)
    check_mine(base)
    path = os.path.dirname(base)
    while True:
        state = os.lstat(path)
        # In a sticky directory (/tmp) nobody renames what is not theirs.
        writable = state.st_mode & 0o022 and not state.st_mode & stat.S_ISVTX
        if writable or state.st_uid not in (0, os.geteuid()):
            raise Unsafe(path + " can be written by others")
        if path == os.path.dirname(path):
            return base
        path = os.path.dirname(path)


def check_mine(path: str) -> None:
    """Check that this is a directory of this user's to which nobody else can write; raise Unsafe."""
    state = os.lstat(path)
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        raise Unsafe(path + " is not a directory of this user's")
    if state.st_mode & 0o022:
        raise Unsafe(path + " can be written by others")


def is_whole(home: str, sizes: dict[str, int]) -> bool:
    """Return whether every file of the archive is there in its full length.

    Raise Unsafe for a wrong owner or mode.
    """
    try:
        check_mine(home)
        return all(os.stat(os.path.join(home, name)).st_size == size for name, size in sizes.items())
    except FileNotFoundError:
        return False


def unpack(into: str) -> None:
    """Unpack everything of the archive into a directory that exists."""
    with (
        zipfile.ZipFile(ARCHIVE) as outer,
        outer.open("content.zip") as inner,
        zipfile.ZipFile(inner) as content,
    ):
        content.extractall(into)


def remove_stale(base: str) -> None:
    """Remove what killed first runs left; a directory that is still being filled is young."""
    for name in os.listdir(base):
        path = os.path.join(base, name)
        if name.startswith((".new-", ".old-")) and time.time() - os.lstat(path).st_mtime > STALE_S:
            shutil.rmtree(path, ignore_errors=True)
