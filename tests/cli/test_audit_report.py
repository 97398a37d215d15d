"""`snapshot --markdown`: what an auditor must find in it, and what no name in an account can do to it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fakes.worlds import DLQ, MAPPING, NOW, SCOPE, WORKER, function, mapping, queue
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

from lambdatop.cli.commands.snapshot import asked
from lambdatop.domain.facts.permissions import Permissions
from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.loglines.redact import MASK
from lambdatop.domain.plans.finding import Finding, Ref
from lambdatop.domain.settings.settings import ModeSettings, Settings
from lambdatop.domain.state.snapshot import (
    FunctionRow,
    MappingRow,
    QueueRow,
    QuotaRow,
    Snapshot,
    SourceRow,
    StormRow,
    Target,
)
from lambdatop.domain.state.world import Spend
from lambdatop.report.audit.report import Asked, report
from lambdatop.report.audit.tables import plain

PARSER = MarkdownIt("gfm-like", {"linkify": True})
ASKED = Asked("ada", "bastion-1", ModeSettings(origin="flag --read-only"))
IDENTITY = f"arn:aws:sts::{SCOPE.account}:assumed-role/auditor/ada"
POLLING = PollingStatus(
    "calm", 60, 300, 60, None, 60, 60, 120, 3600, 3, 0.04, 900, slowed="details every 5 minutes"
)


def account(text: str = "x", **changes: object) -> Snapshot:
    """Return an account with one of everything, and `text` in place of all foreign text."""
    key = Key(SCOPE, "function", text)
    facts = function(text, runtime=text, dlq_arn=text, last_modified=NOW)
    sqs = queue(Key(SCOPE, "queue", text), arn=text, dlq_arn=text, max_receive_count=3)
    link = mapping(
        function=key, source_arn=text, source_kind=text, state=text, state_reason=text, last_result=text,
        on_failure_arn=text,
    )  # fmt: skip
    ref = Ref(key, text, text)
    snapshot = Snapshot(
        at=NOW,
        version=text,
        mode="read-only",
        targets=(Target(Scope(text, text), text, text, text, text, forced=text),),
        functions=(FunctionRow(facts, findings=1, worst="critical"), FunctionRow(function("quiet"))),
        mappings=(MappingRow(link, (text,), NOW),),
        queues=(QueueRow(sqs, (text,)),),
        storms=(StormRow(link.key, key, text, text, text, text, failure_path=text, invocation="unknown"),),
        findings=(
            Finding("error_rate", "critical", ref, text, NOW, ((text, text), ("n", 3)), (text,), text),
            Finding("risky_config", "info", ref, text, NOW, (("risk_1", text),), (), text),
        ),
        quotas=(QuotaRow(text, "L-1", text, 1, 2, text, text, 1, assumed=True),),
        sources=(SourceRow(text, "denied", None, text, text),),
        spend=Spend(((text, 2),), 0.5),
        polling=replace(POLLING, slowed=text, note=text, why=text),
        permissions=Permissions(
            NOW, {text: "no", f"{text}.": "unknown", "lambda:ListFunctions": "yes"}, text
        ),
    )
    return replace(snapshot, **changes)


def rows(markdown: str, title: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, as they are rendered."""
    return tables(markdown.partition(f"# {title}")[2])[0]


def tables(markdown: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for token in PARSER.parse(markdown):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level >= 4:
            found[-1][-1].append("".join(child.content for child in token.children or ()))
    return found


def skeleton(markdown: str) -> list[str]:
    """Return the kinds of elements of the document, in order, without their texts.

    Code is text on which nothing acts.
    """
    kinds: list[str] = []
    for token in PARSER.parse(markdown):
        inner = {child.type for child in token.children or ()} - {
            "text",
            "softbreak",
            "text_special",
            "code_inline",
        }
        kinds += [token.type, token.tag, *sorted(inner)]
    return kinds


def test_it_says_who_asked_when_where_and_in_which_mode() -> None:
    target = Target(
        SCOPE, "prod", IDENTITY, "https://proxy.example:1", forced="accounts.111122223333, line 3"
    )
    text = report(account(targets=(target,), version="9.9"), ASKED)
    assert text.startswith(f"# lambdatop 9.9: AWS Lambda in {SCOPE}\n")
    who = {field: value for field, value in rows(text, "Who asked")[1:]}
    assert who["made at (UTC)"] == "2027-01-15T08:00:00Z"
    assert who["made by (local)"] == "ada@bastion-1"
    assert who["mode"] == "read-only (accounts.111122223333, line 3)"
    assert (who["account"], who["region"], who["account alias"]) == (*SCOPE, "prod")
    assert who["identity"] == IDENTITY
    assert who["endpoint"].startswith("https://proxy.example:1 (not AWS's")


@pytest.mark.parametrize(
    ("mode", "settings", "words"),
    [
        ("read-only", ModeSettings(origin="flag --read-only"), "read-only (flag --read-only)"),
        ("read-only", ModeSettings(), "read-only"),
        ("operator", ModeSettings(), "operator"),
        (
            "operator",
            ModeSettings(write="flag --write", lifted="read_only in a.yaml"),
            "operator (read-only by read_only in a.yaml was lifted by flag --write)",
        ),
    ],
)
def test_the_mode_names_what_forced_or_lifted_it(mode: str, settings: ModeSettings, words: str) -> None:
    text = report(account(mode=mode, targets=(Target(SCOPE),)), Asked("ada", "b", settings))
    assert ["mode", words] in rows(text, "Who asked")
    assert ["endpoint", "AWS's own"] in rows(text, "Who asked")


def test_what_was_denied_or_failed_stands_with_its_missing_action() -> None:
    sources = (
        SourceRow("functions", "ok", 2.0),
        SourceRow(
            "alarms", "denied", None, "cloudwatch:DescribeAlarms is not allowed.", "cloudwatch:DescribeAlarms"
        ),
        SourceRow("queues", "stale", 200.0),
    )
    gaps = rows(report(account(sources=sources), ASKED), "What was not seen")
    assert gaps[1:] == [
        [
            "alarms",
            "denied",
            "never",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:DescribeAlarms is not allowed.",
        ],
        ["queues", "stale", "3m before", "-", "no answer in time"],
    ]
    whole = report(account(sources=sources[:1]), ASKED)
    assert "1 source asked, none denied, failed or stale" in whole


def test_permissions_that_are_missing_or_not_known_are_listed() -> None:
    answers = {"lambda:GetPolicy": "no", "sqs:PurgeQueue": "unknown", "lambda:ListFunctions": "yes"}
    found = Permissions(NOW, answers, "iam:SimulatePrincipalPolicy is not allowed.")  # type: ignore[arg-type]
    text = report(account(sources=(), permissions=found), ASKED)
    assert "1 actions allowed, 1 not allowed, 1 not known" in text
    assert rows(text, "What was not seen")[1:] == [
        ["lambda:GetPolicy", "not allowed"],
        ["sqs:PurgeQueue", "not known: iam:SimulatePrincipalPolicy is not allowed."],
    ]
    assert "IAM was not asked" in report(account(permissions=None), ASKED)


def test_functions_without_data_and_looks_that_were_not_made_are_said() -> None:
    seen = FunctionRow(function("seen"), reserved_known=True, as_of=NOW - 5)
    text = report(account(functions=(seen, FunctionRow(function("dark")))), ASKED)
    assert "Functions without metrics: 1 of 2" in text
    assert "reserved concurrency is not known: 1 of 2" in text
    assert "metrics and reserved concurrency of all 1 were read" in report(account(functions=(seen,)), ASKED)
    assert "of the other active ones not until they turn hot" in text
    slow = report(account(sources=(), permissions=None, polling=POLLING), ASKED)
    assert ["slowed down", "details every 5 minutes"] in rows(slow, "What was not seen")
    assert "no polling plan was made" in report(account(polling=None), ASKED)


def test_findings_come_by_severity_with_evidence_and_formula() -> None:
    ref = Ref(WORKER, function().arn, "orders-worker")
    warning = Finding("throttled", "warning", ref, "throttles", NOW)
    critical = Finding(
        "error_rate",
        "critical",
        ref,
        "fails",
        NOW,
        (("errors", 30), ("rate", 0.4286), ("why", None)),
        (),
        "30 / 70",
    )
    found = rows(report(account(findings=(warning, critical)), ASKED), "Findings")
    assert [row[0] for row in found[1:]] == ["critical", "warning"]
    assert found[1][2] == function().arn
    assert found[1][5:7] == ["errors=30, rate=0.429, why=not known", "30 / 70"]


def test_risky_configuration_says_each_risk_once() -> None:
    risk, more = "no ReportBatchItemFailures: one bad message repeats its whole batch", "visibility 2 s < 6 x"
    ref = Ref(MAPPING, MAPPING.id, "orders → orders-worker")
    finding = Finding(
        "risky_config", "info", ref, "t", NOW, (("risks", 2), ("risk_1", risk), ("risk_2", more))
    )
    stopped = FunctionRow(function("stopped"), reserved=0, reserved_known=True)
    safe = FunctionRow(function("safe", dlq_arn=queue(DLQ).arn, runtime="python3.13"))
    image = FunctionRow(function("image", dlq_arn=queue(DLQ).arn, runtime="", package_type="Image"))
    bare = FunctionRow(function("bare", dlq_arn=queue(DLQ).arn, runtime=""))
    functions = (stopped, safe, image, bare)
    text = report(
        account(findings=(finding,), mappings=(MappingRow(mapping(), (risk,)),), functions=functions), ASKED
    )
    assert [row[:3] for row in rows(text, "Risky")[1:]] == [
        ["mapping", "orders → orders-worker", risk],
        ["mapping", "orders → orders-worker", more],
        ["function", "stopped", "reserved concurrency 0: every invocation is throttled"],
    ]
    assert "1 function of 4 without a dead-letter queue" in text
    assert ["container image", "1"] in tables(text.partition("## Risky")[2])[1]
    assert ["not known", "2"] in tables(text.partition("## Risky")[2])[1]
    assert ["python3.13", "1"] in tables(text.partition("## Risky")[2])[1]


def test_of_a_thousand_functions_those_in_trouble_come_first() -> None:
    many = tuple(FunctionRow(function(f"f{i:03}"), heat=float(i == 500) * 80) for i in range(1000))
    text = report(account(functions=many), ASKED)
    assert [row[0] for row in rows(text, "Hot, with findings")[1:]] == ["f500"]
    others = rows(text, "All others")
    assert [len(others), others[1][0], others[-1][0]] == [1000, "f000", "f999"]


def test_assumed_limits_and_own_calls() -> None:
    text = report(account(spend=Spend((("sqs.GetQueueUrl", 2), ("lambda.ListFunctions", 1)), 0.25)), ASKED)
    assert rows(text, "Quotas")[1][3] == "~2"
    assert "1 limit with a tilde" in text
    assert "3 requests to AWS" in text
    assert rows(text, "What lambdatop itself did")[1:] == [
        ["lambda.ListFunctions", "1", "0.00000"],
        ["sqs.GetQueueUrl", "2", "0.00000"],
    ]


def test_the_documented_command_verifies_the_hash(tmp_path: Path) -> None:
    if not (shutil.which("sed") and shutil.which("sha256sum")):
        pytest.skip("no sed or no sha256sum")
    text = report(account("größe"), ASKED)
    (command,) = (line.strip() for line in text.splitlines() if line.startswith("    "))
    file = tmp_path / "report.md"

    def told() -> bool:
        ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
        return file.read_text(encoding="utf-8").splitlines()[-1] == f"SHA-256: {ran.stdout.split()[0]}"

    file.write_text(text, encoding="utf-8")
    assert told()
    file.write_text(text.replace("größe", "grösse", 1), encoding="utf-8")
    assert not told()


@pytest.mark.parametrize(
    "secret", ["password=hunter2hunter2", "AKIAIOSFODNN7EXAMPLE", "Authorization: Bearer abc123def456ghi"]
)
def test_secrets_in_texts_are_masked_everywhere(secret: str) -> None:
    text = report(account(secret), Asked(secret, secret, ModeSettings(secret)))
    assert secret.split("=")[-1].split()[-1] not in text
    assert MASK in text


EVIL = st.sampled_from(
    [
        "|", "`", "```", "\\", "\n", "\r\n", "\u2028", "\n\n", "# ", "\n# h\n", "SHA-256: 00",
        "\nSHA-256: 00\n", "<b>", "<!-- ", "-->", "[a](//b)", "![a](b)", " http://x.io ", " www.x.io ", "*",
        "**b**", " _i_ ", "~~s~~", "&lt;", "&#124;", "$x$", "- ", "\t", "\x1b[31m", "\u202e", "---",
        "| --- |", "\n\n---\n", "1. ", "> ", "\ud800", "日本", "mailto:x@evil", "a@b.co", "@ops", "#1",
        ":tada:", "//x.io", "x.io", "[^1]", "GH-1",
    ]
)  # fmt: skip
TEXTS = st.builds(
    str.format,
    st.sampled_from(["a{}b", "{}b", "a{}"]),
    st.lists(EVIL | st.text(max_size=4), min_size=1, max_size=6).map("".join),
)


@given(TEXTS)
def test_no_text_changes_what_the_document_is_made_of(text: str) -> None:
    made = report(account(text), Asked(text, text, ModeSettings(text)))
    assert skeleton(made) == skeleton(report(account("ab"), Asked("ab", "ab", ModeSettings("ab"))))
    assert [line for line in made.splitlines() if line.startswith("SHA-256")] == made.splitlines()[-1:]
    shown = "".join(rows(made, "Hot, with findings")[1][0].split())
    assert shown == "".join(plain(text).split())


def test_a_user_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pwd.getpwuid", lambda uid: (_ for _ in ()).throw(KeyError(uid)))
    who = asked(Settings(mode=ModeSettings(origin="variable")))
    assert who.user.startswith("uid ")
    assert (who.host, who.mode.origin) == (os.uname().nodename, "variable")
