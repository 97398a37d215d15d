"""Each kind of secret by itself: found wherever it stands, and nothing that only resembles it."""

from __future__ import annotations

import pytest

from lambdatop.domain.redact import MASK, redact, suspicious

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
