from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.loglines.redact import MASK, RULES, redact, suspicious

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SIGNED = "https://b.example.com/k?X-Amz-Credential=ASIAIOSFODNN7EXAMPLE%2F1&X-Amz-Security-Token=IQoJb3&x=1"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"key {ID} used", f"key AKIA{MASK} used"),
        (f"aws_secret_access_key = {SECRET}", f"aws_secret_access_key = {MASK}"),
        (f"AWS_SECRET_ACCESS_KEY={SECRET} x", f"AWS_SECRET_ACCESS_KEY={MASK} x"),
        (f"jwt {JWT} ok", f"jwt eyJ{MASK} ok"),
        ("authorization: Basic dXNlcjpwYXNz", f"authorization: Basic {MASK}"),
        ('{"Authorization":"Bearer abc.def","x":1}', f'{{"Authorization":"Bearer {MASK}","x":1}}'),
        ("with bearer 0123456789abcdef, so", f"with bearer {MASK}, so"),
        ("password=hunter2 user=x", f"password={MASK} user=x"),
        ('DB_PASSWORD="hu nter2" x', f'DB_PASSWORD="{MASK}" x'),
        (r'{"password":"pa\"ss","b":1}', f'{{"password":"{MASK}","b":1}}'),
        (r"{\"password\": \"hunter2\", \"a\":1}", rf"{{\"password\": \"{MASK}\", \"a\":1}}"),
        ("x-api-key: abcdef", f"x-api-key: {MASK}"),
        ("sessionToken=abc client_secret='a b'", f"sessionToken={MASK} client_secret='{MASK}'"),
        ("postgres://bob:s3cret@db/x", f"postgres://bob:{MASK}@db/x"),
        ("https://ghp_abcdefghijklmnop@github.com/x", f"https://{MASK}@github.com/x"),
        (SIGNED, f"https://b.example.com/k?X-Amz-Credential={MASK}&X-Amz-Security-Token={MASK}&x=1"),
        ("a?X-Amz-Signature=deadbeef", f"a?X-Amz-Signature={MASK}"),
    ],
)
def test_secrets_are_hidden_once(line: str, shown: str) -> None:
    hidden, found = redact(line)
    assert hidden == shown
    assert found
    assert redact(hidden) == (hidden, ())


@pytest.mark.parametrize(
    "line",
    [
        "Invalid password for user bob",
        "password: null, secret=, token=none",
        "next token: abc; partition key: orders",
        "Bearer token missing, basic authentication failed",
        "arn:aws:secretsmanager:eu-west-1:1:secret:prod/db-AbCd",
        "KeyError: 'customer' in Asia/Tokyo at https://example.com/a:b@c",
        "START RequestId: 3f0e2c1a-5b7d-4c1e-9a60-0d8f2f4f1b01 Version: $LATEST",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redact(line) == (line, ())


def test_a_private_key_keeps_its_number_of_lines() -> None:
    block = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nb"
    hidden, found = redact(block)
    assert hidden == block.replace("MIIE", MASK).replace("abc", MASK)
    assert found == ("private key",)
    assert "MIIE" not in redact("-----BEGIN PRIVATE KEY-----\nMIIE")[0]
    assert redact("-----BEGIN PRIVATE KEY-----\\nMIIE\\n")[0].endswith(f"-----{MASK}")


def test_upper_case_that_grows_when_lowered_moves_nothing() -> None:
    assert redact("\u0130\u0130 password=hunter2 x")[0] == f"\u0130\u0130 password={MASK} x"


WORDS = [w for _, words, _, _ in RULES for w in words] + [
    JWT,
    ID,
    "password=",
    '"',
    "\\",
    ":",
    "\n",
    "x1",
    "@",
    "=",
]


@given(st.lists(st.sampled_from(WORDS), max_size=30).map("".join))
def test_the_number_of_lines_never_changes(text: str) -> None:
    assert redact(text)[0].count("\n") == text.count("\n")


def test_suspicious_is_what_might_be_a_secret() -> None:
    assert suspicious("password=hunter2")
    assert suspicious(f"x {SECRET}9")
    assert not suspicious("3f0e2c1a-5b7d-4c1e-9a60-0d8f2f4f1b01 took 12 ms")
