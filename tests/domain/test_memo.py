"""Results live as long as what they were made of, and are made once."""

from __future__ import annotations

import gc
import weakref

from lambdatop.domain.log_analysis.digest import digest
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.memo import once


def test_made_once_and_forgotten_with_the_value() -> None:
    made: list[str] = []

    @once
    def name(tail: LogTail) -> str:
        made.append(tail.group)
        return tail.group

    tail = LogTail("a")
    assert (name(tail), name(tail)) == ("a", "a")
    assert made == ["a"]
    assert name(LogTail("b")) == "b"
    gone = weakref.ref(tail)
    del tail
    gc.collect()
    assert gone() is None


def test_a_digest_keeps_no_tail_alive() -> None:
    tail = LogTail("a")
    assert digest(tail) is digest(tail)
    gone = weakref.ref(tail)
    del tail
    gc.collect()
    assert gone() is None
