"""Global options: those of settings, from their fields, and four more; parser and documents share them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta

from msgspec import Struct

from lambdatop.config import schema
from lambdatop.config.aws_profile import environment_profile
from lambdatop.config.load import Given
from lambdatop.domain.endpoint import shown_url
from lambdatop.domain.errors import UsageError
from lambdatop.domain.sanitize import clean_line


class GlobalOption(Struct, frozen=True):
    """One option of every command. `setting` is the dotted key it sets; switches take no value."""

    flags: tuple[str, ...]
    dest: str
    help: str
    metavar: str = ""
    setting: str = ""

    @property
    def switch(self) -> bool:
        """Whether it is on or off."""
        return not self.metavar

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return f"LAMBDATOP_{self.dest.upper()}"


def _of_settings() -> Iterator[GlobalOption]:
    for option in schema.OPTIONS:
        if option.flags:
            dest = option.path.rpartition(".")[2]
            words = f"{option.help} ({option.limits})" if option.limits else option.help
            yield GlobalOption(option.flags, dest, words, option.metavar, option.path)


GLOBALS: tuple[GlobalOption, ...] = (
    *_of_settings(),
    GlobalOption(("--write",), "write", "allow changes although the configuration says read_only"),
    GlobalOption(("-c", "--config"), "config", "configuration file", "FILE"),
    GlobalOption(("--state-dir",), "state_dir", "where journal and log are kept", "DIR"),
    GlobalOption(("--debug",), "debug", "show tracebacks, write a verbose log"),
)


def add_globals(parser: argparse.ArgumentParser) -> None:
    """Add the global options; without defaults, so that they may stand before or after the command."""
    group = parser.add_argument_group("global options (before or after the command)")
    for option in GLOBALS:
        if option.switch:
            group.add_argument(
                *option.flags,
                dest=option.dest,
                action="store_true",
                default=argparse.SUPPRESS,
                help=option.help,
            )
        else:
            group.add_argument(
                *option.flags,
                dest=option.dest,
                metavar=option.metavar,
                default=argparse.SUPPRESS,
                help=option.help,
            )


class Chosen(Struct, frozen=True):
    """What flags and variables say together. `write` is the origin of an explicit --write, or None."""

    given: Mapping[str, Given]
    texts: Mapping[str, str]
    write: str | None
    debug: bool
    section: str | None


def choose(args: argparse.Namespace, environ: Mapping[str, str]) -> Chosen:
    """Choose flags before LAMBDATOP_* variables before the SDK's own AWS_PROFILE and AWS_REGION.

    Raises:
        UsageError: a value is wrong, or --read-only and --write stand together.
    """
    given: dict[str, Given] = {}
    texts: dict[str, str] = {}
    for option in GLOBALS:
        if option.switch:
            on = option.setting not in ("", "read_only") and _switch(option.dest, args, environ)
            if on:
                given[option.setting] = Given(True, on)
            continue
        found = _text(option, args, environ)
        if found is None:
            continue
        text, origin = found
        if option.setting:
            value, problem = schema.parse_text(schema.BY_PATH[option.setting], text)
            if problem:
                shown = shown_url(text) if option.setting == "endpoint_url" else clean_line(text, 80)
                raise UsageError(f"{origin} {problem} (it is {shown!r})")
            given[option.setting] = Given(value, origin)
        else:
            texts[option.dest] = text
    _let_sdk_variables_win(given, environ)
    write = _settle_mode(given, args, environ)
    debug = _switch("debug", args, environ) is not None
    named = environment_profile(environ)
    return Chosen(given, texts, write, debug, named[0] if named else None)


def _text(
    option: GlobalOption, args: argparse.Namespace, environ: Mapping[str, str]
) -> tuple[str, str] | None:
    if hasattr(args, option.dest):
        return str(getattr(args, option.dest)), f"flag {option.flags[-1]}"
    text = environ.get(option.variable, "")
    return (text, f"variable {option.variable}") if text else None


_SDK_VARIABLES = {
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "endpoint_url": ("AWS_ENDPOINT_URL",),
}


def _let_sdk_variables_win(given: dict[str, Given], environ: Mapping[str, str]) -> None:
    """Let the SDK's variables override our file.

    AWS_REGION is passed on, because botocore reads AWS_DEFAULT_REGION only. AWS_PROFILE and AWS_ENDPOINT_URL
    are left to the SDK: naming a profile would switch off keys in the environment.
    """
    named = environment_profile(environ)
    if named and "profile" not in given:
        given["profile"] = Given(None, f"variable {named[1]}")
    for setting, names in _SDK_VARIABLES.items():
        name = next((name for name in names if environ.get(name)), None)
        if name is None or setting in given:
            continue
        value = environ[name] if setting == "region" else None
        if value is not None and (problem := schema.check(schema.BY_PATH[setting], value)[1]):
            raise UsageError(f"variable {name} {problem} (it is {clean_line(value, 80)!r})")
        given[setting] = Given(value, f"variable {name}")


def _settle_mode(given: dict[str, Given], args: argparse.Namespace, environ: Mapping[str, str]) -> str | None:
    """Put an asked-for read_only into `given`; return the origin of an explicit --write."""
    read_only, write = _switch("read_only", args, environ), _switch("write", args, environ)
    if read_only and write and read_only.split()[0] == write.split()[0]:
        raise UsageError(f"{read_only} and {write} contradict each other")
    if read_only and not (write and write.startswith("flag")):
        given["read_only"] = Given(True, read_only)
        return None
    return write


def _switch(dest: str, args: argparse.Namespace, environ: Mapping[str, str]) -> str | None:
    """Return the origin of a switch that is on, None when it is off."""
    option = next(o for o in GLOBALS if o.dest == dest)
    if getattr(args, dest, False):
        return f"flag {option.flags[0]}"
    text = environ.get(option.variable, "")
    value = schema.truth(text)
    if value is None:
        raise UsageError(f"variable {option.variable} needs true or false (it is {clean_line(text, 80)!r})")
    return f"variable {option.variable}" if value else None


def options_table() -> str:
    """Return the table of global options for docs/commands.md."""
    return "\n".join(_rows()) + "\n"


def _rows() -> Iterator[str]:
    yield "| option | variable | key in config.yaml | what it does |"
    yield "|---|---|---|---|"
    for option in GLOBALS:
        flags = " ".join(f"`{flag}`" for flag in option.flags)
        value = f" *{option.metavar}*" if option.metavar else ""
        key = f"`{option.setting}`" if option.setting else ""
        yield f"| {flags}{value} | `{option.variable}` | {key} | {option.help} |"


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST_S = 14 * 86_400
DURATIONS = "30s, 10m, 1h30m, 2 days or 1w, at most 14d"
_TIME_OF_DAY = re.compile(r"\d\d:\d\d", re.ASCII)
A_TIME = "10:15 or 2026-11-30T12:00Z"
_PART = re.compile(r"(\d{1,9})\s?(sec|min|hour|hr|day|week|s|m|h|d|w)(?:onds?|utes?|s)?\s?", re.ASCII)


def parse_seconds(text: str) -> float:
    """Parse `30`, `30s`, `1h30m`, `1w`, `10 min ago` as s.

    Raises:
        UsageError: it is something else, or longer than 14 days.
    """
    rest = text.strip().lower().removesuffix("ago").strip()
    rest = f"{rest}s" if rest.isascii() and rest.isdigit() else rest
    total = 0
    while part := _PART.match(rest):
        total += int(part[1]) * _UNITS[part[2][0]]
        rest = rest[part.end() :]
    if rest or not text.strip(" ago") or total > LONGEST_S:
        raise UsageError(f"{text!r} is not a duration; write {DURATIONS}")
    return float(total)


def _parse_ago(text: str) -> float:
    try:
        return parse_seconds(text)
    except UsageError:
        raise UsageError(
            f"{text!r} is neither a duration nor a time; write {DURATIONS}, or a time like {A_TIME}"
        ) from None


def _of_today(text: str) -> float | None:
    """Return how many s ago it was 10:15 (UTC) for the last time, None for another text."""
    try:
        read = time.fromisoformat(text.strip()) if _TIME_OF_DAY.fullmatch(text.strip()) else None
    except ValueError:
        return None
    if read is None:
        return None
    now = datetime.now(UTC)
    then = datetime.combine(now.date(), read, UTC)
    return (now - (then if then <= now else then - timedelta(days=1))).total_seconds()


def parse_age(text: str) -> float:
    """Parse how long ago (see `parse_seconds`), or a time: 10:15 or 2026-11-30T12:00Z, as s before now.

    A time without a zone is UTC, as everywhere on screen.

    Raises:
        UsageError: it is neither, or not within the last 14 days.
    """
    if (age := _of_today(text)) is not None:
        return age
    try:
        read = datetime.fromisoformat(text.strip())
        age = (datetime.now(UTC) - (read if read.tzinfo else read.replace(tzinfo=UTC))).total_seconds()
    except (ValueError, OverflowError):
        return _parse_ago(text)
    if not 0 <= age <= LONGEST_S:
        raise UsageError(f"{text!r} is not within the last 14 days")
    return age


def seconds(text: str) -> float:
    """Parse seconds from 0 to a day, with a fraction; argparse turns the error into a usage message."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return value
