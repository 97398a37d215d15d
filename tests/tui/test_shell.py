"""What is copied out of the dialog is, in a real shell, the whole command or nothing."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from fakes.shown_plans import plans
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lambdatop.domain.keys import Scope
from lambdatop.domain.mitigations.throttle import reserved_command, set_reserved
from lambdatop.domain.plans.command import NOWHERE_SPECIAL, Place, WayBack, command_line
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.snapshots.finish import finished
from lambdatop.tui.pages.confirm import LABEL, consequences
from lambdatop.tui.shell import command_lines
from lambdatop.tui.style.spans import plain

PLANS = plans()
PLACES = (Place("on call", ""), Place("$(touch hacked)", "http://127.0.0.1:4566"), Place("-x", ""))
SCOPE = Scope("111122223333", "eu-central-1")


class Shell:
    """A real bash with an `aws` that writes down its arguments."""

    def __init__(self, home: Path) -> None:
        self.home = home
        program = home / "aws"
        program.write_text('#!/bin/sh\nprintf "%s\\0" "$@" >> "$HOME/ran"\nprintf "\\n" >> "$HOME/ran"\n')
        program.chmod(0o700)

    def runs(self, text: str) -> list[list[str]]:
        """Return the arguments of every `aws` that ran when the text was pasted."""
        (self.home / "ran").write_bytes(b"")
        env = {"PATH": f"{self.home}:{os.environ['PATH']}", "HOME": str(self.home)}
        subprocess.run(
            ["bash"], input=text, text=True, env=env, cwd=self.home, capture_output=True, timeout=20
        )
        ran = (self.home / "ran").read_bytes().decode().split("\n")[:-1]
        return [line.split("\0")[:-1] for line in ran]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def at(p: Plan, place: Place) -> Plan:
    """Return the plan with commands for another place."""
    there = finished(p, place, "")
    assert isinstance(there, Plan)
    return there


def shown(p: Plan, width: int) -> list[list[str]]:
    """Return the blocks of lines that stand beside `same as` and `undo by hand`, as they are copied."""
    blocks: list[list[str]] = []
    for line in plain(consequences(p, width)).split("\n"):
        label, words = line[:LABEL].strip(), line[LABEL:]
        if label in ("same as", "undo by hand") or (not label and words.startswith(("aws ", "(aws "))):
            blocks.append([words])
        elif blocks and not label and blocks[-1][-1].endswith("\\"):
            blocks[-1].append(words)
    return blocks


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("width", [35, 75, 95, 195])
def test_a_copied_block_is_the_whole_command(shell: Shell, width: int, place: Place) -> None:
    texts, wanted = [], []
    for p in PLANS.values():
        there = at(p, place)
        lines = [
            *([there.undo_by_hand] if there.undo_by_hand else []),
            *(there.cli.split("\n") if there.cli else ()),
        ]
        blocks = shown(there, width)
        assert len(blocks) == len(lines)
        texts += ["\n".join(block) for block in blocks]
        wanted += [shlex.split(line)[1:] for line in lines]
        assert all(len(line) <= max(20, width - LABEL) for block in blocks for line in block)
    assert shell.runs("\n".join(texts) + "\n") == wanted
    assert not (shell.home / "hacked").exists()


def test_a_part_of_a_block_runs_nothing(shell: Shell) -> None:
    for label, p in PLANS.items():
        for block in shown(p, 75):
            for first in range(len(block)):
                for last in range(first, len(block)):
                    if (first, last) == (0, len(block) - 1):
                        continue
                    part = "\n".join(block[first : last + 1])
                    assert shell.runs(f"{part}\n\n") == [], (label, part)


@given(st.text(min_size=1, max_size=400).filter(lambda t: "\0" not in t), st.integers(20, 120))
def test_any_word_is_the_same_after_it_was_cut(word: str, width: int) -> None:
    lines = command_lines(shlex.join(("aws", "x", word)), width)
    joined = "\n".join(lines)
    if len(lines) > 1:
        assert all(line.endswith("\\") for line in lines[:-1])
        joined = joined[1:-1].replace("\\\n", "")
    assert shlex.split(joined) == ["aws", "x", word]


@pytest.mark.parametrize("name", ["--debug", "-x", "--region", "--profile"])
def test_a_name_that_looks_like_an_option_is_none(name: str) -> None:
    for value in (None, 5):
        command = reserved_command(set_reserved(name, value))
        words = shlex.split(command_line(command, SCOPE, NOWHERE_SPECIAL))
        assert f"--function-name={name}" in words
        assert words[-2:] == ["--region", "eu-central-1"]


def test_what_stands_in_quotes_is_not_touched() -> None:
    p = PLANS["throttle"] if "throttle" in PLANS else next(iter(PLANS.values()))
    strange = reserved_command(set_reserved(f"a --region {p.scope.region} b) (aws x", 0))
    odd = replace(p, command=strange, way_back=WayBack("back", strange, "; more"), steps=())
    there = at(odd, Place("$(touch hacked)", ""))
    wanted = ["aws", *strange, "--region", p.scope.region, "--profile", "$(touch hacked)"]
    assert shlex.split(there.cli) == shlex.split(there.undo_by_hand) == wanted
    assert there.undo_note == f"back ({there.cli}); more"


def test_every_note_of_the_way_back_goes_where_the_command_goes() -> None:
    for label, p in PLANS.items():
        there = at(p, Place("on call", ""))
        for note in (there.undo_note, *(step.undo_note for step in there.steps)):
            assert ("aws " in note) == ("--profile 'on call'" in note), (label, json.dumps(note))
