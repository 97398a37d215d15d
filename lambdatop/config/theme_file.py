"""Read theme files: YAML with semantic slots, checked completely before they are used.

A theme names what a colour is for (`critical`, `stale`, `log_warn`), never where it is used, so a new pane
needs no new theme. Nothing here imports Textual: colours are the part of CSS that both accept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from msgspec import Struct, field

from lambdatop.config.presence import is_there, read_file
from lambdatop.domain.error_words import did_you_mean
from lambdatop.domain.sanitize import clean_line

DEFAULT_THEME = "midnight"
NO_COLOR_THEME = "mono"
MAX_BYTES = 16_384
MAX_FILES = 100

SLOTS = (
    "background",
    "surface",
    "panel",
    "foreground",
    "muted",
    "faint",
    "accent",
    "border",
    "border_focus",
    "ok",
    "info",
    "warning",
    "critical",
    "stale",
    "selection",
    "selection_foreground",
    "selection_blurred",
    "spark",
    "spark_error",
    "log_error",
    "log_warn",
    "log_info",
    "log_debug",
    "log_platform",
)
"""Every colour that the console uses; a theme names them all."""

ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse", "strike", "none")
_ANSI = "black red green yellow blue magenta cyan white"
ANSI_COLORS = (
    "ansi_default",
    *(f"ansi_{prefix}{name}" for prefix in ("", "bright_") for name in _ANSI.split()),
)
_TOP = ("name", "description", "dark", "ansi", "colors", "styles")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")


class ThemeFile(Struct, frozen=True):
    """One checked theme: a colour per slot, and text attributes for some slots.

    `ansi` themes use the terminal's own colours only, so they also look right without true colour.
    """

    name: str
    description: str
    dark: bool
    ansi: bool
    colors: Mapping[str, str]
    styles: Mapping[str, str] = field(default_factory=dict)


class Themes(Struct, frozen=True):
    """What was found: usable themes by name, and one sentence per problem."""

    themes: Mapping[str, ThemeFile] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def choose(self, name: str) -> tuple[str, str]:
        """Return the theme to start with, and a sentence when it is not the one that was asked for."""
        if name in self.themes:
            return name, ""
        return DEFAULT_THEME, f"{self.missing(name)}; using {DEFAULT_THEME}"

    def missing(self, name: str) -> str:
        """Return what is wrong with a name that no usable theme has, and the nearest one that has."""
        return f"there is no usable theme {clean_line(name, 60)!r}{did_you_mean(name, self.themes)}"

    def message(self) -> str:
        """Return all problems as one message, empty when there are none."""
        if not self.problems:
            return ""
        return "Themes that cannot be used:\n" + "\n".join(f"- {p}" for p in self.problems)


def load_themes(directories: Iterable[Path]) -> Themes:
    """Load all themes of some directories; a later directory may replace a theme of an earlier one.

    A file that is wrong is left out and reported; nothing is raised. A directory that does not exist
    holds no themes.
    """
    themes: dict[str, ThemeFile] = {}
    problems: list[str] = []
    for directory in directories:
        for path in _files(directory, problems):
            found = _load(path)
            if isinstance(found, ThemeFile):
                themes[found.name] = found
            else:
                problems.append(f"{path}: {'; '.join(found)}")
    return Themes(MappingProxyType(themes), tuple(problems))


def _files(directory: Path, problems: list[str]) -> list[Path]:
    try:
        if not is_there(directory):
            return []
        paths = sorted(p for p in directory.iterdir() if p.suffix in (".yaml", ".yml"))
    except OSError as error:
        problems.append(f"{directory}: {error.strerror or 'cannot be read'}")
        return []
    if len(paths) > MAX_FILES:
        problems.append(f"{directory}: more than {MAX_FILES} theme files, only the first are read")
    return paths[:MAX_FILES]


def _load(path: Path) -> ThemeFile | list[str]:
    """Return the theme in a file, or what is wrong with it."""
    try:
        raw = read_file(path, MAX_BYTES)
        if len(raw) > MAX_BYTES:
            return [f"larger than {MAX_BYTES} bytes"]
        text = raw.decode("utf-8")
        # A few lines of nested aliases can expand to gigabytes.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            return ["aliases (*name) are not supported"]
        data = yaml.safe_load(text)
    except OSError as error:
        return [error.strerror or "cannot be read"]
    except UnicodeDecodeError:
        return ["not UTF-8"]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return [_yaml_problem(error)]
    if not isinstance(data, dict):
        return ["a theme is a mapping with name and colors"]
    return parse_theme(data)


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    return where + clean_line(str(getattr(error, "problem", None) or "not valid YAML"), 200)


def parse_theme(data: Mapping[Any, Any]) -> ThemeFile | list[str]:
    """Return a theme from parsed YAML, or every problem it has."""
    problems = _unknown(data, _TOP, "key")
    name, description = data.get("name"), data.get("description", "")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append("name: lower-case letters, digits and hyphens, at most 40")
    if not isinstance(description, str):
        problems.append("description: must be text")
    for key in ("dark", "ansi"):
        if not isinstance(data.get(key, False), bool):
            problems.append(f"{key}: must be true or false")
    colors = _colors(data.get("colors"), data.get("ansi") is True, problems)
    styles = _styles(data.get("styles", {}), problems)
    if problems:
        return problems
    return ThemeFile(
        str(name),
        clean_line(str(description), 80),
        bool(data.get("dark", True)),
        bool(data.get("ansi", False)),
        MappingProxyType(colors),
        MappingProxyType(styles),
    )


def _unknown(data: Mapping[Any, Any], known: Iterable[str], what: str) -> list[str]:
    known = tuple(known)
    strange = [clean_line(str(k), 60) for k in data if k not in known]
    return [f"unknown {what} {k!r}{did_you_mean(k, known)}" for k in strange]


def _colors(data: object, ansi: bool, problems: list[str]) -> dict[str, str]:
    if not isinstance(data, dict):
        problems.append("colors: must name a colour for each slot")
        return {}
    problems += _unknown(data, SLOTS, "colour")
    missing = [slot for slot in SLOTS if slot not in data]
    if missing:
        problems.append(f"colors: missing {', '.join(missing)}")
    for slot in SLOTS:
        if slot in data and not is_color(data[slot]):
            shown = clean_line(str(data[slot]), 60)
            problems.append(
                f"colors.{slot}: {shown!r} is not a colour (#rgb, #rrggbb, rgb(r,g,b), ansi_red …)"
            )
        elif slot in data and ansi and not str(data[slot]).startswith("ansi_"):
            problems.append(f"colors.{slot}: an ansi theme uses ansi_* colours only")
    return {slot: str(data[slot]) for slot in SLOTS if slot in data}


def _styles(data: object, problems: list[str]) -> dict[str, str]:
    if not isinstance(data, dict):
        problems.append("styles: must map slots to text attributes")
        return {}
    problems += _unknown(data, SLOTS, "style")
    for slot, value in data.items():
        words = value.split() if isinstance(value, str) else []
        wrong = [clean_line(w, 40) for w in words if w not in ATTRIBUTES]
        if not words or wrong:
            problems.append(f"styles.{clean_line(str(slot), 40)}: only {', '.join(ATTRIBUTES)}")
    return {str(slot): str(value) for slot, value in data.items()}


def is_color(value: object) -> bool:
    """Return whether `value` is a valid colour: `#rgb`, `#rrggbb`, `rgb(r,g,b)`, `ansi_<name>`."""
    if not isinstance(value, str):
        return False
    if value in ANSI_COLORS or _HEX.fullmatch(value):
        return True
    match = _RGB.fullmatch(value)
    return bool(match) and all(int(part) <= 255 for part in match.groups()) if match else False
