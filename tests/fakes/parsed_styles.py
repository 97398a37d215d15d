"""The apps of a test process parse each stylesheet once: a sixth of their start is parsing it."""

from __future__ import annotations

from typing import Any

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_parse = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


def _parse_once(self: Stylesheet, css: str, *args: Any, **options: Any) -> list[RuleSet]:
    """Parse the text with these variables, which the theme gives."""
    key = (css, args, tuple(options.items()), tuple(self._variables.items()))
    rules = _parsed.get(key)
    if rules is None:
        rules = _parsed[key] = _parse(self, css, *args, **options)
    return rules


def share() -> None:
    """Let all apps of this process share what was parsed."""
    Stylesheet._parse_rules = _parse_once  # type: ignore[method-assign]
