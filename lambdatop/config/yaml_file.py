"""Read one YAML config file strictly: small, without aliases, owned by the user, every key known."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lambdatop.config import schema
from lambdatop.config.model import EMPTY, ConfigError, Content, Problem, Written, unknown_key
from lambdatop.config.presence import open_file
from lambdatop.domain.sanitize import clean_line

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 10
_SCALARS = ("null", "bool", "int", "float", "str")
_TAG = "tag:yaml.org,2002:"
TOP_NAMES = tuple(sorted({o.path.split(".")[0] for o in schema.OPTIONS} | {"profiles", "accounts"}))
ACCOUNT_NAMES = ("read_only",)
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


def read_content(file: Path) -> Content:
    """Return the validated content of `file`.

    Raises:
        ConfigError: with all problems at once, each with its line.
    """
    root = _compose(file, read_text(file))
    if root is None:
        return EMPTY
    problems: list[Problem] = []
    values: dict[str, Written] = {}
    profiles: dict[str, dict[str, Written]] = {}
    accounts: dict[str, Written] = {}
    for key, line, node in _pairs(root, "the file", problems):
        if key == "profiles":
            for name, _, section in _pairs(node, "profiles", problems):
                profiles[name] = {}
                _walk(section, "", profiles[name], problems, in_profile=True)
        elif key == "accounts":
            for account, line_, section in _pairs(node, "accounts", problems):
                _account(account, line_, section, accounts, problems)
        else:
            _take(key, key, line, node, values, problems, TOP_NAMES)
    if problems:
        raise ConfigError(file, sorted(problems))
    return Content(values, profiles, accounts)


def _account(
    name: str, line: int, section: yaml.Node, out: dict[str, Written], problems: list[Problem]
) -> None:
    """Read one account's section; an id that no account can have is refused: it would protect nothing."""
    if not _ACCOUNT.fullmatch(name):
        shown = clean_line(name, 80)
        problems.append(Problem(line, f"accounts: {shown!r} is not an account id, which has 12 digits"))
        return
    found: dict[str, Written] = {}
    for key, where, node in _pairs(section, "an account", problems):
        _take(key, key, where, node, found, problems, ACCOUNT_NAMES)
    if "read_only" in found:
        out[name] = found["read_only"]


def read_text(file: Path) -> str:
    """Return the text of a file that only its owner could have written.

    Raises:
        ConfigError: not there, not readable, not a plain file, too large, not UTF-8, or open to others.
    """
    try:
        fd = open_file(file)
    except FileNotFoundError:
        raise ConfigError(file, [Problem(0, "there is no such file")]) from None
    except OSError as error:
        raise ConfigError(file, [Problem(0, f"cannot be read: {error.strerror}")]) from None
    problem = _file_problem(os.fstat(fd))
    if problem:
        os.close(fd)
        raise ConfigError(file, [Problem(0, problem)])
    with os.fdopen(fd, "rb") as stream:
        raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ConfigError(file, [Problem(0, "is larger than 1 MiB")])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(file, [Problem(line, "is not UTF-8")]) from None


def _file_problem(found: os.stat_result) -> str:
    if not stat.S_ISREG(found.st_mode):
        return "is not a plain file"
    if found.st_uid not in (os.getuid(), 0):
        return "belongs to somebody else, so it is not read; make it yours with chown"
    if found.st_mode & 0o022:
        return "can be written by others, so it is not read; run chmod go-w on it"
    return "is larger than 1 MiB" if found.st_size > MAX_BYTES else ""


def _compose(file: Path, text: str) -> yaml.Node | None:
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                line = _line(event)
                raise ConfigError(file, [Problem(line, f"aliases (*{event.anchor}) are not supported")])
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                line = _line(event)
                raise ConfigError(file, [Problem(line, "is nested too deeply")])
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(file, [_yaml_problem(error)]) from None
    return node


def _line(marked: yaml.Node | yaml.Event) -> int:
    return marked.start_mark.line + 1 if marked.start_mark else 0


def _yaml_problem(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    words = clean_line(str(getattr(error, "problem", None) or "cannot be parsed"))
    return Problem(mark.line + 1 if mark else 0, f"is not valid YAML: {words}")


def _pairs(node: yaml.Node, where: str, problems: list[Problem]) -> Iterator[tuple[str, int, yaml.Node]]:
    """Yield keys, their lines and values of a mapping; a section without content (`paces:`) is empty."""
    if isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}null":
        return
    if not isinstance(node, yaml.MappingNode):
        problems.append(Problem(_line(node), f"{where} must hold keys with values"))
        return
    seen: dict[str, int] = {}
    for key_node, value in node.value:
        line = _line(key_node)
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(Problem(line, "a key must be a plain word"))
        elif key_node.value in seen:
            name = clean_line(key_node.value, 80)
            problems.append(Problem(line, f"{name!r} is given twice (first in line {seen[key_node.value]})"))
        else:
            seen[key_node.value] = line
            yield key_node.value, line, value


def _walk(
    node: yaml.Node, path: str, out: dict[str, Written], problems: list[Problem], *, in_profile: bool = False
) -> None:
    prefix = f"{path}." if path else ""
    names = {o.path[len(prefix) :].split(".")[0] for o in schema.OPTIONS if o.path.startswith(prefix)}
    if in_profile:
        names.discard("profile")
    for key, line, value in _pairs(node, path or "a profile", problems):
        _take(key, f"{prefix}{key}", line, value, out, problems, sorted(names))


def _take(
    key: str,
    path: str,
    line: int,
    node: yaml.Node,
    out: dict[str, Written],
    problems: list[Problem],
    names: tuple[str, ...] | list[str],
) -> None:
    if key not in names:
        problems.append(Problem(line, unknown_key(path, [path[: -len(key)] + name for name in names])))
    elif path in schema.SECTIONS:
        _walk(node, path, out, problems)
    else:
        value, problem = schema.check(schema.BY_PATH[path], _scalar(node))
        if problem:
            problems.append(Problem(line, f"{path} {problem}"))
        else:
            out[path] = Written(value, line)


_NOT_A_SCALAR = object()


def _scalar(node: yaml.Node) -> Any:
    """Return the Python value of a scalar; anything else is a value that no option accepts."""
    kind = node.tag.removeprefix(_TAG)
    if not isinstance(node, yaml.ScalarNode) or kind not in _SCALARS:
        return _NOT_A_SCALAR
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    except (ValueError, yaml.YAMLError):
        return _NOT_A_SCALAR
    finally:
        loader.dispose()
