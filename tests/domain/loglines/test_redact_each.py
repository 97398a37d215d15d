"""Each kind of secret by itself: found wherever it stands, and nothing that only resembles it."""

from __future__ import annotations

import pytest

from lambdatop.domain.loglines.redact import MASK, redact, redact_all, redact_strictly, suspicious

TAIL = "IOSFODNN7EXAMPLE"


@pytest.mark.parametrize("kind", ["AKIA", "ASIA"])
@pytest.mark.parametrize(
    "around", ["{}", "key {} used", "({})", '"{}",', "arn:x:{}:y", "id={};", "a\n{}\nb", "x-{}"]
)
def test_the_ids_of_lasting_and_of_temporary_keys_are_hidden(kind: str, around: str) -> None:
    assert redact(around.format(kind + TAIL)) == (around.format(kind + MASK), ("access key id",))


@pytest.mark.parametrize(
    "word",
    [
        "AKIA" + TAIL[:-1],  # 19 characters
        "ASIA" + TAIL + "0",  # 21
        "ASIA" + TAIL.lower(),
        "asia" + TAIL,
        "XASIA" + TAIL,
        "ABIA" + TAIL,
        "ASIA" + "-" * 16,
    ],
)
def test_what_is_not_shaped_like_an_id_stays(word: str) -> None:
    assert redact(f"key {word} used") == (f"key {word} used", ())


def test_both_ids_of_one_line_and_the_secret_beside_them() -> None:
    line = f"AKIA{TAIL} became ASIA{TAIL} with secret_key=abc"
    assert redact(line) == (
        f"AKIA{MASK} became ASIA{MASK} with secret_key={MASK}",
        ("password", "access key id"),
    )
    assert suspicious(f"x ASIA{TAIL}")


@pytest.mark.parametrize(
    ("line", "shown", "kind"),
    [
        ("jwt eyJhbGciOiJ9.eyJzdWIi.c2ln ok", f"jwt eyJ{MASK} ok", "token"),
        ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: Basic {MASK}", "authorization"),
        ("with Bearer 0123456789abcdef", f"with Bearer {MASK}", "authorization"),
        ("a?X-Amz-Signature=deadbeef&b=1", f"a?X-Amz-Signature={MASK}&b=1", "signed request"),
        ("a?sv=1&sig=deadbeef&b=1", f"a?sv=1&sig={MASK}&b=1", "signed request"),
        ("a?signature=deadbeef&b=1", f"a?signature={MASK}&b=1", "signed request"),
        ("Cookie: theme=dark", f"Cookie: {MASK}", "cookie"),
        ("PHPSESSID=abc; x", f"PHPSESSID={MASK}; x", "cookie"),
        ("connect.sid=abc; x", f"connect.sid={MASK}; x", "cookie"),
        ("run --passphrase abc -x", f"run --passphrase {MASK} -x", "password"),
        ("the session token abcd0123efgh4567 is", f"the session token {MASK} is", "password"),
        ("name: DB_PASSWORD, value: abc", f"name: DB_PASSWORD, value: {MASK}", "named value"),
        ("at db://bob:abc@host/x", f"at db://bob:{MASK}@host/x", "user of an address"),
        ("at https://0123456789abcdef@host/x", f"at https://{MASK}@host/x", "user of an address"),
        ("bob:abc@tcp(db:3306)/x", f"bob:{MASK}@tcp(db:3306)/x", "user of an address"),
        ("bob:abc@unix(/db)/x", f"bob:{MASK}@unix(/db)/x", "user of an address"),
        ("\u0130 DB_PASSWORD=abc x", f"\u0130 DB_PASSWORD={MASK} x", "password"),
    ],
)
def test_a_secret_is_hidden_and_named_and_what_is_around_it_stays(line: str, shown: str, kind: str) -> None:
    assert redact(line) == (shown, (kind,))


def test_a_larger_than_sign_makes_no_element_of_a_name() -> None:
    line = "if api_key>5 then password=abc"
    assert redact(line)[0] == f"if api_key>5 then password={MASK}"


def test_all_names_of_secrets_in_one_line_hide_none_of_them() -> None:
    assert redact("pass secret token key pwd=abc")[0] == f"pass secret token key pwd={MASK}"


def test_many_texts_are_hidden_as_each_by_itself() -> None:
    plain = ["took 12 ms", "", "done\nand done"]
    assert redact_all(plain) == plain
    assert redact_all([]) == []
    texts = [*plain, "password=abc", f"id AKIA{TAIL}", "Cookie: a=b", "next"]
    assert redact_all(texts) == [redact(text)[0] for text in texts]
    assert redact_all(texts)[3:] == [f"password={MASK}", f"id AKIA{MASK}", f"Cookie: {MASK}", "next"]


MIXED = "aB3" * 11
"""33 characters, longer than what may stand for itself."""


@pytest.mark.parametrize("word", [MIXED[:31], MIXED.lower(), MIXED.upper(), "aB" * 20, "1" * 40])
def test_a_word_that_is_short_or_not_mixed_is_not_suspicious(word: str) -> None:
    assert not suspicious(f"is {word} here")
    assert redact_strictly(f"is {word} here") == f"is {word} here"


def test_a_long_mixed_word_is_hidden_where_keys_are_handled() -> None:
    assert suspicious(f"is {MIXED[:32]} here")
    assert redact_strictly(f"is {MIXED[:32]} here") == f"is {MASK} here"
    assert redact_strictly("password=abc here") == f"password={MASK} here"
    assert redact(f"is {MIXED} here") == (f"is {MIXED} here", ())
