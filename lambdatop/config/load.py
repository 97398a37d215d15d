"""Make validated settings from file, variables and flags, with the origin of each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from lambdatop.config import schema
from lambdatop.config.model import EMPTY, ConfigError, Content, Problem, Written
from lambdatop.config.presence import is_there
from lambdatop.domain.errors import UsageError
from lambdatop.domain.sanitize import clean_line
from lambdatop.domain.settings.settings import Settings


class Given(NamedTuple):
    """A value and where it came from (`flag --region`, `variable LAMBDATOP_REGION`, `config.yaml:3`)."""

    value: Any
    origin: str


class Loaded(Struct, frozen=True):
    """Settings, the origin of each dotted key, and notices about them."""

    settings: Settings
    origins: Mapping[str, str]
    notices: tuple[str, ...]
    file: Path
    exists: bool
    section: str | None


def load(
    file: Path,
    *,
    asked: bool = False,
    given: Mapping[str, Given] | None = None,
    section: str | None = None,
    write: str | None = None,
) -> Loaded:
    """Merge `given` (flags and variables, already checked) over profile section, file and defaults.

    `section` is the profile that the environment names for the SDK (`aws_profile.environment_profile`);
    `write` is the origin of an explicit --write, the only thing that lifts a read_only of the file.

    Raises:
        ConfigError: with every problem of the file at once.
        UsageError: the file was `asked` for and does not exist; it cannot be reached; or values contradict.
    """
    given = given or {}
    content = _read(file, asked)
    body = EMPTY if content is None else content
    name = _section_name(body, given, section)
    layers = _layers(file, body, name, given)
    values: dict[str, Any] = {}
    origins = {path: "default" for path in schema.BY_PATH}
    for layer in layers:
        for path, (value, origin) in layer.items():
            values[path], origins[path] = value, origin
    _settle_mode(layers, write, values, origins)
    if body.profiles:
        values["mode.profile"] = name
    values["mode.accounts"] = tuple(_accounts(file, body))
    _check_orders(schema.build(values), origins)
    return Loaded(
        schema.build(values),
        origins,
        _notices(layers, origins, values),
        file,
        content is not None,
        name if name in body.profiles else None,
    )


def _read(file: Path, asked: bool) -> Content | None:
    try:
        if not asked and not is_there(file):
            return None
    except OSError as error:
        raise ConfigError(file, [Problem(0, f"cannot be reached: {error.strerror}")]) from None
    from lambdatop.config.yaml_file import read_content  # PyYAML costs 50 ms; only when there is a file

    return read_content(file)


def _section_name(content: Content, given: Mapping[str, Given], fallback: str | None) -> str:
    for source in (given.get("profile"), Given(fallback, ""), content.values.get("profile")):
        if source is not None and source[0]:
            return str(source[0])
    return "default"


Layer = Mapping[str, Given]
LIMITED = "read-only"
"""The session policy that lets AWS refuse every change."""
_NO = Given(False, "")


def _layers(file: Path, content: Content, name: str, given: Layer) -> tuple[Layer, Layer, Layer]:
    """Return file, per-profile section, flags and variables: each overrides the one before."""
    label = clean_line(str(file))

    def layer(written: Mapping[str, Written], where: str) -> Layer:
        return {path: Given(w.value, f"{label}:{w.line}{where}") for path, w in written.items()}

    section = layer(content.profiles.get(name, {}), f" (profile {clean_line(name)})")
    return layer(content.values, ""), section, given


def _accounts(file: Path, content: Content) -> Iterator[tuple[str, str]]:
    """Yield the accounts that the file holds to read-only, and where it says so."""
    for account, written in content.accounts.items():
        if written.value:
            yield account, f"{clean_line(str(file))}:{written.line} (account {account})"


def _settle_mode(
    layers: tuple[Layer, Layer, Layer], write: str | None, values: dict[str, Any], origins: dict[str, str]
) -> None:
    """Set the mode: `read_only: true` counts wherever it stands, unless --write is given now.

    A session policy that lets AWS refuse every change makes the mode read-only, too, and --write leaves it
    out.
    """
    forced = [layer["read_only"].origin for layer in layers if layer.get("read_only", _NO).value]
    if values.get("session_policy") == LIMITED:
        forced.append(f"session_policy, {origins['session_policy']}")
    if write is not None:
        values |= {"read_only": False, "mode.write": write, "mode.lifted": forced[-1] if forced else ""}
        origins["read_only"] = write
        if values.get("session_policy") == LIMITED:
            values["session_policy"], origins["session_policy"] = "none", write
    elif forced:
        values["read_only"], origins["read_only"] = True, forced[-1]
    if values.get("read_only"):
        values["mode.origin"] = origins["read_only"]


def _check_orders(settings: Settings, origins: Mapping[str, str]) -> None:
    flat = dict(schema.flatten(settings))
    wrong = [
        f"{order.smaller} ({flat[order.smaller]}, {origins[order.smaller]}) must not be larger than "
        f"{order.larger} ({flat[order.larger]}, {origins[order.larger]})"
        for order in schema.ORDERS
        if flat[order.smaller] > flat[order.larger]
    ]
    if wrong:
        raise UsageError("\n".join(wrong))


def _notices(
    layers: tuple[Layer, Layer, Layer], origins: Mapping[str, str], values: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return notices: a file must not silently redirect calls or allow what cannot be undone."""
    said = []
    from_file = {origin for layer in layers[:2] for _, origin in layer.values()}
    if values.get("endpoint_url") and origins["endpoint_url"] in from_file:
        said.append(f"calls go to {values['endpoint_url']}, set by {origins['endpoint_url']}")
    forbidden = layers[0].get("allow_destructive", Given(True, "")).value is False
    if forbidden and values.get("allow_destructive") and origins["allow_destructive"] in from_file:
        said.append(f"destructive mitigations are allowed again by {origins['allow_destructive']}")
    if values.get("allow_endpoint_changes") and origins["allow_endpoint_changes"] in from_file:
        said.append(f"changes go through any endpoint, as {origins['allow_endpoint_changes']} allows")
    limited = any(layer.get("session_policy", _NO).value == LIMITED for layer in layers)
    if limited and values["session_policy"] != LIMITED:
        said.append(f"the session policy is left out because of {origins['session_policy']}")
    return tuple(said)
