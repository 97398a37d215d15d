from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdatop.config.model import ConfigError
from lambdatop.config.yaml_file import MAX_BYTES, read_content

Write = Callable[[str], Path]


def problems(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_content(file)
    assert caught.value.exit_code == 2
    return str(caught.value).split("\n")


def test_values_carry_their_lines(write: Write) -> None:
    content = read_content(write("# x\nregion: eu-central-1\npaces:\n  # slow\n  metrics: 120\n"))
    assert (content.values["region"].value, content.values["region"].line) == ("eu-central-1", 2)
    assert (content.values["paces.metrics"].value, content.values["paces.metrics"].line) == (120.0, 5)


def test_profile_sections_are_flat_maps_of_their_own(write: Write) -> None:
    content = read_content(
        write("profiles:\n  prod:\n    read_only: true\n    screen: {theme: paper}\n  dev:\n")
    )
    assert {k: w.value for k, w in content.profiles["prod"].items()} == {
        "read_only": True,
        "screen.theme": "paper",
    }
    assert content.profiles["dev"] == {}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "paces:\n"])
def test_nothing_is_fine(write: Write, text: str) -> None:
    assert read_content(write(text)).values == {}


def test_all_problems_at_once_with_line_and_nearest_name(write: Write) -> None:
    file = write(
        "regoin: eu-central-1\n"
        "paces:\n"
        "  metrcs: 60\n"
        "  queues: soon\n"
        "screen: dark\n"
        "profiles:\n"
        "  prod:\n"
        "    profile: other\n"
        "    readonly: true\n"
    )
    assert problems(file) == [
        f"{file}:1: unknown key 'regoin'; did you mean region?",
        f"{file}:3: unknown key 'paces.metrcs'; did you mean paces.metrics?",
        f"{file}:4: paces.queues needs a number of s from 1 to 86400",
        f"{file}:5: screen must hold keys with values",
        f"{file}:8: unknown key 'profile'",
        f"{file}:9: unknown key 'readonly'; did you mean read_only?",
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("region: [eu]\n", 1, "region needs text"),
        ("region: {a: 1}\n", 1, "region needs text"),
        ("a: &x 1\nb: *x\n", 2, "aliases"),
        ("region: us-east-1\nregion: us-east-1\n", 2, "is given twice (first in line 1)"),
        ("[1, 2]\n", 1, "must hold keys"),
        ("region: !!python/object/apply:os.system ['true']\n", 1, "region needs text"),
        ("region: 'open\n", 2, "is not valid YAML"),
        ("? [a]\n: 1\n", 1, "a key must be a plain word"),
        ("a:\n  b: 1\n\tc: 2\n", 3, "is not valid YAML"),
        ("--- 1\n--- 2\n", 2, "is not valid YAML"),
        ("paces: " + "[" * 50, 1, "nested too deeply"),
        ("<<: {region: x}\n", 1, "unknown key"),
        ("#\npace:\n  metrics: 1\n", 2, "did you mean paces?"),
    ],
)
def test_strange_files(write: Write, text: str, line: int, words: str) -> None:
    file = write(text)
    first = problems(file)[0]
    assert first.startswith(f"{file}:{line}: ")
    assert words in first


def test_escape_sequences_in_a_key_reach_nobody(write: Write) -> None:
    assert "\x1b" not in problems(write('"\\e]52;c;x\\a": 1\n'))[0]


def test_not_utf8_and_too_large(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(b"region: x\n# \xff\n")
    file.chmod(0o600)
    assert problems(file) == [f"{file}:2: is not UTF-8"]
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    assert problems(file) == [f"{file}: is larger than 1 MiB"]


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(write: Write, mode: int) -> None:
    file = write("region: eu-central-1\n")
    file.chmod(mode)
    assert "can be written by others" in problems(file)[0]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_a_file_that_others_may_read_is_fine(write: Write, mode: int) -> None:
    file = write("region: eu-central-1\n")
    file.chmod(mode)
    assert read_content(file).values["region"].value == "eu-central-1"


def test_a_file_of_somebody_else_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write("region: eu-central-1\n")
    owner = file.stat().st_uid
    if owner == 0:
        os.chown(file, 12345, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    assert "belongs to somebody else" in problems(file)[0]


def test_a_missing_file_a_directory_and_a_pipe(tmp_path: Path) -> None:
    assert "no such file" in problems(tmp_path / "none.yaml")[0]
    assert "not a plain file" in problems(tmp_path)[0]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    assert "not a plain file" in problems(pipe)[0]
