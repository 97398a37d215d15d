"""Secrets in every form in which keys, cookies and tokens travel; looking for them takes linear time."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.loglines.redact import MASK, RULES, redact, redact_all

KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDx"
LONG = "Zx9" * 3000


@pytest.mark.parametrize("secret", [KEY, TOKEN, LONG, "hunter2"], ids=["key", "token", "long", "short"])
@pytest.mark.parametrize(
    "form",
    [
        "<SecretAccessKey>{}</SecretAccessKey><Expiration>2026</Expiration>",
        "<SessionToken>{}",
        "<ns2:SessionToken xsi:type='x'>\n{}\n</ns2:SessionToken>",
        "&lt;SecretAccessKey&gt;{}&lt;/SecretAccessKey&gt;",
        "<Password>{}</Password>",
        "<Token>{}</Token>",
        '{{"SecretAccessKey": "{}", "Version": 1}}',
        '{{"SecretAccessKey" : "{}',
        '{{"Token":"{}"}}',
        '{{"sessionToken":"{}"}}',
        r"{{\"SecretAccessKey\": \"{}\"}}",
        "AWS_SECRET_ACCESS_KEY={}",
        "export AWS_SESSION_TOKEN='{}'",
        "aws_session_token = {}",
        "X-Amz-Security-Token: {}",
        "https://b.s3.amazonaws.com/k?X-Amz-Security-Token={}&X-Amz-Date=1",
        "x-amz-security-token%3D{}",
        "DB_PASS={}",
        "db-pass: {}",
        "dbpass={}",
        '"pass": "{}"',
        "MYSQL_PWD={}",
        "passphrase={}",
        '{{"password": "{}"}}',
        '{{"passwords": 1, "password": ["{}"]}}',
        '{{"name": "DB_PASSWORD", "value": "{}"}}',
        '{{"Key": "api_token", "Value": "{}"}}',
        "Cookie: theme=dark; session={}",
        "set-cookie: sid={}; HttpOnly",
        '{{"cookies": ["a=b", "sid={}"], "x": 1}}',
        '{{"cookie": "sid={}"}}',
        "Authorization: Bearer {}",
        '{{"authorization": "Basic {}"}}',
        "Server=db;User Id=sa;Password={};Encrypt=true",
        "AccountName=x;AccountKey={}",
        "partition key=orders password={}",
        '{{"partition_key": "x", "note": "key: password={}"}}',
        "https://h/x?token={}&a=b",
        "https://h/x?sv=1&sig={}",
        r"\u003cSecretAccessKey\u003e{}\u003c/SecretAccessKey\u003e",
        "<SecretAccessKey><![CDATA[{}]]></SecretAccessKey>",
        '<add key="Password" value="{}"/>',
        "- name: DB_PASSWORD\n  value: {}",
        "name=password value={}",
        '{{"password": {{"value": "{}"}}}}',
        '{{"passwords": ["{}", "b"]}}',
        "password=b'{}'",
        "password=SecretStr('{}')",
        '"SecretString": "{}"',
        "SECRET_KEY_BASE={}",
        '"masterKey":"{}"',
        "GITHUB_TOKEN={}",
        "X-Vault-Token: {}",
        "token: {}",
        "export TOKEN={}",
        "run --password {} -x",
        "run --api-key '{}'",
        "run --secret-access-key {}",
        "cookies: {{'sessionid': '{}'}}",
        "[(b'cookie', b'a={}')]",
        "('Authorization', 'Basic {}')",
        "JSESSIONID={}; x",
        "Authorization: SharedKey acct:{}",
        "Authorization: HMAC-SHA256 {}",
        "Authorization: AWS key:{}",
        "curl -u admin:{} https://h/x",
        "curl -sS --user 'admin:{}' https://h/x",
        "mysql -h db -u root -p{} orders",
        "mysqldump --single-transaction -p'{}' orders",
        "sshpass -p {} ssh h",
        "docker login -u bob -p {} registry",
        "redis-cli -h cache -a {} ping",
        "openssl rsa -in k.pem -passin pass:{}",
        "machine h login bob password {}",
        "ALTER USER bob WITH PASSWORD '{}'",
        "CREATE USER bob IDENTIFIED BY '{}'",
        'password value="{}"',
        "PASSWORD_OLD={}",
        "password1={}",
        "x-functions-key: {}",
        "Ocp-Apim-Subscription-Key: {}",
        "STRIPE_KEY={}",
    ],
)
def test_every_form(form: str, secret: str) -> None:
    text = form.format(secret)
    hidden, found = redact(text)
    assert secret not in hidden
    assert MASK in hidden
    assert found
    assert hidden.count("\n") == text.count("\n")


def nested(value: object, levels: int) -> str:
    """Return JSON within JSON, as SNS in SQS in a logger's JSON."""
    return json.dumps({"m": nested(value, levels - 1)} if levels else value)


@pytest.mark.parametrize(
    "form",
    [
        r'{{"message":"{{\u0022password\u0022:\u0022{}\u0022}}"}}',  # .NET
        r'{{"message":"{{\u0022AccessToken\u0022: \u0022{}\u0022, \u0022n\u0022: 1}}"}}',
        r'{{"message":"password=\u0022{}\u0022"}}',
        r'{{"m":"{{\\u0022password\\u0022:\\u0022{}\\u0022}}"}}',
        r'{{"url":"https://h/x?a=1\u0026token={}\u0026b=2"}}',  # Go
        r'{{"url":"https://h/x?a=1\u0026sig={}\u0026b=2"}}',
        r'{{"url":"jdbc:mysql://h/db?user\u003dx\u0026password\u003d{}"}}',  # Gson
        r'{{"name":\u0022DB_PASSWORD\u0022,\u0022value\u0022:\u0022{}\u0022}}',
        r'{{"dsn":"mysql:\/\/bob:{}@db\/x"}}',  # PHP
        r'{{"level":"INFO","p\u0061ssword":"{}"}}',
        "body=%7B%22password%22%3A%22{}%22%7D",
        "q=%22token%22%3A%22{}%22",
        "next=%2Fhome%26token%3D{}",
    ],
)
def test_escapes_hide_nothing(form: str) -> None:
    text = form.format("hunter2secret")
    hidden, found = redact(text)
    assert "hunter2secret" not in hidden
    assert found
    assert redact_all(["harmless", text, "a\nb"]) == ["harmless", hidden, "a\nb"]
    assert redact(hidden) == (hidden, ())


@pytest.mark.parametrize("levels", range(5))
@pytest.mark.parametrize("name", ["password", "Authorization", "cookie", "accessToken"])
def test_json_within_json_hides_nothing(levels: int, name: str) -> None:
    text = nested({"a": 1, name: "hunter2secret", "b": 2}, levels)
    assert "hunter2secret" not in redact(text)[0]


def test_a_named_value_in_json_within_json() -> None:
    text = nested({"name": "DB_PASSWORD", "value": "hunter2secret"}, 2)
    assert "hunter2secret" not in redact(text)[0]


def test_an_id_of_a_key_that_is_written_with_an_escape() -> None:
    assert redact(r'{"m":"\u0041KIAIOSFODNN7EXAMPLE"}') == (f'{{"m":"AKIA{MASK}"}}', ("access key id",))


@pytest.mark.parametrize(
    "line",
    [
        r'{"html":"\u003cb\u003ebold\u003c/b\u003e","path":"C:\\users\\u0041bc","url":"https:\/\/h\/x"}',
        r'{"m":"{\u0022key\u0022:\u0022orders\u0022}"}',
        r"\u005c\u007f \u000a",
    ],
)
def test_escapes_without_a_secret_stay_as_they_are(line: str) -> None:
    assert redact(line) == (line, ())


GIVERS = [
    *((begin, "a1B2" * 9) for begin in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    ("github_pat_", "11AAAA_" + "a1B2" * 9),
    ("xoxb-", "123456789012-abcdefABCDEF"),
    ("xoxp-", "123456789012-abcdefABCDEF"),
    ("xapp-", "1-A012-345-abcdef"),
    *((begin, "a1B2" * 6) for begin in ("sk_live_", "rk_live_", "pk_live_", "sk_test_")),
    ("AIza", "a1B2" * 9),
    ("npm_", "a1B2" * 9),
    ("pypi-", "AgEIcHlwaS5vcmc" + "a1B2" * 9),
    ("glpat-", "a1B2" * 5),
    ("sk-", "proj-" + "a1B2" * 9),
    ("sk-", "ant-api03-" + "a1B2" * 20),
    ("SG.", "a1B2" * 5 + "." + "a1B2" * 8),
    ("hvs.", "a1B2" * 9),
    ("hvb.", "a1B2" * 9),
    ("ya29.", "a1B2" * 9),
    ("IQoJb3JpZ2lu", "a1B2" * 9),
    ("FwoGZXIvYXdz", "E" + "a1B2" * 9),
    ("FQoGZXIvYXdz", "E" + "a1B2" * 9),
    ("dckr_pat_", "a1B2" * 7),
    *((begin, "a1b2" * 16) for begin in ("dop_v1_", "dor_v1_")),
    *((begin, "a1b2" * 8) for begin in ("shpat_", "shpss_", "shpca_", "shppa_")),
    ("hf_", "a1B2" * 9),
    ("GOCSPX-", "a1B2" * 7),
    ("whsec_", "a1B2" * 8),
    ("atlasv1.", "a1B2" * 16),
    ("a1B2a1B2a1B2a1.atlasv1.", "a1B2" * 16),
    ("dapi", "a1b2" * 8),
    ("pul-", "a1b2" * 10),
    ("1//", "0g" + "a1B2" * 10),
    ("lin_api_", "a1B2" * 10),
    ("NRAK-", "A1B2" * 7),
    ("sq0csp-", "a1B2" * 11),
    ("sq0atp-", "a1B2" * 6),
    ("PMAK-", "a1b2" * 6 + "-" + "a1b2" * 8),
    ("ATATT3", "xFfGF0" + "a1B2" * 40),
    ("AGE-SECRET-KEY-1", "A1B2" * 14),
    ("discord.com/api/webhooks/123456789012345678/", "a1B2" * 17),
    ("contoso.webhook.office.com/webhookb2/", "a1b2" * 8 + "@a/IncomingWebhook"),
    ("hooks.slack.com/services/", "T000AAAA/B000/XXXXXXXXXXXXXXXX"),
]


@pytest.mark.parametrize(("begin", "rest"), GIVERS)
@pytest.mark.parametrize("around", ["used {} to call", '{{"a":"{}"}}', "x={}&b=1", "{}"])
def test_a_token_of_a_known_giver_is_hidden_up_to_the_beginning_that_names_the_giver(
    around: str, begin: str, rest: str
) -> None:
    hidden = redact(around.format(begin + rest))
    assert hidden == (around.format(begin + MASK), ("token",))


@pytest.mark.parametrize("begin", [begin for begin, _ in GIVERS])
def test_the_beginning_of_a_token_is_none_and_makes_none_of_other_long_words(begin: str) -> None:
    line = f"{begin}x1 of {'A1B2C3D4' * 8} and {'a1b2c3d4' * 8}.{'a1b2c3d4' * 8}"
    assert redact(line) == (line, ())


def test_a_rule_is_looked_for_only_where_one_of_its_words_stands() -> None:
    """An empty word would have each line searched for it, one in capitals none."""
    assert all(word and word == word.lower() for _, words, _, _ in RULES for word in words)


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("postgres://bob:p@ss@word@db/x", "p@ss@word"),
        ("postgres://bob:p@ss@word@db/x", "word"),
        ("redis://:" + "Zx9" * 200 + "@cache:6379", "Zx9Zx9"),
        ("bob:s3cret@tcp(db:3306)/x", "s3cret"),
        ("https://discord.com/api/webhooks/123456789012345678/" + "a1B2" * 17, "a1B2a1B2"),
        ("https://x.webhook.office.com/webhookb2/" + "a1b2" * 8, "a1b2a1b2"),
        ("https://hooks.slack.com/services/T000AAAA/B000/XXXXXXXXXXXXXXXX", "XXXXXXXXXX"),
    ],
)
def test_addresses(address: str, secret: str) -> None:
    assert secret not in redact(f"connecting to {address} now")[0]


@pytest.mark.parametrize(
    "line",
    [
        "pass: 12, fail: 3",
        "bypass=true",
        "<Key>orders/2026/file.txt</Key>",
        "if key>5 or compass=north",
        "monkey: banana, turkey=1",
        "nextToken=abc partition-key=orders next_token=abc",
        "Unexpected token: } in JSON, max_tokens: 5",
        "session token refreshed for the next hour, secret access key rotated",
        "aws lambda get-function --function-name orders --no-cli-pager -- x",
        "password={} token={}",
        "atlasv1 dapi whsec_ hf_model",
        "cookie jar is empty; cookies: 3",
        "ask-me-anything-about-this-long-thing",
        '{"name":"orders","value":"12"}',
        "risk-assessment-of-the-month",
        "curl -sS https://h/x -o out:1",
        "docker run -u 1000:1000 -p 8080:80 image",
        "mysql -h db -P3306 -u root orders",
        "the password is wrong, the password of 'bob' is old",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redact(line) == (line, ()) or line.startswith("cookie jar")


PIECES = [
    "password=",
    "key=",
    '"key":"',
    "token:",
    "<token>",
    "<password ",
    "&lt;secret&gt;",
    "cookie: ",
    '"cookies":["',
    '"name":"pass',
    '"value":"',
    "://a:",
    "@",
    "u:p@tcp(",
    "-----BEGIN PRIVATE KEY-----",
    "authorization: aws4-hmac-sha256 ",
    "bearer ",
    "eyJabcdef.",
    "ghp_aaaaaaaaaaaaaaaaaaaa",
    "?sig=",
    "\\",
    '\\"',
    "'",
    "[",
    "SG.aaaaaaaaaaaaaaaa",
    " ",
    "\n",
    "x",
    "--password ",
    "--a-",
    "session_token ",
    "curl -u a:",
    "mysql -p",
    "docker login -p ",
    "openssl ",
    "password '",
    "login a password ",
    "name=key value=",
    '{"password": {',
    "b'",
    "secretstr(",
    "jsessionid=",
    "\\u003ctoken\\u003e",
    "<![CDATA[",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_masking_twice_shows_nothing_more_and_keeps_the_lines(text: str) -> None:
    once = redact(text)[0]
    assert once.count("\n") == text.count("\n")
    assert redact(once)[0].count("\n") == text.count("\n")
    json.dumps(once)


@pytest.mark.parametrize("piece", [p for p in PIECES if p.strip()])
def test_work_grows_with_the_text_and_not_with_its_square(piece: str) -> None:
    """200,000 characters of whatever a pattern begins with end; with squares they would take minutes."""
    for text in (piece * (200_000 // len(piece)), "a" + piece * 3 + "b" * 200_000, "<" * 100_000 + piece):
        redact(text)


def test_a_huge_value_is_hidden_whole() -> None:
    for form in ("password={}", '"password": "{}"', "<SessionToken>{}</SessionToken>", "Bearer {}"):
        hidden = redact(form.format("Zx9" * 100_000))[0]
        assert len(hidden) < 100
        assert not re.search("Zx9", hidden)


KEY_LINE = "MIIEpAIBAAKCAQEAx7Jk2" + "q9ZkP0vT+a/" * 3 + "8sQmWnB5uX"


@pytest.mark.parametrize(
    "text",
    [
        KEY_LINE,
        f"  {KEY_LINE}\r",
        f"{KEY_LINE}\n{KEY_LINE}",
        f"first\n{KEY_LINE}\nlast",
        KEY_LINE + "==",
    ],
)
def test_lines_of_a_key_whose_first_line_is_another_message(text: str) -> None:
    shown, kinds = redact(text)
    assert KEY_LINE[:20] not in shown
    assert shown.count("\n") == text.count("\n")
    assert kinds == ("private key",)


@pytest.mark.parametrize(
    "line",
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # SHA-256
        "A" * 64,
        f"digest {KEY_LINE}",  # a word before it: no line of a key
        "/aws/lambda/orders/worker/that/has/a/very/long/path/of/many/folders/x",
    ],
)
def test_what_is_no_line_of_a_key(line: str) -> None:
    assert redact(line) == (line, ())
