"""Archive older parts of the journal when its file has grown too long.

    journal.000001.jsonl   the first file as it was, to its last byte
    journal.000002.jsonl   begins with the hash of the last line of the one before
    journal.jsonl          likewise, then the entries that may still be needed, then what came since

At each moment of the change `journal.jsonl` is whole: first the archive is written, a copy, then the file
that begins anew takes the place of the old one in a single step. Whoever dies in between leaves at most a
copy that nobody names, which the next change writes anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from lambdatop.domain.mitigations.retention import kept
from lambdatop.domain.plans.journal import Entry, carried_record
from lambdatop.storage.errors import JournalError, from_os
from lambdatop.storage.hash_chain import BrokenChain, Chain, Rotation, digest, encode, rotation
from lambdatop.storage.secure_files import (
    append_durably,
    lock_new,
    open_directory,
    open_for_reading,
    read_from,
)

ROTATE_BYTES = 1 << 20
"""The journal begins anew when it is larger than this, and than twice what was carried over: about 700
changes, which are read in a tenth of a second."""
_NAME = re.compile(r"journal\.(\d{6,})\.jsonl")


def archive_name(number: int) -> str:
    """Return the file of the `number`-th archive, from 1."""
    return f"journal.{number:06d}.jsonl"


def is_long(chain: Chain) -> bool:
    """Return whether the journal should begin a new file."""
    return chain.size >= max(ROTATE_BYTES, 2 * (chain.before.carried_bytes if chain.before else 0))


def begin_anew(directory: int, live: int, path: Path, chain: Chain) -> None:
    """Archive the file `live`, which is locked and verified up to its end, and put the new one in its place.

    Raises:
        OSError: the journal is as it was, or (after the last step) as it is to be; nothing is lost.
    """
    data = read_from(live, 0)
    number = _free_number(directory, path, chain, data)
    first = chain.before.first if chain.before else number
    fd = _write_new(directory, f"{archive_name(number)}.new", data)
    try:
        os.rename(
            f"{archive_name(number)}.new", archive_name(number), src_dir_fd=directory, dst_dir_fd=directory
        )
        os.fsync(directory)
    finally:
        os.close(fd)
    text = _first_lines(number, chain.last, first, kept(chain.entries()))
    fd = _write_new(directory, f"{path.name}.new", text)
    try:
        # Nobody may append to the new file before it is certain that its name lasts.
        lock_new(fd)
        os.rename(f"{path.name}.new", path.name, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)
    finally:
        os.close(fd)


def _first_lines(number: int, last: str, first: int, entries: Sequence[Entry]) -> bytes:
    """Return the beginning of the file after an archive: the archive's name, and the entries that stay."""
    size = sum(len(encode(carried_record(entry), last)) for entry in entries)
    lines = [encode(rotation(Rotation(number, archive_name(number), last, first, size)), last)]
    for entry in entries:
        lines.append(encode(carried_record(entry), digest(lines[-1][:-1])))
    return b"".join(lines)


def _write_new(directory: int, name: str, data: bytes) -> int:
    """Return a new private file with `data` on disk, open; replace the leftover of a process that died."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(name, flags, 0o600, dir_fd=directory)
    try:
        os.fchmod(fd, 0o600)
        append_durably(fd, data)
    except OSError:
        os.close(fd)
        with suppress(OSError):
            os.unlink(name, dir_fd=directory)
        raise
    return fd


def _free_number(directory: int, path: Path, chain: Chain, data: bytes) -> int:
    """Return number of the next archive: an unnamed copy of this journal is overwritten, nothing else is."""
    known = chain.before.number if chain.before else 0
    newest = max([known, *_numbers(directory)])
    return newest if newest > known and _is_copy(directory, path, newest, data) else newest + 1


def _is_copy(directory: int, path: Path, number: int, data: bytes) -> bool:
    """Return whether an archive is the beginning of this very journal, left by a process that died early."""
    with suppress(OSError, JournalError):
        fd = open_for_reading(directory, path.with_name(archive_name(number)))
        try:
            copy = read_from(fd, 0)
        finally:
            os.close(fd)
        return bool(copy) and data.startswith(copy)
    return False


def _numbers(directory: int) -> list[int]:
    found = (_NAME.fullmatch(name) for name in os.listdir(directory))
    return sorted(int(match.group(1)) for match in found if match)


def gap(path: Path, chain: Chain) -> str:
    """Return what is missing of the journal at `path`, "" when all its archives are there.

    They are not read.
    """
    try:
        directory = open_directory(path.parent)
    except FileNotFoundError:
        return ""
    try:
        there = _numbers(directory)
        before = chain.before
        wanted = range(before.first, before.number + 1) if before else range(0)
        missing = [archive_name(number) for number in wanted if number not in there]
        if missing:
            return _missing(path, missing)
        beyond = [number for number in there if number not in wanted]
        if beyond and chain.size and _is_copy(directory, path, beyond[-1], _beginning(directory, path)):
            beyond.pop()
        if beyond:
            names = ", ".join(archive_name(number) for number in beyond)
            return (
                f"The journal {path} does not go on from {names} beside it: the file that did was moved away."
                " What these hold is not shown, and cannot be undone from here."
            )
    finally:
        os.close(directory)
    return ""


def _beginning(directory: int, path: Path) -> bytes:
    fd = open_for_reading(directory, path)
    try:
        return read_from(fd, 0)
    finally:
        os.close(fd)


def _missing(path: Path, names: Sequence[str]) -> str:
    return (
        f"Of the journal {path} {', '.join(names)} is missing: what was done then is not shown, and cannot "
        "be undone from here. Put it back beside the journal."
    )


def older(path: Path, before: Rotation | None) -> Iterator[tuple[Entry, ...]]:
    """Yield the entries of each archive, the newest first, as they were when it was closed.

    Raises:
        JournalError: an archive is missing, damaged, or not the one that is named.
    """
    while before is not None:
        chain = _read_archive(path, before)
        yield chain.entries()
        before = chain.before


def _read_archive(path: Path, named: Rotation) -> Chain:
    file = path.with_name(archive_name(named.number))
    try:
        directory = open_directory(path.parent)
        try:
            fd = open_for_reading(directory, file)
        finally:
            os.close(directory)
        try:
            chain, torn = Chain().extend(read_from(fd, 0))
        finally:
            os.close(fd)
    except FileNotFoundError:
        raise JournalError(_missing(path, [file.name])) from None
    except BrokenChain as error:
        raise JournalError(f"The archive {file} is damaged: {error}. Put the file back as it was.") from error
    except OSError as error:
        raise from_os(file, "read", error) from error
    if torn or chain.last != named.last:
        raise JournalError(
            f"The archive {file} is not the one that the journal goes on from: its last line is another one. "
            "Put the file back as it was."
        )
    return chain
