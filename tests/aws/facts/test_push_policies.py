"""Resource policies as AWS writes them, and as nobody should."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdatop.aws.facts.resource_policy import MOST_KEPT, NoPolicy, push_triggers
from lambdatop.aws.reads.single_reads import principals_of
from lambdatop.domain.facts.triggers import PushTrigger

FN = "arn:aws:lambda:eu-central-1:123456789012:function:f"


def kept(policy: str) -> tuple[PushTrigger, ...]:
    return push_triggers(policy).kept


def _policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": list(statements)})


def _allow(principal: Any, condition: Any = None, **more: Any) -> dict[str, Any]:
    found = {"Sid": "s", "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction"}
    return found | {"Resource": FN} | ({"Condition": condition} if condition else {}) | more


def _service(name: str, source: str | None = None, operator: str = "ArnLike") -> dict[str, Any]:
    return _allow({"Service": name}, {operator: {"AWS:SourceArn": source}} if source else None)


@pytest.mark.parametrize(
    ("principal", "kind", "invocation"),
    [
        ("s3.amazonaws.com", "s3", "push async"),
        ("sns.amazonaws.com", "sns", "push async"),
        ("events.amazonaws.com", "eventbridge", "push async"),
        ("scheduler.amazonaws.com", "scheduler", "push async"),
        ("logs.eu-central-1.amazonaws.com", "logs", "push async"),
        ("logs.amazonaws.com", "logs", "push async"),
        ("iot.amazonaws.com", "iot", "push async"),
        ("ses.amazonaws.com", "ses", "push async"),
        ("config.amazonaws.com", "config", "push async"),
        ("codecommit.amazonaws.com", "codecommit", "push async"),
        ("apigateway.amazonaws.com", "apigateway", "push sync"),
        ("elasticloadbalancing.amazonaws.com", "alb", "push sync"),
        ("cognito-idp.amazonaws.com", "cognito", "push sync"),
        ("alexa-appkit.amazon.com", "alexa", "push sync"),
        ("lexv2.amazonaws.com", "lex", "push sync"),
        ("s3.amazonaws.com.cn", "s3", "push async"),
        ("newservice.amazonaws.com", "other", "unknown"),
    ],
)
def test_services(principal: str, kind: str, invocation: str) -> None:
    (found,) = kept(_policy(_service(principal, "arn:aws:x:::y")))
    assert found == PushTrigger(kind, invocation, "arn:aws:x:::y", principal)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "condition",
    [
        {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}},
        {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::b"}},
        {"StringEquals": {"aws:sourcearn": "arn:aws:s3:::b", "AWS:SourceAccount": "123456789012"}},
        {"StringLike": {"Aws:SourceARN": ["arn:aws:s3:::b"]}},
        {"ForAnyValue:ArnLikeIfExists": {"AWS:SourceArn": "arn:aws:s3:::b"}},
        {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"},
        },
    ],
)
def test_every_spelling_of_the_source_is_read(condition: Any) -> None:
    (found,) = kept(_policy(_allow({"Service": "s3.amazonaws.com"}, condition)))
    assert found.source_arn == "arn:aws:s3:::b"


@pytest.mark.parametrize(
    "condition",
    [
        None,
        "nonsense",
        {"StringEquals": "nonsense"},
        {"StringEquals": {"AWS:SourceAccount": "123456789012"}},
        {"Null": {"AWS:SourceArn": "false"}},
        {"ArnNotLike": {"AWS:SourceArn": "arn:aws:s3:::b"}},
        {"StringNotEquals": {"AWS:SourceArn": "arn:aws:s3:::b"}},
        {"ArnLike": {"AWS:SourceArn": "*"}},
        {"ArnLike": {"AWS:SourceArn": None}},
    ],
)
def test_a_condition_that_names_no_source_leaves_it_open(condition: Any) -> None:
    (found,) = kept(_policy(_allow({"Service": "s3.amazonaws.com"}, condition)))
    assert (found.kind, found.source_arn) == ("s3", "")


def test_wildcards_stay_as_the_policy_spells_them() -> None:
    source = "arn:aws:execute-api:eu-central-1:123456789012:abc/*/GET/orders"
    (found,) = kept(_policy(_service("apigateway.amazonaws.com", source)))
    assert found.source_arn == source


def test_lists_of_principals_and_sources_are_taken_apart_once() -> None:
    both = _allow(
        {"Service": ["sns.amazonaws.com", "s3.amazonaws.com"]},
        {"ArnLike": {"AWS:SourceArn": ["arn:aws:sns:r:1:a", "arn:aws:sns:r:1:b"]}},
    )
    found = kept(_policy(both, both))
    assert [(t.kind, t.source_arn[-1]) for t in found] == [
        ("sns", "a"),
        ("sns", "b"),
        ("s3", "a"),
        ("s3", "b"),
    ]


def test_function_urls_in_their_old_and_their_new_form() -> None:
    old = _allow("*", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}})
    old["Action"] = "lambda:InvokeFunctionUrl"
    new = _allow({"AWS": "*"}, {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}})
    assert [t.kind for t in kept(_policy(old))] == ["url"]
    assert kept(_policy(old, new)) == (PushTrigger("url", "push sync", "", "*"),)


def test_accounts_roles_and_everybody_are_no_services() -> None:
    root, role = "arn:aws:iam::999999999999:root", "arn:aws:iam::123456789012:role/s3.amazonaws.com"
    found = kept(_policy(_allow({"AWS": [root, role, "999999999999"]}), _allow("*")))
    assert [(t.kind, t.invocation, t.principal) for t in found] == [
        ("account", "unknown", root),
        ("account", "unknown", role),
        ("account", "unknown", "999999999999"),
        ("account", "unknown", "*"),
    ]


def test_denials_and_other_actions_are_no_triggers() -> None:
    denied = _service("s3.amazonaws.com") | {"Effect": "Deny"}
    reading = _allow({"AWS": "999999999999"}, Action=["lambda:GetFunction", "lambda:ListTags"])
    assert kept(_policy(denied, reading)) == ()
    anything = _allow({"Service": "sns.amazonaws.com"}, Action=["lambda:GetFunction", "lambda:*"])
    assert [t.kind for t in kept(_policy(anything))] == ["sns"]


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "{",
        "null",
        "[]",
        '"text"',
        "{}",
        '{"Statement": null}',
        '{"Statement": "x"}',
        '{"Statement": [null, 1, "x", []]}',
        '{"Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Principal": 7}]}',
        '{"Statement": [{"Effect": "Allow", "Action": "lambda:*", "NotPrincipal": {"AWS": "1"}}]}',
        '{"Statement": [{"Effect": "allow", "Action": "lambda:*", "Principal": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": [], "Principal": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": "lambda:*", "Principal": {}}]}',
        '{"Statement": [{"Effect": "Allow", "Action": 7, "Principal": {"Service": null}}]}',
        "[" * 100_000,
    ],
)
def test_whom_it_allows_is_not_known_of_what_is_no_policy(garbage: str) -> None:
    with pytest.raises(NoPolicy):
        push_triggers(garbage)
    with pytest.raises(NoPolicy):
        principals_of(garbage)


def test_a_policy_without_statements_allows_nobody() -> None:
    assert push_triggers('{"Statement": []}') == ((), 0)
    denied = {"Effect": "Deny", "Principal": "*", "Action": "*"}
    assert push_triggers(json.dumps({"Statement": denied})) == ((), 0)


def test_the_triggers_of_many_principals_and_sources_are_bounded() -> None:
    """15 KB of a policy are 315,000 pairs of principal and source: the first are kept, the others counted."""
    services = [f"a{i}.amazonaws.com" for i in range(560)]
    sources = [f"arn:aws:s3:::b{i}" for i in range(562)]
    wide = _allow({"Service": services}, {"ArnLike": {"aws:SourceArn": sources}})
    pushed = push_triggers(_policy(wide, _service("sns.amazonaws.com")))
    assert (len(pushed.kept), pushed.left) == (MOST_KEPT, 560 * 562 - MOST_KEPT + 1)
    assert pushed.kept[0].source_arn == "arn:aws:s3:::b0"
    assert push_triggers(_policy(_service("sns.amazonaws.com"))).left == 0


def test_one_statement_that_is_no_list_is_read() -> None:
    assert [t.kind for t in kept(json.dumps({"Statement": _service("s3.amazonaws.com")}))] == ["s3"]


def test_hostile_text_is_cleaned() -> None:
    evil = "arn:aws:s3:::b\x1b]0;t\x07\u202e"
    found = kept(_policy(_service("s3.amazonaws.com", evil), _service("x\x1b[2J.amazonaws.com")))
    assert not any(c in repr(t) for t in found for c in ("\\x1b", "\\x07", "\\u202e"))


def test_who_copies_a_function_for_cloudfront_is_a_caller_of_its_copies() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "replicator.lambda.amazonaws.com"},
        "Action": "lambda:GetFunction",
    }
    (found,) = push_triggers(json.dumps({"Statement": [statement]})).kept
    assert (found.kind, found.invocation, found.source_arn) == ("cloudfront", "push sync", "")
    other = statement | {"Principal": {"Service": "config.amazonaws.com"}}
    assert push_triggers(json.dumps({"Statement": [other]})) == ((), 0)
    assert push_triggers(
        json.dumps({"Statement": [statement | {"Principal": {"AWS": "replicator.lambda.amazonaws.com"}}]})
    ) == ((), 0)
