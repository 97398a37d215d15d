"""Decide what may be shown and kept of an unexpected exception. Pure.

A parser quotes what it could not read, and the SDK's quotes answers that hold keys. So words are taken from
those kinds only whose words come from this program or from Python itself, and secrets in them are hidden.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.sanitize import clean_line

_PLAIN = (
    AssertionError,
    AttributeError,
    ImportError,
    IndexError,
    KeyError,
    NameError,
    OverflowError,
    RecursionError,
    TypeError,
    ZeroDivisionError,
)
"""Kinds of Python's own that name a piece of the program. A ValueError quotes the value."""


def error_words(error: BaseException, limit: int = 200) -> str:
    """Return the error's kind and, where it cannot quote an answer, its text: `KeyError: 'Functions'`."""
    kind = type(error).__name__
    if isinstance(error, LambdatopError):
        words = str(error)
    elif isinstance(error, OSError):
        words = error.strerror or ""
    else:
        words = str(error) if type(error) in _PLAIN else ""
    shown = redact(clean_line(words, limit))[0]
    return f"{kind}: {shown}" if shown else kind


def traceback_text(error: BaseException) -> str:
    """Return the traceback as Python prints it, with all causes, in the words of `error_words`."""
    return "\n".join(reversed([*_chain(error)]))


def _chain(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        frames = "".join(traceback.format_tb(here.__traceback__))
        parts = here.exceptions if isinstance(here, BaseExceptionGroup) else ()
        inner = "".join(traceback_text(part) for part in parts)
        yield f"Traceback (most recent call last):\n{frames}{error_words(here)}\n{inner}"
        here = here.__cause__ or (None if here.__suppress_context__ else here.__context__)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar of `names`, None when none is similar."""
    from difflib import get_close_matches  # only when something is already wrong

    found = get_close_matches(name.lower(), sorted(names), n=1, cutoff=0.65)
    return found[0] if found else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return `, did you mean X?`, or nothing."""
    found = nearest(name, names)
    return f"; did you mean {found}?" if found else ""
