"""Read from the AWS configuration which kind of login a profile needs, before the SDK is imported.

It reads what botocore reads and decides as botocore does. Where the two could differ (a file that cannot be
parsed, a loop of source profiles), it returns nothing and leaves the error to the SDK. A file that exists and
cannot be read is an error here: botocore ignores it, and would use other credentials.
"""

from __future__ import annotations

import configparser
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

from lambdatop.config.presence import read_file
from lambdatop.domain.errors import UsageError
from lambdatop.domain.sanitize import clean_line

MAX_BYTES = 4_000_000
"""Largest AWS file that is read, bytes; files with thousands of profiles are far smaller."""

Kind = Literal["environment", "sso", "role", "process", "login", "keys", "other"]
Sections = Mapping[str, Mapping[str, str]]


class ProfileStatus(Struct, frozen=True):
    """What is known of a profile.

    `kind` is how its chain of source profiles ends; `ends_at` is the profile at that end, which is the one to
    log in to. `mfa_serials` are the devices whose codes are asked for on the way, in botocore's order.
    """

    name: str
    kind: Kind
    ends_at: str
    mfa_serials: tuple[str, ...] = ()


SDK_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
"""Variables that name a profile, in botocore's order (BOTOCORE_DEFAUT_SESSION_VARIABLES): the first wins."""


def environment_profile(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the profile that the environment names for the SDK, and the variable; None when it names none.

    The first variable that is set decides, as in botocore. When it is set to nothing, nothing is named, and
    the other variable does not count: botocore then refuses to work, unless a profile is handed to it.
    """
    variable = next((name for name in SDK_VARIABLES if name in environ), None)
    return (environ[variable], variable) if variable and environ[variable] else None


def profile_status(environ: Mapping[str, str], asked: str | None) -> ProfileStatus:
    """Return what is known of the profile that `asked` (flag, variable or our file) or the environment names.

    Raises:
        UsageError: a file of AWS's configuration is there and cannot be read.
    """
    named = environment_profile(environ)
    name = asked or (named[0] if named else "default")
    if not asked and environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        return ProfileStatus(name, "environment", name)
    profiles = _profiles(environ)
    serials: list[str] = []
    seen = [name]
    here = profiles.get(name, {})
    while _is_role(here) and _assumed(here, seen):
        serials += [here["mfa_serial"]] if here.get("mfa_serial") else []
        source = here.get("source_profile", "")
        if not source or source in seen[:-1] or (source == seen[-1] and not _has_keys(here)):
            return ProfileStatus(name, "role", seen[-1], tuple(reversed(serials)))
        if source == seen[-1]:
            return ProfileStatus(name, "keys", source, tuple(reversed(serials)))
        seen.append(source)
        here = profiles.get(source, {})
    return ProfileStatus(name, _kind(here), seen[-1], tuple(reversed(serials)))


def _assumed(profile: Mapping[str, str], seen: list[str]) -> bool:
    """Return whether a role is assumed here: a source profile with keys of its own gives those instead."""
    return len(seen) == 1 or not _has_keys(profile)


def _is_role(profile: Mapping[str, str]) -> bool:
    return "role_arn" in profile and "web_identity_token_file" not in profile


def _has_keys(profile: Mapping[str, str]) -> bool:
    return "aws_access_key_id" in profile or "aws_secret_access_key" in profile


def _kind(profile: Mapping[str, str]) -> Kind:
    if "sso_session" in profile or "sso_start_url" in profile:
        return "sso"
    if _has_keys(profile):
        return "keys"
    if "login_session" in profile:
        return "login"
    return "process" if "credential_process" in profile else "other"


def _profiles(environ: Mapping[str, str]) -> Sections:
    home = environ.get("HOME", "")
    config = environ.get("AWS_CONFIG_FILE") or f"{home}/.aws/config"
    shared = environ.get("AWS_SHARED_CREDENTIALS_FILE") or f"{home}/.aws/credentials"
    found: dict[str, dict[str, str]] = {}
    for section, values in _sections(config, home).items():
        name = _profile_name(section)
        if name:
            found[name] = dict(values)
    for section, values in _sections(shared, home).items():
        found.setdefault(section, {}).update(values)
    return found


def _profile_name(section: str) -> str:
    if section == "default":
        return section
    try:
        words = shlex.split(section)
    except ValueError:
        return ""
    return words[1] if len(words) == 2 and words[0] == "profile" else ""


def _sections(file: str, home: str) -> Sections:
    parser = configparser.RawConfigParser(default_section="\0")
    path = Path(f"{home}{file[1:]}" if file.startswith("~/") else file)
    if str(path) == os.devnull:
        return {}
    try:
        parser.read_string(read_file(path, MAX_BYTES).decode())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(
            f"The AWS configuration file {clean_line(str(path), 300)} cannot be read ({error.strerror}): "
            "without it the SDK might use other credentials. Make it readable, or name another file with "
            f"AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE ({os.devnull} for none)."
        ) from None
    except (UnicodeDecodeError, configparser.Error):
        return {}
    return {name: dict(parser.items(name)) for name in parser.sections()}
