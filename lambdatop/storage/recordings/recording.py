"""Write and read recordings: events as lines of JSON, to be folded later as if they came live.

    {"schema": "lambdatop.recording/1", "began_at": …, "version": …, "publish_delay_s": …, "times": …, …}
    {"event": "FunctionsListed", "scope": [account, region], "at": …, "functions": [{…}, …]}
    …

One header, then one event a line in the order in which they were folded, written by their type hints
(`typed_json.py`). A file whose name ends in .gz is compressed. The recorder sits between feed and fold;
replay is just another feed.

Log lines, names and the journal are written as they are, and log lines may hold secrets of the functions
that wrote them. The recorder therefore serves tests and tools only: no command switches it on.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from msgspec import Struct

from lambdatop.domain.state import events as ev
from lambdatop.storage.errors import JournalError, RecordingError
from lambdatop.storage.recordings.event_codec import EventReader, EventWriter, dumps
from lambdatop.storage.recordings.typed_json import Mismatch, codec
from lambdatop.storage.secure_files import create_private, open_trusted

SCHEMA = "lambdatop.recording/1"


class Header(Struct, frozen=True):
    """What a replay needs: `began_at` s since the epoch, lambdatop's version, how minutes pass.

    `publish_delay_s` and `times` are the metric settings under which it was recorded; `scenario` is the
    demo's, "" on a real account.
    """

    began_at: float
    version: str
    publish_delay_s: float
    times: float = 1.0
    scenario: str = ""


class Recording(Struct, frozen=True):
    """A recording that was read. `cut` when it ends in the middle of a line (the writer was killed).

    `unknown` names fields in the file that this version does not have and has passed over.
    """

    header: Header
    events: tuple[ev.Event, ...]
    cut: bool = False
    unknown: frozenset[str] = frozenset()


class Recorder:
    """An `EventSink` that writes a new file (mode 0600); compressed when its name ends in .gz.

    The disk must never disturb what is recorded: after a failed write it records no more and `error`
    says why. Lines are buffered until `close`.

    Raises:
        RecordingError: the file exists already or cannot be made.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self.error = ""
        self._writer = EventWriter()
        try:
            self._raw = os.fdopen(create_private(path), "wb")
        except FileExistsError as error:
            raise RecordingError(f"{path} exists already; nothing was recorded.") from error
        except OSError as error:
            raise RecordingError(f"{path} cannot be made: {error.strerror or error}.") from error
        # No name and no time in the compressed file: the same events make the same bytes.
        packed = gzip.GzipFile("", "wb", 9, self._raw, 0) if path.name.endswith(".gz") else None
        self._file = packed or self._raw
        self._put([dumps({"schema": SCHEMA} | codec(Header).write(header))])

    def __call__(self, events: Sequence[ev.Event]) -> None:
        """Record events in their order."""
        self._put(self._writer.line(event) for event in events)

    def _put(self, lines: Iterable[str]) -> None:
        if self.error:
            return
        try:
            for line in lines:
                self._file.write(line.encode() + b"\n")
        except (OSError, ValueError, TypeError) as error:
            self.error = f"recording to {self.path} ended: {error}"

    def close(self) -> None:
        """Finish the file; harmless when called again."""
        try:
            self._file.close()
            self._raw.close()
        except OSError as error:
            self.error = self.error or f"recording to {self.path} ended: {error}"

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_recording(path: Path, *, any_owner: bool = False) -> Recording:
    """Read all of a recording.

    `any_owner`: it came with the source code, so its owner does not matter. Raises: RecordingError: somebody
    else could have written it, it cannot be read, is not a recording of this schema, or has an invalid line.
    """
    cut: list[str] = []
    flags = os.O_RDONLY | os.O_CLOEXEC
    reader, found, header, number = EventReader(), [], None, 0
    try:
        fd = os.open(path, flags) if any_owner else open_trusted(path, "recording")
        for line in _lines(path, fd, cut):
            number += 1
            if header is None:
                header = _header(line, reader.unknown)
            else:
                found.append(reader.event(line))
    except JournalError as error:  # the helper's class; its sentence names the path
        raise RecordingError(str(error)) from error
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or error}.") from error
    except Mismatch as error:
        raise RecordingError(f"{path}, line {number}: {error}.") from error
    if header is None:
        raise RecordingError(f"{path} holds no recording.")
    return Recording(header, tuple(found), bool(cut), frozenset(reader.unknown))


def _lines(path: Path, fd: int, cut: list[str]) -> Iterator[str]:
    """Yield whole lines of the open file and close it; what follows the last line feed goes to `cut`."""
    with os.fdopen(fd, "rb") as raw:
        file = gzip.GzipFile(fileobj=raw) if path.name.endswith(".gz") else raw
        while True:
            try:
                line = file.readline()
            except (EOFError, zlib.error) as error:
                cut.append(str(error))
                return
            if not line.endswith(b"\n"):
                cut += [line.decode(errors="replace")] * bool(line)
                return
            yield line[:-1].decode(errors="replace")


def _header(line: str, unknown: set[str]) -> Header:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Mismatch(f"no recording: {error}") from error
    schema = data.pop("schema", None) if isinstance(data, dict) else None
    if schema != SCHEMA:
        raise Mismatch(f"the schema {SCHEMA} expected, found {schema!r}")
    found: Header = codec(Header).read(data, "header", unknown)
    return found
