"""Ask for MFA codes: before the console takes the terminal, and before a command connects."""

from __future__ import annotations

import getpass
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambdatop.aws.sdk.mfa import REFUSED, MfaCodes
from lambdatop.cli import stdio
from lambdatop.config.aws_profile import ProfileStatus, profile_status
from lambdatop.domain.errors import CredentialsError
from lambdatop.domain.sanitize import clean_line

if TYPE_CHECKING:
    from lambdatop.domain.settings.settings import Settings

TRIES = 3
"""How often a code is asked for: AWS counts wrong ones."""

_IN_CONSOLE = "type :login, which asks for it"
_IN_COMMAND = "run the command again, which asks for it"


def asked_codes(settings: Settings, environ: Mapping[str, str], *, console: bool) -> MfaCodes:
    """Return the codes that the profile needs, asked for now; none when it needs none.

    Raises:
        CredentialsError: a code is needed, and nobody can be asked for it.
    """
    codes = MfaCodes(_IN_CONSOLE if console else _IN_COMMAND)
    look = profile_status(environ, settings.profile)
    if look.mfa_serials and not ask(look, codes):
        serials = ", ".join(clean_line(serial, 200) for serial in look.mfa_serials)
        raise CredentialsError(
            f"Profile {clean_line(look.name, 80)} needs an MFA code of {serials}, and nobody is there: "
            "run it on a terminal, or get a session first (`aws sts get-session-token`) and use its profile."
        )
    return codes


def ask_again(
    error: CredentialsError, settings: Settings, environ: Mapping[str, str], codes: MfaCodes
) -> bool:
    """Report a refusal and ask again, where it was about a code and a person is at the terminal."""
    codes.forget()
    codes.refusals += error.code == REFUSED
    if error.code != REFUSED or codes.refusals >= TRIES:
        return False
    stdio.message(str(error))
    return ask(profile_status(environ, settings.profile), codes)


def ask(look: ProfileStatus, codes: MfaCodes) -> bool:
    """Ask for the code of each device on the way; False when nobody gives one."""
    for serial in look.mfa_serials:
        code = _ask_one(serial, look.name)
        if code is None:
            return False
        codes.hold(serial, code)
    return True


def _ask_one(serial: str, profile: str) -> str | None:
    """Read six digits, typed without an echo; return None without a terminal, or when the input ended."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        return None
    question = f"MFA code of {clean_line(serial, 200)} for profile {clean_line(profile, 80)}: "
    for _ in range(TRIES):
        try:
            with ctrl_c_at_once():
                typed = getpass.getpass(question, stream=sys.stderr)
        except EOFError:
            return None
        if re.fullmatch(r"[0-9]{6}", typed.strip()):
            return typed.strip()
        stdio.message("an MFA code has six digits")
    return None


@contextmanager
def ctrl_c_at_once() -> Iterator[None]:
    """Let Ctrl-C interrupt a read from the terminal.

    Asyncio's handler only cancels a task, which does not wake it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
