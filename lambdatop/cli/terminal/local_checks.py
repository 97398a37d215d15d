"""Check what `lambdatop doctor` can check without AWS: terminal, files, versions."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from lambdatop import __version__
from lambdatop.cli.terminal.dumb_terminal import is_dumb
from lambdatop.config.presence import is_there
from lambdatop.domain.diagnosis import Check, Verdict
from lambdatop.domain.sanitize import clean_line

if TYPE_CHECKING:
    from lambdatop.config.paths import Paths

SMALLEST = (80, 24)
ROOM_MB = 50
"""Recordings, the journal and drained messages want some room; less is worth a warning."""

TESTED = {"aiobotocore": "3.9.2", "textual": "8.2.8"}
"""The newest versions that the tests have run with."""


def terminal_checks(environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield the checks of the terminal on stdout, or that there is none."""
    term = clean_line(environ.get("TERM", ""), 60)
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        do = "The console needs one; `lambdatop snapshot` and the other commands do not."
        yield Check("terminal", "terminal", "warn", "stdin, stdout or stderr is not a terminal", do)
    if is_dumb(environ):
        do = "Set TERM to what your terminal is, for example xterm-256color."
        yield Check("terminal", "TERM", "warn", term or "not set", do)
    else:
        yield Check("terminal", "TERM", "ok", term)
    columns, lines = shutil.get_terminal_size()
    small = columns < SMALLEST[0] or lines < SMALLEST[1]
    do = f"Make it at least {SMALLEST[0]}x{SMALLEST[1]}: columns and panes are left out below that."
    yield Check("terminal", "size", "warn" if small else "ok", f"{columns}x{lines}", do if small else "")
    yield Check("terminal", "colours", "ok", _colours(environ, term))
    yield _characters()
    inside = [name for name, mark in (("tmux", "TMUX"), ("screen", "STY")) if environ.get(mark)]
    yield Check("terminal", "multiplexer", "ok", " in ".join(inside) or "none seen")


def _colours(environ: Mapping[str, str], term: str) -> str:
    if environ.get("NO_COLOR"):
        return "off (NO_COLOR)"
    if environ.get("COLORTERM", "") in ("truecolor", "24bit"):
        return "16 million"
    return "256" if "256color" in term else "16"


def _characters() -> Check:
    encoding = clean_line(getattr(sys.stdout, "encoding", None) or "", 40)
    if encoding.lower().replace("-", "") == "utf8":
        return Check("terminal", "characters", "ok", "UTF-8")
    do = "Borders and sparklines are drawn in ASCII; set LANG to a UTF-8 locale (C.UTF-8) for better ones."
    return Check("terminal", "characters", "warn", encoding or "unknown", do)


def paths_checks(paths: Paths) -> Iterator[Check]:
    """Yield the checks of configuration and state: their owner, and whether they can be used."""
    file, state = paths.config_file, paths.state_dir
    with suppress(OSError):  # a file that cannot be reached has a line of its own, from reading it
        none = "" if is_there(file) else " (none)"
        yield Check("paths", "configuration", "ok", f"{clean_line(str(file))}{none}")
    yield _state_check(state)
    room = _room_mb(state)
    if room is None:
        return
    do = f"Make room on {clean_line(str(state))}: the journal must be written before a change is sent."
    short = room < ROOM_MB
    yield Check("paths", "free disk", "warn" if short else "ok", f"{room:,.0f} MB", do if short else "")


def _state_check(state: Path) -> Check:
    shown = clean_line(str(state))
    name = "state directory"
    try:
        info = state.lstat()
    except FileNotFoundError:
        parent = _nearest(state)
        if os.access(parent, os.W_OK | os.X_OK):
            return Check("paths", name, "ok", f"{shown} (made when it is needed)")
        do = f"Make {clean_line(str(parent))} writable, or name another place with --state-dir."
        return Check("paths", name, "fail", f"{shown} cannot be made", do)
    except OSError as error:
        return Check("paths", name, "fail", f"{shown}: {error.strerror}", "Name another with --state-dir.")
    state_: Verdict = "fail"
    do = f"Close it with: chmod 700 {shown}"
    if not stat.S_ISDIR(info.st_mode):
        words, do = "is not a directory", "Name another with --state-dir."
    elif info.st_uid != os.geteuid():
        words, do = "belongs to somebody else", "Name a directory of your own with --state-dir."
    elif info.st_mode & 0o022:
        words = "can be written by others"
    elif not os.access(state, os.W_OK | os.X_OK):
        words, do = "cannot be written", f"Make it writable: chmod 700 {shown}"
    else:
        words, do, state_ = f"mode {stat.S_IMODE(info.st_mode):04o}, yours, writable", "", "ok"
    return Check("paths", name, state_, f"{shown}: {words}", do)


def _nearest(path: Path) -> Path:
    return next((parent for parent in path.parents if parent.exists()), Path("/"))


def _room_mb(path: Path) -> float | None:
    try:
        return shutil.disk_usage(path if path.exists() else _nearest(path)).free / 1e6
    except OSError:
        return None


def version_checks() -> Iterator[Check]:
    """Yield the versions that run here, and those that were tested."""
    yield Check("versions", "lambdatop", "ok", __version__)
    yield Check("versions", "Python", "ok", platform.python_version())
    for name in ("aiobotocore", "botocore", "textual"):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            do = f"Install lambdatop with what it depends on: `pip install lambdatop` brings {name}."
            yield Check("versions", name, "fail", "is not installed", do)
            continue
        newest = TESTED.get(name)
        if newest and _numbers(found) > _numbers(newest):
            do = f"It was tested up to {newest}; should something look odd, try that version."
            yield Check("versions", name, "warn", found, do)
        else:
            yield Check("versions", name, "ok", found)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
