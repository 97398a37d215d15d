"""Find the level that a logger wrote into a line of text. Pure, linear in the first HEAD characters."""

from __future__ import annotations

import re

from lambdatop.domain.loglines.known_failures import STAMP
from lambdatop.domain.loglines.tokens import level_word

HEAD = 120
"""Characters in which a level is looked for."""
_CAPITALS = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL|SEVERE)\b")
_KEY = re.compile(
    r"(?:(?:^|[\s\[{(])(?:level|lvl|severity)=\"?|\"(?:level|severity|levelname)\":\s?\"|^\{'level': ')$"
)
_ONE_NAME = re.compile(
    r"\[?\d[\d:.,/TZ+-]{7,32}(?: [\d:.,]{5,16}| UTC)?\]? {1,4}(?!no |an |to |not )\S{1,60} $"
)
"""A stamp and one name, as log4j writes of itself: `2026-11-21 04:11:00,123 main ERROR `."""
_STEMS = ("INFO", "ERROR", "WARN", "DEBUG", "TRACE", "FATAL", "CRITICAL", "SEVERE", "NOTICE")
_KEYED = re.compile(
    r"(?:(?<![\w.-])(?:level|lvl|severity)=\"?|^[\d:.TZ/ -]{0,40}\[)"
    r"(trace|debug|info|notice|warn|warning|error|err|fatal|critical|crit|panic)\b"
)
"""logfmt (`level=error`) and `[error]` after a stamp, as Go's, Rust's and Elixir's loggers write it."""
_KEYS = ("level=", "lvl=", "severity=", " [")
_BEFORE = re.compile(
    r"(?:<nil> |\d{1,2}:\d\d[AP]M |\d{1,2} [A-Z][a-z]{2} [\d:]{8} - |PHP |npm )?"
    r"(?:[\d:.,/|()\[\] +-]|(?<=\d)[TZ]){0,40}"
)
"""What stands before the first word of a line: stamps and brackets, and the names of PHP and npm."""
_WORD = re.compile(r"[A-Za-z]{3,11}(?![\w-])")
_SHORT = frozenset(("TRC", "VRB", "DBG", "INF", "WRN", "ERR", "FTL", "PNC"))
"""Three capitals, as Serilog, zerolog and npm write them."""
_FOUR = frozenset(("TRAC", "DEBU", "ERRO", "FATA", "PANI"))
"""Four capitals before seconds in brackets, as logrus writes them on a terminal: `ERRO[0012] `."""
_NAMES = frozenset(
    (
        "trace", "trce", "verbose", "debug", "dbug", "info", "information", "notice", "warn", "warning",
        "error", "err", "fail", "fatal", "critical", "crit",
    )
)  # fmt: skip
_STAMPED = re.compile(rf"{STAMP}\s+(?:d?panic\b)?")
_NODE = re.compile(
    r"\(node:\d{1,7}\) (?:\[\w{1,20}\] )?(?!UnhandledPromiseRejection)(?:\w{0,60}Warning|NOTE): "
)
_PYTHON = re.compile(r"[^\s:]{1,200}:\d{1,7}: \w{0,60}Warning: ")
"""What Python's module `warnings` writes: `file:line: DeprecationWarning: `."""
_LETTER = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} ")
"""The first letter of a level before month and day, as glog and klog write it."""
_LETTERS = {"I": "info", "W": "warn", "E": "error", "F": "fatal"}


def level_in(text: str) -> str:
    """Return the level that stands at the beginning of a cleaned line, "" where none does.

    Words in capitals count in the first HEAD characters unless they stand in prose, in a path or as a value;
    others only where a logger puts them.
    """
    head = text[:HEAD]
    first = min([at for stem in _STEMS if (at := head.find(stem)) >= 0], default=-1)
    if first >= 0:
        for word in _CAPITALS.finditer(head, first):
            if _is_level(head, word.start(), word.end()):
                return level_word(word[1])
    if head.startswith("[") or any(key in head for key in _KEYS):
        keyed = _KEYED.search(head)
        if keyed:
            return level_word(keyed[1])
    return _at_the_beginning(head)


def _is_level(head: str, start: int, end: int) -> bool:
    """Return whether a word in capitals stands as a logger writes it: not as a value, in a path, in prose."""
    before = head[start - 1] if start else ""
    if before in ("=", '"', "'"):
        return _KEY.search(head, max(0, start - 24), start) is not None
    if before and before in "/?_-":
        return False
    after = head[end : end + 3]
    if after[:1] in ("/", "=", "'", '"') or after == " ->" or (after[:1] == "-" and after[1:2].isalnum()):
        return False
    if before != " ":
        return True
    near = head[start - 2 : start - 1]
    if near == ":":
        return not head[: start - 2].lower().endswith("level")
    if not ("a" <= near <= "z") or after[:1] in (":", "]") or after in (" - ", " | "):
        return True
    return _ONE_NAME.match(head[:start]) is not None


def _at_the_beginning(head: str) -> str:
    before = _BEFORE.match(head)
    start = before.end() if before else 0
    word = _WORD.match(head, start)
    if word is None:
        letter = _LETTER.match(head)
        return _LETTERS[letter[1]] if letter else _warning(head)
    if word[0] in _SHORT or (word[0] in _FOUR and head.startswith("[", word.end())):
        return level_word(word[0])
    after, name = head[word.end() : word.end() + 2], word[0].lower()
    if name in _NAMES:
        # `[Error]` of ASP.NET Core's logger, `info: ` of winston, .NET's console and PHP.
        if (after[:1] == "]" and head[start - 1 : start] == "[") or after in (": ", ":", ":\n"):
            return level_word(name)
        if after[:1] in (" ", "\n") and word[0] == name and (stamp := _STAMPED.match(head)):
            # Right behind a stamp: zap's console, and .NET's runtime while it starts.
            return level_word(name) if stamp.end() == start else ""
    if name == "deprecated" and after == ": ":
        return "warn"
    if word[0] == "Fatal" and head.startswith(" error: ", word.end()):
        return "fatal"  # PHP's; Go writes it small, and means less
    if name.endswith("panic") and (stamp := _STAMPED.match(head)) and stamp.end() == word.end():
        return "fatal"
    return _warning(head)


def _warning(head: str) -> str:
    """Return "warn" for what runtimes warn of in forms of their own."""
    if "arning: " in head and (_NODE.match(head) or _PYTHON.match(head)):
        return "warn"
    return "warn" if head.startswith("LAMBDA_WARNING:") else ""
