"""Describe every setting that a user may write, from the fields of `domain/settings/`: key, type, range."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.settings.fields import Check, Section
from lambdatop.domain.settings.settings import Settings

Type = Literal["str", "bool", "int", "float"]
T = TypeVar("T", bound=Section)


class Option(Struct, frozen=True):
    """One key, as its field describes it (`domain/settings/fields.py`).

    `unit` is shown behind the default; `low` and `high` are the inclusive range, `null` is what null means,
    `check` says what a text needs. `at_most` is a key that it must not exceed. `flags` and `metavar` are its
    option on the command line, where it has one.
    """

    path: str
    type: Type
    optional: bool
    help: str
    unit: str = ""
    low: float = 0.0
    high: float = math.inf
    null: str = ""
    check: Check | None = None
    at_most: str = ""
    flags: tuple[str, ...] = ()
    metavar: str = ""

    @property
    def limits(self) -> str:
        """Unit and range of a number, "" for anything else."""
        return f"{self.unit}, {plain(self.low)} to {plain(self.high)}" if self.unit else ""


def _options(settings: Section, prefix: str = "") -> Iterator[Option]:
    """Yield the options of all leaves that a user may set, in the order of their fields."""
    for name in settings.__struct_fields__:
        value, metadata = getattr(settings, name), settings.described.get(name, {})
        if metadata.get("fixed"):  # not the user's to set
            continue
        if isinstance(value, Section):
            yield from _options(value, f"{prefix}{name}.")
        else:
            kind, _, none = str(type(settings).__annotations__[name]).partition(" | ")
            yield Option(f"{prefix}{name}", cast("Type", kind), bool(none), **metadata)


OPTIONS: tuple[Option, ...] = tuple(_options(Settings()))
BY_PATH: Mapping[str, Option] = {option.path: option for option in OPTIONS}
SECTIONS = frozenset(o.path.rsplit(".", i)[0] for o in OPTIONS for i in range(1, o.path.count(".") + 1))


class Order(NamedTuple):
    """A pair of options of which the first must not be larger than the second."""

    smaller: str
    larger: str


ORDERS = (
    *(
        Order(path, path.replace("warning", "critical"))
        for path in BY_PATH
        if ".warning" in path and path.replace("warning", "critical") in BY_PATH
    ),
    *(Order(option.path, option.at_most) for option in OPTIONS if option.at_most),
)


def flatten(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and values of all options, in their order."""
    for option in OPTIONS:
        yield option.path, attrgetter(option.path)(settings)


def build(values: Mapping[str, Any]) -> Settings:
    """Return settings with some dotted keys set and all others at their defaults."""
    return _build(Settings(), "", values)


def _build(default: T, prefix: str, values: Mapping[str, Any]) -> T:
    changes: dict[str, Any] = {}
    for name in default.__struct_fields__:
        path, value = f"{prefix}{name}", getattr(default, name)
        if isinstance(value, Section):
            changes[name] = _build(value, f"{path}.", values)
        elif path in values:
            changes[name] = values[path]
    return replace(default, **changes)


def check(option: Option, value: object) -> tuple[Any, str]:
    """Return the value in its proper type and "", or (None, what is wrong with it)."""
    if value is None:
        return (None, "") if option.optional else (None, f"needs {_wanted(option)}, not null")
    if option.type == "bool":
        return (value, "") if isinstance(value, bool) else (None, "needs true or false")
    if option.type == "str":
        return _check_text(option, value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None, f"needs {_wanted(option)}"
    if option.type == "int" and not isinstance(value, int):
        return None, f"needs {_wanted(option)}"
    if not option.low <= value <= option.high:  # NaN fails this, too
        return None, f"needs {_wanted(option)}, {value} is outside"
    return (float(value) if option.type == "float" else value), ""


def parse_text(option: Option, text: str) -> tuple[Any, str]:
    """Return the same as `check`, for the text of a flag or a variable."""
    if option.type == "str":
        return check(option, text)
    if option.type == "bool":
        value = truth(text)
        return (None, "needs true or false") if value is None else (value, "")
    try:
        return check(option, int(text) if option.type == "int" else float(text))
    except ValueError:
        return None, f"needs {_wanted(option)}"


def truth(text: str) -> bool | None:
    """Return what a variable says of a switch, None when it says neither."""
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    return False if word in ("0", "false", "no", "off", "") else None


def _check_text(option: Option, value: object) -> tuple[Any, str]:
    if not isinstance(value, str):
        return None, f"needs {_wanted(option)}"
    problem = option.check(value) if option.check else ""
    return (None, problem) if problem else (value, "")


def _wanted(option: Option) -> str:
    if option.type in ("str", "bool"):
        return "text" if option.type == "str" else "true or false"
    noun = "a whole number" if option.type == "int" else "a number"
    return f"{noun} of {option.unit} from {plain(option.low)} to {plain(option.high)}"


def plain(number: float) -> str:
    """Return a limit as a person writes it: 0.25, 60, 1000000."""
    return f"{number:.10g}"
