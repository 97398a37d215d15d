"""Run the profile's login on the plain terminal for `:login`, while the console is suspended."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lambdatop.cli import stdio
from lambdatop.cli.terminal import mfa
from lambdatop.config.aws_profile import Kind, ProfileStatus, profile_status
from lambdatop.domain.sanitize import clean_line

if TYPE_CHECKING:
    from lambdatop.aws.sdk.mfa import MfaCodes
    from lambdatop.domain.settings.settings import Settings

_BY_HAND: Mapping[Kind, str] = {
    "environment": "The keys come from variables of this process, which nothing outside can change. If they "
    "have expired, leave with q and start lambdatop with new ones.",
    "process": "The profile's credential_process is run again now; if it needs a login of its own, do that "
    "first, in another terminal.",
    "keys": "The keys are in a file of the AWS CLI (`aws configure`): put new ones there, elsewhere.",
    "role": "The role's credentials come from where lambdatop runs; they are asked for again now.",
    "other": "Nothing here knows how this profile logs in: do it in another terminal.",
}


def login_for(settings: Settings, environ: Mapping[str, str], codes: MfaCodes | None) -> Callable[[], str]:
    """Return a function that logs in once, blocking, and returns in one sentence how it ended.

    Ctrl-C cancels it.
    """

    def log_in() -> str:
        try:
            with mfa.ctrl_c_at_once():
                return _log_in(profile_status(environ, settings.profile), environ, codes)
        except KeyboardInterrupt:
            return "The login was cancelled; lambdatop continues with the present credentials."

    return log_in


def _log_in(look: ProfileStatus, environ: Mapping[str, str], codes: MfaCodes | None) -> str:
    name = clean_line(look.name, 80)
    stdio.words(f"\nlambdatop: logging in for profile {name}. The console comes back afterwards.")
    if look.kind in ("sso", "login"):
        problem = _with_the_aws_cli(look, environ)
        if problem:
            return problem
    if look.mfa_serials and codes is not None:
        if not mfa.ask(look, codes):
            return "No MFA code was given; lambdatop continues with the present credentials."
        return "Connecting with the new MFA code."
    if look.kind not in ("sso", "login"):
        stdio.words(f"lambdatop: {_BY_HAND[look.kind]}")
        _wait()
    return "Connecting with the new credentials."


def _with_the_aws_cli(look: ProfileStatus, environ: Mapping[str, str]) -> str:
    """Run the AWS CLI's login, or have it run elsewhere; what went wrong, "" when nothing did."""
    what = ["sso", "login"] if look.kind == "sso" else ["login"]
    argv = ["aws", *what, "--profile", look.ends_at]
    shown = clean_line(shlex.join(argv), 200)
    program = shutil.which("aws", path=environ.get("PATH"))
    if program is None:
        stdio.words(f"lambdatop: the AWS CLI is not on PATH. Run this where it is, in this account: {shown}")
        _wait()
        return ""
    stdio.words(f"lambdatop: running {shown}")
    try:
        code = subprocess.run([program, *argv[1:]], env=dict(environ), check=False).returncode
    except OSError as error:
        return f"{shown} could not be run: {clean_line(str(error.strerror), 120)}."
    return f"{shown} failed (exit {code}); lambdatop continues with the present credentials." if code else ""


def _wait() -> None:
    stdio.ask("Press Enter to continue: ")
