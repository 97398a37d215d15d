"""Describe an unexpected failure in one sentence."""

from __future__ import annotations

import logging

from lambdatop.domain.error_words import error_words

_log = logging.getLogger(__name__)


def unexpected(where: str, error: BaseException) -> str:
    """Return the sentence for an unexpected error; its traceback goes to the log."""
    _log.error("unexpected error in %s", where, exc_info=error)
    return f"{where} met an unexpected error ({error_words(error)}); --debug logs the details."
