"""Write config.example.yaml from the schema, so that it always shows the defaults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lambdatop.config import schema
from lambdatop.domain.settings.settings import Settings

_HEAD = """\
# lambdatop's configuration. Copy it to ~/.config/lambdatop/config.yaml and keep the lines you change:
# each line below holds its default, so a file with none of them means the same.
#
# Order of precedence: flag, LAMBDATOP_* variable, the section of your AWS profile, the file, the default.
# `lambdatop config show` says where each value came from, `lambdatop config check` whether it is valid.
# The file must belong to you and be writable by nobody else.

"""
_TAIL = """
# Settings for single AWS profiles: any key from above except `profile`. The section counts for the profile
# in use: of --profile, LAMBDATOP_PROFILE, AWS_DEFAULT_PROFILE, AWS_PROFILE and this file the first names it
# (the SDK's own order). When the SDK then uses another profile, lambdatop ends with an error.
profiles: {}
#profiles:
#  production:
#    read_only: true
#    screen:
#      theme: high-contrast
"""
_ACCOUNTS = """
# Accounts that may only be looked at, by their id (12 digits), whatever profile leads there. The
# account is known once AWS has said who we are, before anything could be changed; --write lifts this too.
accounts: {}
#accounts:
#  "123456789012":
#    read_only: true
"""


def render_example() -> str:
    """Return the whole text of config.example.yaml."""
    return _HEAD + "".join(f"{line}\n" for line in _lines()) + _TAIL + _ACCOUNTS


def _lines() -> Iterator[str]:
    above: list[str] = []
    words = {name: about.get("help", "") for name, about in Settings.described.items()}
    for path, value in schema.flatten(Settings()):
        *sections, name = path.split(".")
        for depth, section in enumerate(sections):
            if sections[: depth + 1] != above[: depth + 1]:
                if depth == 0:
                    yield ""
                    yield f"# {words[section]}"
                yield f"{'  ' * depth}{section}:"
        above = sections
        setting = f"{'  ' * len(sections)}{name}: {scalar(value)}"
        option = schema.BY_PATH[path]
        before = "true" if option.type == "bool" else option.limits
        null = f"; null = {option.null}" if option.null else ""
        yield f"{setting:<32}  # {f'{before}: ' if before else ''}{option.help}{null}"


def scalar(value: Any) -> str:
    """Return a setting's value as YAML writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
