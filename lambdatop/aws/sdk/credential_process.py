"""Run a profile's credential_process: with limits, without stdin, named in errors, and ended with us.

It prints keys: the SDK parses its output, and no message quotes it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import dateutil.parser

from lambdatop.aws.sdk.wire._private import MOMENT_CHARS
from lambdatop.domain.error_words import error_words
from lambdatop.domain.errors import CredentialsError
from lambdatop.domain.loglines.redact import redact_strictly
from lambdatop.domain.sanitize import clean_line

WORD_S = 3.0
"""After so long, s, a message says what is waited for."""
BOUND_S = 60.0
"""After so long, s, it is ended: enough time to touch a security key or to confirm in a browser."""
KILL_S = 2.0
"""So long, s, its remaining output is waited for after it was ended."""
SAID_MAX = 200
"""Characters of its stderr that are shown."""
OUTPUT_MAX = 1 << 20
"""Bytes of either output; credentials take a few hundred."""

_NEEDED = {"AccessKeyId": True, "SecretAccessKey": True, "SessionToken": False}
_HEADER_VALUE = re.compile(r"[!-~]+")
"""What can be signed with and sent in a header."""

Notify = Callable[[str], None]

_WATCHED = (
    'exec 3<&0; "$@" </dev/null 3<&- & child=$!; '
    "{ cat <&3; kill -KILL 0; } >/dev/null 2>&1 & watch=$!; "
    "wait $child; code=$?; kill $watch; exit $code"
)
"""For sh, which leads a session: it runs a program, and kills the whole group when its input ends. We hold
the other end of that input, so it ends with us, whatever ends us, kill -9 included."""


def starter(profile: str, notify: Notify) -> Callable[..., Awaitable[Any]]:
    """Return what the SDK calls to start the process of `profile`; `notify` gets what is waited for."""
    name = f"The credential_process of profile {clean_line(profile, 80)!r}"

    async def start(*argv: str, stdout: int, stderr: int) -> Any:
        program = clean_line(argv[0], 200) if argv else ""
        if not argv or shutil.which(argv[0]) is None:
            raise CredentialsError(f"{name} cannot be started: there is no program {program!r}.")
        try:
            child = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                _WATCHED,
                "sh",
                *argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,  # without a terminal to prompt on
            )
        except (OSError, ValueError) as error:
            raise CredentialsError(f"{name} cannot be started ({error_words(error)}).") from None
        return _Child(child, name, notify)

    return start


class _Child:
    """The part of a process that the SDK uses."""

    def __init__(self, child: asyncio.subprocess.Process, name: str, notify: Notify) -> None:
        self._child = child
        self._name = name
        self._notify = notify

    @property
    def returncode(self) -> int | None:
        return self._child.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """Return its output, which the SDK can use: how the SDK treats any other output is not relied on.

        Raises:
            CredentialsError: it took too long, printed too much, failed, or printed no credentials.
        """
        loop = asyncio.get_running_loop()
        word = loop.call_later(WORD_S, self._notify, f"{self._name} has not answered yet; waiting …")
        reads = [loop.create_task(_all(stream)) for stream in (self._child.stdout, self._child.stderr)]
        try:
            async with asyncio.timeout(BOUND_S):
                out, err = await asyncio.gather(*reads)
                await self._child.wait()
        except TimeoutError:
            raise CredentialsError(
                f"{self._name} gave no answer within {BOUND_S:g} s and was ended: run it by hand to see why."
            ) from None
        except _TooMuch:
            raise CredentialsError(f"{self._name} printed more than {OUTPUT_MAX} bytes.") from None
        finally:
            word.cancel()
            for read in reads:
                read.cancel()
            await asyncio.gather(*reads, return_exceptions=True)
            if self._child.returncode is None:
                await self._kill()
            if self._child.stdin is not None:
                self._child.stdin.close()
        if self._child.returncode != 0:
            said = redact_strictly(clean_line(err.decode("utf-8", "replace").strip(), SAID_MAX))
            words = f" ({said})" if said else ""
            raise CredentialsError(f"{self._name} ended with code {self._child.returncode}{words}: check it.")
        if wrong := _wrong(out):
            raise CredentialsError(f"{self._name} printed {wrong}: run it by hand to see it.")
        return out, b""

    async def _kill(self) -> None:
        """End it with its group, and wait for that, but not for other processes that hold its output open.

        asyncio reports the end of a process only when its pipes are empty, so they are read.
        """
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(KILL_S):
                await asyncio.gather(_drop(self._child.stdout), _drop(self._child.stderr))
                await self._child.wait()


class _TooMuch(Exception):
    pass


async def _drop(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(1 << 16):
        pass


async def _all(stream: asyncio.StreamReader | None) -> bytes:
    data = b""
    while stream is not None and (part := await stream.read(1 << 16)):
        data += part
        if len(data) > OUTPUT_MAX:
            raise _TooMuch
    return data


def _wrong(out: bytes) -> str:
    """Return what was printed instead of credentials, quoting nothing of it; "" for credentials.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
    """
    try:
        printed = json.loads(out.decode())
    except (ValueError, RecursionError):
        return "something that is not JSON"
    if not isinstance(printed, dict):
        return "something that is not JSON with credentials"
    if printed.get("Version") != 1:
        return "JSON whose Version is not 1"
    for name, needed in _NEEDED.items():
        value = printed.get(name)
        if (needed or value is not None) and not (isinstance(value, str) and _HEADER_VALUE.fullmatch(value)):
            return f"JSON without a usable {name}"
    return "" if _is_time(printed.get("Expiration")) else "JSON without a usable Expiration"


def _is_time(value: Any) -> bool:
    """Return whether the SDK can read it as a time with a time zone; None never expires."""
    if isinstance(value, str) and len(value) > MOMENT_CHARS:
        return False
    try:
        return value is None or dateutil.parser.parse(value).tzinfo is not None
    except (ValueError, OverflowError, TypeError):
        return False
