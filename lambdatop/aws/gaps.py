"""What could not be read, as sentences for a plan: it is shown instead of pretended."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from lambdatop.domain.errors import Denied, SourceError

T = TypeVar("T")


class Gaps:
    """Sentences about what could not be read."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    async def fill(self, action: str, unknown: str, fallback: T, work: Awaitable[T]) -> T:
        """The answer; or `fallback` and a sentence: `action` was refused, so `unknown` unknown."""
        try:
            return await work
        except SourceError as error:
            why = "is denied" if isinstance(error, Denied) else f"failed ({error.code or error})"
            self.sentences.append(f"{action} {why}, so {unknown} unknown")
            return fallback
