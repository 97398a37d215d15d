"""What the file forces: per account, per profile, by a session policy; and what --write lifts."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambdatop.config.load import load
from lambdatop.config.model import ConfigError
from lambdatop.domain.settings.settings import ModeSettings

from .conftest import Write

ACCOUNTS = 'accounts:\n  "012345678901":\n    read_only: true\n  999999999999: {read_only: false}\n'


def test_accounts_that_may_only_be_looked_at_are_known_by_their_line(write: Write) -> None:
    file = write(ACCOUNTS)
    loaded = load(file)
    assert not loaded.settings.read_only
    assert loaded.settings.mode.accounts == (("012345678901", f"{file}:3 (account 012345678901)"),)
    assert loaded.settings.mode.forced_by("012345678901")
    assert loaded.settings.mode.forced_by("999999999999") == ""


def test_an_account_that_cannot_be_told_is_held_where_any_is() -> None:
    assert ModeSettings(accounts=(("012345678901", "x"),)).forced_by("")
    assert ModeSettings().forced_by("") == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("accounts: {prod: {read_only: true}}", "'prod' is not an account id"),
        ("accounts: {1234567890123: {read_only: true}}", "12 digits"),
        ("accounts: {'١٢٣٤٥٦٧٨٩٠١٢': {read_only: true}}", "12 digits"),
        ("accounts: {'012345678901': {readonly: true}}", "did you mean read_only"),
        ("accounts: {'012345678901': {region: eu-west-1}}", "unknown key"),
        ("accounts: {'012345678901': {read_only: maybe}}", "needs true or false"),
        ("accounts: {'012345678901': true}", "must hold keys"),
        ("accounts: [1]", "must hold keys"),
        ("session_policy: readonly", "session_policy needs none or read-only"),
        ("session_policy: null", "not null"),
    ],
)
def test_what_would_force_nothing_is_an_error(write: Write, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(write(text))


def test_a_session_policy_makes_the_mode_read_only(write: Write) -> None:
    file = write("profiles: {audit: {session_policy: read-only}}\n")
    loaded = load(file, section="audit")
    assert loaded.settings.read_only
    assert loaded.origins["read_only"] == f"session_policy, {file}:1 (profile audit)"
    assert loaded.settings.mode.origin == loaded.origins["read_only"]
    assert not load(file).settings.read_only


def test_write_lifts_the_session_policy_too_and_says_so(write: Write) -> None:
    file = write("read_only: true\nsession_policy: read-only\n")
    loaded = load(file, write="flag --write")
    assert (loaded.settings.read_only, loaded.settings.session_policy) == (False, "none")
    assert loaded.settings.mode.write == "flag --write"
    assert loaded.settings.mode.lifted == f"session_policy, {file}:2"
    assert loaded.notices == ("the session policy is left out because of flag --write",)


@pytest.mark.parametrize(("text", "lifted"), [("read_only: true\n", True), ("region: eu-west-1\n", False)])
def test_it_is_kept_in_mind_what_write_lifted(write: Write, text: str, lifted: bool) -> None:
    assert bool(load(write(text), write="flag --write").settings.mode.lifted) is lifted


def test_a_mode_of_nobodys_wish_has_no_origin(tmp_path: Path) -> None:
    assert load(tmp_path / "none").settings.mode == ModeSettings()
