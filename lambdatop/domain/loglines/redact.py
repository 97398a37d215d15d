"""Hide secrets in log lines and messages: best effort, in time linear in the text. Pure.

What has a shape of its own is found anywhere (access key ids, tokens of three base64 parts, private key
blocks, tokens of known givers); what has none only beside a word that says so (`password=`, `DB_PASS:`,
`<SecretAccessKey>`, `Cookie:`, `Authorization:`, `X-Amz-Signature=`).
A secret that somebody logged without either is not found. Every repetition below is bounded or ends at a
character that cannot be part of it, and no pattern can begin inside its own match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

MASK = "\u2022\u2022\u2022"

Rule = tuple[str, tuple[str, ...], "re.Pattern[str]", "str | Callable[[re.Match[str]], str]"]

_VALUE = (
    r"(?:(?:(?:[a-z]{1,2}|[a-z_][\w.]{0,40}\()(?=[\"']))?(?:\"(?!\")(?:[^\"\\\n]|\\[^\n])++|'(?!')(?:[^'\\\n]|\\[^\n])++)"
    r"|\\{1,15}\"(?!\\{1,15}\")[^\"\\\n]++|\\{1,15}'(?!\\{1,15}')[^'\\\n]++"
    r"|\[[^\]\n]++|\{[^}\n]++|(?![\"'\\])[^\s,;&\"'\\}\])]++)"
)
"""Quoted (`"…"`, `b'…'`, `SecretStr('…')`), quoted within quotes (JSON in JSON: 1, 3, 7, 15 backslashes), a
list, an object, a word."""
_QUOTE = r"(?:\\{0,15}[\"'])?"
_BETWEEN = r"(?:\\{0,15}[\"']|%22)?\s{0,3}(?:=>|[:=]|%3[ad])\s{0,3}"
_BETWEEN_OR_PAIR = rf"(?:{_BETWEEN}|[\"']\s?,\s?b?(?=[\"']))"
"""Of a header also as a pair: `('Cookie', 'a=b')`."""
# Looked for in the lowered text, where an alternation of words costs a tenth of what it does without case.
# Names are told by their ends: a match can begin at four letters only. What a name needs in front of it is
# looked at before its value is, so that no value is read twice.
_NAMED = re.compile(
    rf"(?P<name>token|key(?:_base)?|secret(?:string|binary)?|(?:passw(?:or)?d|pwd)(?:_?\d{{1,2}}|_(?:old|new))"
    rf"|pass(?:w(?:or)?ds?|phrases?|codes?)?|pwd)"
    rf"(?:(?P<sign>{_BETWEEN})|(?P<xml>(?:\s[^<>\n]{{0,200}})?(?:>|&gt;|\\u003e)))"
)
_MORE = {
    "secret": re.compile(r"(?:\A|[^:])\Z"),
    "token": re.compile(
        r"(?:(?:access|refresh|id|auth|session|security|bearer|api|csrf)[_-]?|(?<!next)[_-]|[\"'?&<]|%2[26]|&lt;"
        r"|\\u003c|\bexport\s|\A)\Z"
    ),
    "key": re.compile(
        r"(?:secret|access|api|private|encryption|signing|account|master|functions|subscription|stripe"
        r"|sendgrid|ssh)[_-]?\Z"
    ),
    "pass": re.compile(
        r"(?:[_\"'?&<-]|%2[26]|&lt;|db|user|my|sql|root|admin|smtp|ftp|mail|redis|mq|ssh|login|proxy)\Z"
    ),
}
_MORE_WITHIN = 13
"""Characters before an end; `secret:` also stands in the ARN of a secret, which is none."""
_VALUES = re.compile(_VALUE)
_ELEMENT = re.compile(r"(?:<|&lt;|\\u003c)[\w:.-]{0,80}\Z")
_ELEMENT_WITHIN = 90
_CONTENT = re.compile(r"(?:<!\[cdata\[|(?!&lt;|\\u003c)[^<])++")
"""What stands in an XML element, up to its end or, of an answer that breaks off, to the end of the text."""
_NAME_WORDS = ("pass", "secret", "token", "key", "pwd")
_ESCAPED = re.compile(r"(\\{1,8})(?:u00([2-7][0-9a-fA-F])|/)")
_ESCAPES = ("\\u00", "\\/")
_NO_SECRETS = re.compile(
    r"\\{0,15}[\"']?(?:null|none|nil|undefined|true|false|\{|\*+|\u2022+|<[^>]*>?|)\Z", re.I
)

_LONG_WORD = re.compile(r"[A-Za-z0-9+/=_-]{32,}+")
_LINE = re.compile(r"[^\n]+")
_KEY_LINE_LENGTH = 64
_KEY_LINE = re.compile(r"^[ \t]{0,20}[A-Za-z0-9+/]{64,76}={0,2}[ \t\r]{0,4}$", re.M)
"""A line of a private key, whose first line may be a message of its own (RFC 7468: 64 characters)."""


def _beside(match: re.Match[str]) -> str:
    """Return the match with its value masked.

    The name, its sign and a leading quote stay, so do words that are no value.
    """
    return match.group("name") + _masked(match.group("value"))


def _masked(value: str) -> str:
    if _NO_SECRETS.match(value):
        return value
    bare = value.lstrip("\\\"'[")
    return value[: len(value) - len(bare)] + MASK


def _named(text: str, low: str) -> str:
    """Mask values beside names such as `password`, and in elements of such names."""
    if len(low) != len(text):  # a few letters are two when they are small
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    made: list[str] = []
    at = place = 0
    while match := _NAMED.search(low, place):
        place = match.end()
        begin, more = match.start(), _MORE.get(match.group("name"))
        if more is not None and not more.search(low, max(0, begin - _MORE_WITHIN), begin):
            continue
        xml = match.group("xml") is not None
        if xml and not _ELEMENT.search(low, max(0, begin - _ELEMENT_WITHIN), begin):
            continue
        value = (_CONTENT if xml else _VALUES).match(low, place)
        if value is not None:
            found = text[place : value.end()]
            made += [text[at:place], _LINE.sub(MASK, found) if xml else _masked(found)]
            at = place = value.end()
    return "".join((*made, text[at:]))


_SHAPES = (
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "gh[pousr]_", r"[A-Za-z0-9]{20,}+"),
    (("github_pat_",), "github_pat_", r"\w{20,}+"),
    (("xox", "xapp-"), "(?:xox[a-z]|xapp)-", r"[A-Za-z0-9-]{10,}+"),
    (("k_live_", "k_test_"), "[srp]k_(?:live|test)_", r"[A-Za-z0-9]{10,}+"),
    (("sk-",), "sk-", r"[A-Za-z0-9_-]{20,}+"),
    (("aiza",), "AIza", r"[A-Za-z0-9_-]{30,}+"),
    (("npm_",), "npm_", r"[A-Za-z0-9]{20,}+"),
    (("pypi-",), "pypi-", r"[A-Za-z0-9_-]{40,}+"),
    (("glpat-",), "glpat-", r"[A-Za-z0-9_.-]{16,}+"),
    (("sg.",), r"SG\.", r"[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+"),
    (("hvs.", "hvb."), r"hv[sb]\.", r"[A-Za-z0-9_-]{20,}+"),
    (("ya29.",), r"ya29\.", r"[A-Za-z0-9_-]{20,}+"),
    (("iqojb3jpz2lu", "ogzxivyxdz"), "(?:IQoJb3JpZ2lu|F[wQ]oGZXIvYXdz)", r"[A-Za-z0-9+/=_%-]{16,}+"),
    (("dckr_pat_", "dop_v1_", "dor_v1_"), "(?:dckr_pat|do[opr]_v1)_", r"[A-Za-z0-9_-]{20,}+"),
    (("shpat_", "shpss_", "shpca_", "shppa_"), "shp(?:at|ss|ca|pa)_", r"[A-Fa-f0-9]{32,}+"),
    (("hf_",), "hf_", r"[A-Za-z0-9]{30,}+"),
    (("gocspx-",), "GOCSPX-", r"[A-Za-z0-9_-]{20,}+"),
    (("whsec_",), "whsec_", r"[A-Za-z0-9+/=]{20,}+"),
    (("atlasv1.",), r"(?:[A-Za-z0-9]{10,20}\.)?atlasv1\.", r"[A-Za-z0-9_-]{20,}+"),
    (("dapi",), "dapi", r"[a-f0-9]{32}(?![A-Za-z0-9])"),
    (("pul-",), "pul-", r"[a-f0-9]{40}(?![A-Za-z0-9])"),
    (("1//",), "1//", r"[A-Za-z0-9_-]{30,}+"),
    (("lin_api_",), "lin_api_", r"[A-Za-z0-9]{30,}+"),
    (("nrak-",), "NRAK-", r"[A-Z0-9]{20,}+"),
    (("sq0csp-", "sq0atp-"), "sq0(?:csp|atp)-", r"[A-Za-z0-9_-]{20,}+"),
    (("pmak-",), "PMAK-", r"[A-Za-z0-9-]{30,}+"),
    (("atatt3",), "ATATT3", r"[A-Za-z0-9_=-]{30,}+"),
    (("age-secret-key-1",), "AGE-SECRET-KEY-1", r"[A-Z0-9]{40,}+"),
    (("/api/webhooks/",), r"discord(?:app)?\.com/api/webhooks/\d{10,25}/", r"[A-Za-z0-9_-]{20,}+"),
    ((".webhook.office.com/",), r"webhook\.office\.com/webhookb2/", r"[A-Za-z0-9@/_-]{20,}+"),
    (("hooks.slack.com/",), r"hooks\.slack\.com/services/", r"[A-Za-z0-9/]{16,}+"),
)
"""By what their givers' tokens begin: GitHub, Slack, Stripe, OpenAI and Anthropic, Google, npm, PyPI, GitLab,
SendGrid, Vault, the session tokens of STS, Docker, DigitalOcean, Shopify, Hugging Face, Terraform, Linear,
New Relic, Square, Postman, Atlassian, Databricks, Pulumi, age, and addresses of web hooks.
Words to look for first, the beginning, and what follows it."""


def _block(match: re.Match[str]) -> str:
    """Redact line by line, so that a line of the redacted text is a line of the original."""
    return match.group("head") + _LINE.sub(MASK, match.group("body"))


RULES: tuple[Rule, ...] = (
    (
        "private key",
        ("private key-----", "private key block-----"),
        re.compile(
            r"(?P<head>-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)"
            r"(?P<body>.*?)(?=-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
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
            rf"(?P<name>\bauthorization{_BETWEEN_OR_PAIR}(?:\\{{0,15}}[\"'])?"
            r"(?:(?:basic|bearer|digest|token|negotiate|ntlm|oauth|aws|splunk|bot|jwt|hmac[\w-]{0,12}|sharedkey(?:lite)?"
            r"|(?:[a-z]{1,8}-?)?key)\s{1,3}|aws4-hmac-sha256\s[^\n\"']{0,600}?"
            r"signature=)?)"
            r"(?P<value>[^\s,;\"'\\}\])]{3,}+)",
            re.I,
        ),
        _beside,
    ),
    (
        "authorization",
        ("bearer ",),
        re.compile(
            r"(?P<name>\bbearer\s{1,3})(?=[A-Za-z._~+/=-]{0,200}+\d)(?P<value>[A-Za-z0-9._~+/=-]{12,}+)",
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
        "signed request",
        ("sig=", "signature="),
        re.compile(r"(?P<name>[?&;]sig(?:nature)?=)(?P<value>[^\s&;\"'<>]++)", re.I),
        _beside,
    ),
    (
        "cookie",
        ("cookie",),
        re.compile(
            rf"(?P<name>\b(?:set-)?cookies?{_BETWEEN_OR_PAIR}(?:\[\s{{0,3}})?(?:\\{{0,15}}[\"'])?)"
            r"(?P<value>\{[^}\n]++|(?!(?:\\{0,15}[\"'])?\s)[^\n\"'\\\]]++(?:\\{0,15}[\"'],\s?\\{0,15}[\"'][^\n\"'\\\]]++)*+)",
            re.I,
        ),
        _beside,
    ),
    (
        "cookie",
        ("jsessionid", "phpsessid", "connect.sid", "sessionid="),
        re.compile(
            r"(?P<name>\b(?:jsessionid|phpsessid|connect\.sid|sessionid)=)(?P<value>[^\s;,&\"'<>]++)", re.I
        ),
        _beside,
    ),
    (
        "password",
        ("password ", "passwd ", "passphrase ", "pwd ", "token ", "secret ", "key "),
        re.compile(
            r"(?P<name>--(?<![\w-]--)[\w-]{0,60}?(?:password|passwd|passphrase|pwd|token|secret|"
            rf"(?:secret|access|api|private|encryption|signing|account|auth)[_-]?key)\s{{1,3}})(?P<value>(?!-){_VALUE})",
            re.I,
        ),
        _beside,
    ),
    (
        "password",
        ("access_key ", "accesskey ", "access-key ", "access key ", "session_token ", "session token "),
        re.compile(
            r"(?P<name>(?:secret[_ -]?access[_ -]?key|session[_ ]token)\s{1,3})"
            r"(?=[A-Za-z+/=_-]{0,200}+\d)(?P<value>[A-Za-z0-9+/=_-]{16,}+)",
            re.I,
        ),
        _beside,
    ),
    (
        "password",
        ("password", "passwd", "pwd", "identified by"),
        re.compile(
            r"(?P<name>\b(?:(?:password|passwd|pwd)\s{1,3}(?:value\s{0,3}[:=]\s{0,3})?|identified\s{1,3}by\s{1,3}))"
            r"(?P<value>\"(?!\")[^\"\n]++|'(?!')[^'\n]++)",
            re.I,
        ),
        _beside,
    ),
    (
        "password",
        ("password ",),
        re.compile(r"(?P<name>\blogin\s{1,3}\S{1,128}\s{1,3}password\s{1,3})(?P<value>\S++)", re.I),
        _beside,
    ),
    (
        "password",
        ("curl",),
        re.compile(
            r"(?P<name>\bcurl\s(?:[^\n]{0,300}?\s)??(?:-[a-z]{0,8}u|--(?:proxy-)?user)[\s=]{0,3}[\"']?[^\s:\"']{1,128}:)"
            r"(?P<value>[^\s\"']++)",
            re.I,
        ),
        _beside,
    ),
    (
        "password",
        ("mysql", "mariadb", "sshpass"),
        re.compile(
            r"(?P<name>\b(?:(?:mysql|mariadb)[\w-]{0,12}\s(?:[^\n]{0,300}?\s)??-p|sshpass\s{1,3}-p\s{0,3}))"
            r"(?P<value>[\"']?[^\s\"']++)"
        ),
        _beside,
    ),
    (
        "password",
        ("docker login", "redis-cli", "openssl"),
        re.compile(
            r"(?P<name>\b(?:docker\slogin\s(?:[^\n]{0,200}?\s)??-p\s{1,3}|redis-cli\s(?:[^\n]{0,200}?\s)??-a\s{1,3}"
            r"|openssl\s[^\n]{0,200}?\spass:))(?P<value>[\"']?[^\s\"']++)"
        ),
        _beside,
    ),
    (
        "named value",
        ("value=", "value:", "value =", "value :", 'value"', "value'", "value\\"),
        re.compile(
            rf"(?P<name>(?:name|key){_QUOTE}\s{{0,3}}[:=]\s{{0,3}}{_QUOTE}[\w .-]{{0,64}}"
            rf"(?:pass|secret|token|key|pwd)[\w .-]{{0,64}}{_QUOTE}\s{{0,3}},?\s{{0,12}}"
            rf"{_QUOTE}value{_QUOTE}\s{{0,3}}[:=]\s{{0,3}})"
            rf"(?P<value>{_VALUE})",
            re.I,
        ),
        _beside,
    ),
    *(
        ("token", words, re.compile(rf"(?<![A-Za-z0-9])({begin}){rest}"), rf"\1{MASK}")
        for words, begin, rest in _SHAPES
    ),
    (
        "user of an address",
        ("://",),
        re.compile(r"(://[^\s/@:\"'?#]{0,256}+:)(?:[^\s/@\"']++@)++|(://)[^\s/@:\"'?#]{16,256}+@"),
        lambda m: f"{m.group(1) or m.group(2)}{MASK}@",
    ),
    (
        "user of an address",
        ("@tcp(", "@unix("),
        re.compile(r"(?<![^\s\"'=])([^\s/@:\"'=]{1,64}+:)[^\s/\"']{1,256}?@(tcp|unix)\("),
        rf"\1{MASK}@\2(",
    ),
)
"""Kind, words of which one must be in the line (in lower case), pattern, what stands there instead."""


def redact(text: str) -> tuple[str, tuple[str, ...]]:
    """Return `text` with its secrets as `•••`, and the kinds of secrets found (none: the same text).

    It keeps its number of lines.
    """
    return _mask(text, RULES)


def redact_all(texts: Sequence[str]) -> list[str]:
    """Return many texts with their secrets masked.

    Patterns that none of them contains are tried only once.
    """
    joined = "\n".join(texts)
    read = _with_escapes_read(joined)
    whole, mask = read.lower(), _redact if read == joined else _mask
    rules = tuple(rule for rule in RULES if any(word in whole for word in rule[1]))
    return [mask(text, rules)[0] for text in texts]


def _mask(text: str, rules: Sequence[Rule]) -> tuple[str, tuple[str, ...]]:
    masked, found = _redact(text, rules)
    if any(escape in masked for escape in _ESCAPES):
        plain, more = _redact(_ESCAPED.sub(_read, masked), rules)
        if more:
            return plain, tuple(dict.fromkeys((*found, *more)))
    return masked, found


def _with_escapes_read(text: str) -> str:
    """Return a text, followed by what it is with its escapes of JSON read, where it has any."""
    if not any(escape in text for escape in _ESCAPES):
        return text
    return f"{text}\n{_ESCAPED.sub(_read, text)}"


def _read(match: re.Match[str]) -> str:
    r"""Return the character that an escape of JSON means, which JSON would also take as it is.

    .NET writes `\u0022` for a quote within a string, Go `\u0026` for `&`, Gson `\u003d` for `=`, PHP `\/` for
    `/`; what stands in JSON within JSON has twice the backslashes.
    """
    char = chr(int(match[2], 16)) if match[2] else "/"
    if char in "\\\x7f":
        return match.group()
    return "\\" * (2 * len(match[1]) - 1) + char if char == '"' else char


def _redact(text: str, rules: Sequence[Rule]) -> tuple[str, tuple[str, ...]]:
    low = text.lower()
    found: list[str] = []
    for word in _NAME_WORDS:
        if word in low:
            masked = _named(text, low)
            if masked != text:
                text, low = masked, masked.lower()
                found.append("password")
            break
    for kind, words, pattern, instead in rules:
        for word in words:
            if word in low:
                masked = pattern.sub(instead, text)
                if masked != text:
                    text = masked
                    found.append(kind)
                break
    if len(text) >= _KEY_LINE_LENGTH:
        masked = _KEY_LINE.sub(lambda m: MASK if _is_mixed(m.group()) else m.group(), text)
        if masked != text:
            text = masked
            found.append("private key")
    return text, tuple(dict.fromkeys(found))


def redact_strictly(text: str) -> str:
    """Mask secrets like `redact`, and every long random word too.

    For the output of programs that handle keys.
    """
    return _LONG_WORD.sub(lambda m: MASK if _is_mixed(m.group()) else m.group(), redact(text)[0])


def suspicious(text: str) -> bool:
    """Return whether a text may hold a secret: one that is found, or a long random word."""
    return bool(redact(text)[1]) or any(_is_mixed(word) for word in _LONG_WORD.findall(text))


def _is_mixed(word: str) -> bool:
    return word.lower() != word != word.upper() and any(c.isdigit() for c in word)
