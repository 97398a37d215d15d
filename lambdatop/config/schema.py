"""Every setting a user may write: its key, type, unit, range and meaning. Defaults live in the domain."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, NamedTuple, TypeVar

from lambdatop.domain.endpoint import endpoint_problem
from lambdatop.domain.frozen import dataclass
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import SOURCES

Type = Literal["str", "bool", "int", "float"]
T = TypeVar("T")

_PATTERNS = {
    "profile": (re.compile(r"[^\x00-\x1f\x7f]{1,128}"), "the name of an AWS profile"),
    "region": (re.compile(r"[a-z]{2,}(-[a-z0-9]+){2,}"), "a region like eu-central-1"),
    "session_policy": (re.compile("none|read-only"), "none or read-only"),
    "lease.table": (re.compile(r"[A-Za-z0-9_.-]{3,255}"), "the name of a DynamoDB table"),
    "burn.until": (re.compile(r"([01]\d|2[0-3]):[0-5]\d"), "a time of day like 18:00"),
    "screen.theme": (re.compile(r"[A-Za-z0-9._-]{1,64}"), "the name of a theme"),
}


@dataclass(frozen=True, slots=True)
class Option:
    """One key. `unit` is shown behind the default; `low` and `high` are the inclusive range."""

    path: str
    type: Type
    help: str
    unit: str = ""
    low: float = 0.0
    high: float = math.inf
    optional: bool = False


def _seconds(path: str, help_: str, low: float = 1.0, high: float = 86_400.0) -> Option:
    return Option(path, "float", help_, "s", low, high)


def _minutes(path: str, help_: str, high: float = 60) -> Option:
    return Option(path, "int", help_, "min", 1, high)


def _price(name: str, help_: str, unit: str) -> Option:
    return Option(f"prices.{name}", "float", f"{help_}; null = the table", unit, 0, 1000, optional=True)


def _thresholds(settings: object, prefix: str) -> Iterator[Option]:
    """Options of the detectors: unit, range and meaning stand with the fields themselves."""
    for field in fields(settings):  # type: ignore[arg-type]
        value, path = getattr(settings, field.name), f"{prefix}{field.name}"
        if is_dataclass(value):
            yield from _thresholds(value, f"{path}.")
        else:
            knob = field.metadata
            kind: Type = "int" if isinstance(value, int) else "float"
            yield Option(path, kind, knob["help"], knob["unit"], knob["low"], knob["high"])


OPTIONS: tuple[Option, ...] = (
    Option("profile", "str", "AWS profile; null = what the SDK would take", optional=True),
    Option("region", "str", "AWS region; null = what the SDK would take", optional=True),
    Option(
        "endpoint_url",
        "str",
        "endpoint to use instead of AWS's own (https, or http on loopback)",
        optional=True,
    ),
    Option("read_only", "bool", "true: nothing can be changed; only --write lifts it"),
    Option(
        "session_policy",
        "str",
        "read-only: AWS itself holds the role that is assumed (role_arn) to reading; includes read_only",
    ),
    Option("allow_destructive", "bool", "false: mitigations that cannot be undone (T3) are refused"),
    Option("allow_endpoint_changes", "bool", "true: changes also through an endpoint that is not AWS's own"),
    Option("screen.theme", "str", "name of a theme, built in or from themes/ beside this file"),
    _seconds("screen.refresh", "how often the screen takes the newest snapshot", 0.25, 60),
    *(_seconds(f"paces.{spec.name}", spec.reads) for spec in SOURCES.values()),
    Option("limits.control_plane_per_s", "float", "Lambda's control plane", "requests/s", 0.1, 5),
    Option("limits.sqs_per_s", "float", "SQS", "requests/s", 0.1, 100),
    Option(
        "limits.logs_per_s",
        "float",
        "CloudWatch Logs; never more than a third of what the region allows",
        "requests/s",
        0.1,
        10,
    ),
    Option("limits.metrics_per_s", "float", "CloudWatch", "requests/s", 0.1, 8),
    Option("limits.log_tails", "int", "logs followed at once", "functions", 1, 64),
    Option("limits.budget_usd_per_hour", "float", "budget for API calls; 0 = no limit", "USD/h", 0, 100),
    Option("limits.calm_usd_per_hour", "float", "the same while nothing is wrong", "USD/h", 0, 100),
    Option(
        "logs.live_in_incidents",
        "bool",
        "true: Live Tail (0.01 USD/min) for the log on screen in a critical incident, within the budget",
    ),
    _seconds("metrics.publish_delay_s", "a minute is final this long after its end", 0, 900),
    Option("metrics.history_min", "int", "history in each answer", "min", 5, 180),
    _minutes("metrics.rate_min", "final minutes behind each figure per minute"),
    _price("gb_second_x86", "execution on x86_64", "USD/GB-s"),
    _price("gb_second_arm64", "execution on arm64", "USD/GB-s"),
    _price("request_million", "invocations", "USD/million"),
    _price("ephemeral_gb_second", "/tmp above 512 MB", "USD/GB-s"),
    _price("provisioned_gb_second_x86", "provisioned concurrency on x86_64", "USD/GB-s"),
    _price("provisioned_gb_second_arm64", "provisioned concurrency on arm64", "USD/GB-s"),
    _price("provisioned_run_gb_second_x86", "execution on it on x86_64", "USD/GB-s"),
    _price("provisioned_run_gb_second_arm64", "execution on it on arm64", "USD/GB-s"),
    _price("log_gb", "log lines taken in", "USD/GB"),
    Option("prices.refresh", "bool", "true: read them once a day (pricing:GetProducts, free of charge)"),
    Option("burn.until", "str", "burn is projected up to this time, HH:MM UTC; null = 24 h", optional=True),
    Option(
        "lease.table", "str", "DynamoDB table that shows responders to each other; null = none", optional=True
    ),
    _seconds("lease.seconds", "how long a lease lasts", 10, 3600),
    *_thresholds(Settings().detectors, "detectors."),
)
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
    Order("metrics.rate_min", "metrics.history_min"),
    *(
        Order(path, "metrics.history_min")
        for path in BY_PATH
        if path.endswith((".window_min", ".baseline_min", ".before_min", ".lookback_min"))
    ),
)


def flatten(settings: object, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of all leaves, in the order of the schema's dataclasses."""
    for field in fields(settings):  # type: ignore[arg-type]
        value = getattr(settings, field.name)
        if field.metadata.get("fixed"):  # not the user's to set
            continue
        if is_dataclass(value):
            yield from flatten(value, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", value


def build(values: Mapping[str, Any]) -> Settings:
    """Settings with some dotted keys set and all others at their defaults."""
    return _build(Settings(), "", values)


def _build(default: T, prefix: str, values: Mapping[str, Any]) -> T:
    changes: dict[str, Any] = {}
    for field in fields(default):  # type: ignore[arg-type]
        path, value = f"{prefix}{field.name}", getattr(default, field.name)
        if is_dataclass(value):
            changes[field.name] = _build(value, f"{path}.", values)
        elif path in values:
            changes[field.name] = values[path]
    return replace(default, **changes)  # type: ignore[type-var]


def check(option: Option, value: object) -> tuple[Any, str]:
    """The value in its proper type and "", or (None, what is wrong with it)."""
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
    if not option.low <= value <= option.high:  # also says no to NaN
        return None, f"needs {_wanted(option)}, {value} is outside"
    return (float(value) if option.type == "float" else value), ""


def parse_text(option: Option, text: str) -> tuple[Any, str]:
    """Like `check`, for what a flag or a variable holds."""
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
    """What a variable says of a switch, None when it says neither."""
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    return False if word in ("0", "false", "no", "off", "") else None


def _check_text(option: Option, value: object) -> tuple[Any, str]:
    if not isinstance(value, str):
        return None, f"needs {_wanted(option)}"
    if option.path == "endpoint_url":
        problem = endpoint_problem(value)
        return (None, problem) if problem else (value, "")
    pattern, words = _PATTERNS[option.path]
    return (value, "") if pattern.fullmatch(value) else (None, f"needs {words}")


def _wanted(option: Option) -> str:
    if option.type in ("str", "bool"):
        return "text" if option.type == "str" else "true or false"
    noun = "a whole number" if option.type == "int" else "a number"
    return f"{noun} of {option.unit} from {plain(option.low)} to {plain(option.high)}"


def plain(number: float) -> str:
    """A limit as a person writes it: 0.25, 60, 1000000."""
    return f"{number:.10g}"
