"""Suggest the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar of `names`, None when none is similar."""
    from difflib import get_close_matches  # only when something is already wrong

    found = get_close_matches(name.lower(), sorted(names), n=1, cutoff=0.65)
    return found[0] if found else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return `, did you mean X?`, or nothing."""
    found = nearest(name, names)
    return f"; did you mean {found}?" if found else ""
