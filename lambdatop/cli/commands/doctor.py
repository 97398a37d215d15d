"""Check everything that lambdatop depends on, before anything else has to work."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from lambdatop.cli import stdio
from lambdatop.cli.commands.policy import printed_policy
from lambdatop.cli.context import places
from lambdatop.cli.exit_codes import DONE, FAILED
from lambdatop.cli.log_file import close_log, open_log
from lambdatop.cli.options import choose
from lambdatop.cli.terminal import mfa
from lambdatop.cli.terminal.dumb_terminal import is_dumb
from lambdatop.cli.terminal.local_checks import paths_checks, terminal_checks, version_checks
from lambdatop.config.aws_profile import profile_status
from lambdatop.domain.diagnosis import Check, Report, mitigation_checks, permission_checks
from lambdatop.domain.errors import CredentialsError, LambdatopError, UsageError
from lambdatop.domain.mitigations.iam_policy import POLICIES
from lambdatop.domain.sanitize import clean_line
from lambdatop.domain.settings.settings import Settings
from lambdatop.report.text.doctor import report_json, report_text

if TYPE_CHECKING:
    from lambdatop.aws.doctor.checks import Examined

NO_FILE = Path("/lambdatop has no file here")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace) -> int:
    """Run all checks and print them; return 1 when one fails."""
    report = _report(args, os.environ)
    if args.json:
        stdio.document(report_json(report))
    else:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and not is_dumb(os.environ)
        stdio.data(report_text(report, width=shutil.get_terminal_size().columns, colour=colour))
    return FAILED if report.failed else DONE


@dataclass(slots=True)
class _Known:
    """What is known about the configuration, and its problems."""

    settings: Settings = field(default_factory=Settings)
    checks: list[Check] = field(default_factory=list)


def _report(args: argparse.Namespace, environ: Mapping[str, str]) -> Report:
    from lambdatop.engine.clock import SystemClock

    known = _settled(args, environ)
    policies = {name: printed_policy(name).actions for name in POLICIES}
    everything = tuple(dict.fromkeys(action for actions in policies.values() for action in actions))
    clock = SystemClock()
    at = clock.now()
    log = open_log(None, debug=False)
    try:
        found = _examined(known.settings, environ, everything)
    finally:
        close_log(log)
    answers = {action: found.permissions.get(action, "unknown") for action in everything}
    checks = (
        *found.checks,
        *permission_checks(answers, policies, found.why),
        *mitigation_checks(answers),
        *terminal_checks(environ),
        *known.checks,
        *version_checks(),
    )
    harmless = (replace(c, detail=clean_line(c.detail), do=clean_line(c.do)) for c in checks)
    return Report(at, tuple(harmless), answers)


def _settled(args: argparse.Namespace, environ: Mapping[str, str]) -> _Known:
    """Return as much of the configuration as is valid; every fault of it is a line."""
    from lambdatop.config.load import load

    known = _Known()
    try:
        chosen = choose(args, environ)
        paths = places(chosen, environ)
    except LambdatopError as error:
        known.checks.append(_wrong("options", error))
        return known
    known.checks += paths_checks(paths)
    try:
        known.settings = load(
            paths.config_file,
            asked=paths.config_asked,
            given=chosen.given,
            section=chosen.section,
            write=chosen.write,
        ).settings
    except LambdatopError as error:
        known.checks.append(_wrong("configuration", error))
        # What stands in flags and variables is still what the user points at.
        with suppress(LambdatopError):
            known.settings = load(NO_FILE, given=chosen.given).settings
    try:
        profile_status(environ, known.settings.profile)
    except LambdatopError as error:
        known.checks.append(_wrong("AWS files", error))
    return known


def _wrong(name: str, error: LambdatopError) -> Check:
    do = (
        "Correct it; `lambdatop config check` names every line." if name == "configuration" else "Correct it."
    )
    return Check("paths", name, "fail", "; ".join(str(error).split("\n")), do)


def _examined(settings: Settings, environ: Mapping[str, str], actions: Sequence[str]) -> Examined:
    from lambdatop.aws.doctor.checks import examine
    from lambdatop.aws.sdk.connection import Connection
    from lambdatop.engine.clock import SystemClock
    from lambdatop.engine.rate_limiter import TokenBuckets
    from lambdatop.engine.spend_meter import SpendMeter

    clock = SystemClock()
    codes = None
    with suppress(CredentialsError, UsageError):  # nobody to ask, or no file to read: another line says it
        codes = mfa.asked_codes(settings, environ, console=False)
    wanted = Connection(
        profile=settings.profile,
        region=settings.region,
        endpoint_url=settings.endpoint_url,
        read_only=True,
        codes=codes,
    )
    meter = SpendMeter(clock, settings.limits.budget_usd_per_hour)
    limiter = TokenBuckets(clock, settings.limits)
    limited = settings.session_policy == "read-only"
    return asyncio.run(
        examine(wanted, limiter=limiter, meter=meter, clock=clock, actions=actions, limited=limited)
    )
