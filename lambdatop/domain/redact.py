"""Secrets in log lines, hidden: best effort, in time linear in the line. Pure.

What has a shape of its own is found anywhere (access key ids, tokens of three base64 parts, private key
blocks); what has none only beside a word that says so (`password=`, `Authorization:`, `X-Amz-Signature=`).
A secret that somebody logged without either is not found. Every repetition below is bounded or ends at a
character that cannot be part of it, and no pattern can begin inside its own match.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MASK = "\u2022\u2022\u2022"

Rule = tuple[str, tuple[str, ...], "re.Pattern[str]", "str | Callable[[re.Match[str]], str]"]

_VALUE = (
    r"(?:\"(?!\")(?:[^\"\\\n]|\\[^\n]){1,4096}+|'(?!')(?:[^'\\\n]|\\[^\n]){1,4096}+"
    r"|\\{1,3}\"(?!\\{1,3}\")[^\"\\\n]{1,4096}+|\\{1,3}'(?!\\{1,3}')[^'\\\n]{1,4096}+"
    r"|(?![\"'\\])[^\s,;&\"'\\}\])]{1,4096}+)"
)
_BETWEEN = r"(?:\\{0,3}[\"'])?\s{0,3}(?:=>|[:=])\s{0,3}"
# Looked for in the lowered text, where an alternation of words costs a tenth of what it does without case.
# Names are told by their ends: a match can begin at four letters only.
_NAMED = re.compile(rf"(?:token|key|secret|passw(?:or)?d|passphrase|pwd){_BETWEEN}(?P<value>{_VALUE})")
_MORE = {
    "secret": re.compile(r"(?:\A|[^:])\Z"),
    "token": re.compile(r"(?:access|refresh|id|auth|session|security|bearer|api|csrf)[_-]?\Z"),
    "key": re.compile(r"(?:secret|access|api|private|encryption|signing|account)[_-]?\Z"),
}
_MORE_WITHIN = 12
"""Characters before an end; `secret:` also stands in the ARN of a secret, which is none."""
_NAME_WORDS = ("passw", "secret", "token", "key", "pwd", "passphrase")
_NO_SECRETS = re.compile(r"\\{0,3}[\"']?(?:null|none|nil|undefined|true|false|\*+|\u2022+|<[^>]*>?|)\Z", re.I)

_LONG_WORD = re.compile(r"[A-Za-z0-9+/=_-]{32,}+")
_LINE = re.compile(r"[^\n]+")


def _beside(match: re.Match[str]) -> str:
    """The name and its sign stay, a quote in front of the value too; words that stand for no value stay."""
    return match.group("name") + _masked(match.group("value"))


def _masked(value: str) -> str:
    if _NO_SECRETS.match(value):
        return value
    bare = value.lstrip("\\\"'")
    return value[: len(value) - len(bare)] + MASK


def _named(text: str, low: str) -> str:
    """Values beside names such as `password`."""
    if len(low) != len(text):  # a few letters are two when they are small
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    made, at = [], 0
    for match in _NAMED.finditer(low):
        more = next((m for word, m in _MORE.items() if match.group().startswith(word)), None)
        begin, end = match.span("value")
        if more is not None and not more.search(low, max(0, match.start() - _MORE_WITHIN), match.start()):
            continue
        made += [text[at:begin], _masked(text[begin:end])]
        at = end
    return "".join((*made, text[at:])) if made else text


def _block(match: re.Match[str]) -> str:
    """Line by line, so that a line of the redacted text is a line of the original."""
    return match.group("head") + _LINE.sub(MASK, match.group("body"))


RULES: tuple[Rule, ...] = (
    (
        "private key",
        ("private key-----",),
        re.compile(
            r"(?P<head>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)"
            r"(?P<body>.*?)(?=-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
            re.S,
        ),
        _block,
    ),
    (
        "access key id",
        ("akia", "asia"),
        re.compile(r"(?<![A-Z0-9])(AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
        rf"\1{MASK}",
    ),
    (
        "token",
        ("eyj",),
        re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,}+\.[A-Za-z0-9_-]{2,}+(?:\.[A-Za-z0-9_-]*+){0,3}"),
        f"eyJ{MASK}",
    ),
    (
        "authorization",
        ("authorization",),
        re.compile(
            rf"(?P<name>\bauthorization{_BETWEEN}(?:\\{{0,3}}[\"'])?"
            r"(?:(?:basic|bearer|digest|token|negotiate|apikey)\s{1,3}|aws4-hmac-sha256\s[^\n\"']{0,600}?"
            r"signature=)?)"
            r"(?P<value>[^\s,;\"'\\}\])]{3,4096}+)",
            re.I,
        ),
        _beside,
    ),
    (
        "authorization",
        ("bearer ",),
        re.compile(
            r"(?P<name>\bbearer\s{1,3})(?=[A-Za-z._~+/=-]{0,200}+\d)(?P<value>[A-Za-z0-9._~+/=-]{12,4096}+)",
            re.I,
        ),
        _beside,
    ),
    (
        "signed request",
        ("x-amz-",),
        re.compile(
            rf"(?P<name>x-amz-(?:security-token|signature|credential){_BETWEEN})(?P<value>{_VALUE})", re.I
        ),
        _beside,
    ),
    (
        "user of an address",
        ("://",),
        re.compile(r"(://[^\s/@:\"'?#]{0,256}+:)[^\s/@\"']{1,256}+@|(://)[^\s/@:\"'?#]{16,256}+@"),
        lambda m: f"{m.group(1) or m.group(2)}{MASK}@",
    ),
)
"""Kind, words of which one must be in the line (in lower case), pattern, what stands there instead."""


def redact(text: str) -> tuple[str, tuple[str, ...]]:
    """`text` with its secrets as `•••`, and what kinds of secrets they were (none: the same text).

    It keeps its number of lines.
    """
    low = text.lower()
    found: list[str] = []
    for word in _NAME_WORDS:
        if word in low:
            masked = _named(text, low)
            if masked != text:
                text, low = masked, masked.lower()
                found.append("password")
            break
    for kind, words, pattern, instead in RULES:
        for word in words:
            if word in low:
                masked = pattern.sub(instead, text)
                if masked != text:
                    text = masked
                    found.append(kind)
                break
    return text, tuple(dict.fromkeys(found))


def suspicious(text: str) -> bool:
    """Whether a text holds anything that may be a secret: one that is found, or a long random word."""
    return bool(redact(text)[1]) or any(_is_mixed(word) for word in _LONG_WORD.findall(text))


def _is_mixed(word: str) -> bool:
    return word.lower() != word != word.upper() and any(c.isdigit() for c in word)
