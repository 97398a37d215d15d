"""The cheap look at the AWS configuration says what botocore will do, and imports nothing of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lambdatop.config.aws_profile import profile_status

CONFIG = """\
[default]
region = eu-central-1
[profile mfa]
role_arn = arn:aws:iam::1:role/a
source_profile = keys
mfa_serial = arn:mfa/one
[profile chain]
role_arn = arn:aws:iam::1:role/b
source_profile = mfa
mfa_serial = arn:mfa/two
[profile "two words"]
role_arn = arn:aws:iam::1:role/c
source_profile = corp
[profile corp]
sso_session = s
[profile proc]
credential_process = /bin/x
[profile pod]
role_arn = arn:aws:iam::1:role/d
web_identity_token_file = /t
mfa_serial = arn:mfa/never
[profile host]
role_arn = arn:aws:iam::1:role/e
credential_source = Ec2InstanceMetadata
[profile selfish]
role_arn = arn:aws:iam::1:role/f
source_profile = selfish
mfa_serial = arn:mfa/three
aws_access_key_id = A
aws_secret_access_key = s
[profile loop1]
role_arn = arn:aws:iam::1:role/g
source_profile = loop2
[profile loop2]
role_arn = arn:aws:iam::1:role/h
source_profile = loop1
[profile over]
role_arn = arn:aws:iam::1:role/i
source_profile = keysandrole
[profile keysandrole]
role_arn = arn:aws:iam::1:role/j
source_profile = keys
mfa_serial = arn:mfa/unasked
aws_access_key_id = A
aws_secret_access_key = s
[services x]
lambda =
  endpoint_url = http://127.0.0.1
"""
CREDENTIALS = "[keys]\naws_access_key_id = A\naws_secret_access_key = s\n"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(CONFIG)
    (tmp_path / ".aws/credentials").write_text(CREDENTIALS)
    return {"HOME": str(tmp_path)}


@pytest.mark.parametrize(
    ("profile", "kind", "ends_at", "serials"),
    [
        ("mfa", "keys", "keys", ("arn:mfa/one",)),
        ("chain", "keys", "keys", ("arn:mfa/one", "arn:mfa/two")),
        ("two words", "sso", "corp", ()),
        ("corp", "sso", "corp", ()),
        ("proc", "process", "proc", ()),
        ("pod", "other", "pod", ()),
        ("host", "role", "host", ()),
        ("selfish", "keys", "selfish", ("arn:mfa/three",)),
        ("loop1", "role", "loop2", ()),
        ("over", "keys", "keysandrole", ()),
        ("keys", "keys", "keys", ()),
        ("nope", "other", "nope", ()),
    ],
)
def test_how_a_profile_logs_in(
    env: dict[str, str], profile: str, kind: str, ends_at: str, serials: tuple[str, ...]
) -> None:
    look = profile_status(env, profile)
    assert (look.kind, look.ends_at, look.mfa_serials) == (kind, ends_at, serials)


def test_who_names_the_profile(env: dict[str, str]) -> None:
    assert profile_status(env, None).name == "default"
    assert profile_status(env | {"AWS_PROFILE": "mfa"}, None).mfa_serials == ("arn:mfa/one",)
    assert profile_status(env | {"AWS_PROFILE": "mfa", "AWS_DEFAULT_PROFILE": "corp"}, None).kind == "sso"


def test_keys_in_the_environment_win_over_a_profile_that_only_the_environment_names(
    env: dict[str, str],
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_PROFILE": "mfa"}
    assert profile_status(env | keys, None).kind == "environment"
    assert profile_status(env | keys, "mfa").mfa_serials == ("arn:mfa/one",)


@pytest.mark.parametrize("text", ["[profile x\n", "x = 1\n", "\xff"])
def test_files_that_cannot_be_read_are_left_to_the_sdk(env: dict[str, str], text: str) -> None:
    Path(env["HOME"], ".aws/config").write_bytes(text.encode("latin-1"))
    assert profile_status(env, "mfa").mfa_serials == ()
    assert profile_status({"HOME": "/nowhere"}, None).kind == "other"


def test_the_look_needs_nothing_heavy() -> None:
    code = (
        "import lambdatop.cli.terminal.mfa, sys; sys.exit(bool({'botocore', 'textual'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
