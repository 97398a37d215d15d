"""What `lambdatop doctor` makes of figures, and which endpoints are AWS's own."""

from __future__ import annotations

import pytest
from botocore.session import get_session

from lambdatop.aws.sdk.connection import SERVICES
from lambdatop.domain.diagnosis import (
    Check,
    Report,
    Verdict,
    expiry,
    mitigation_checks,
    permission_checks,
    skew,
)
from lambdatop.domain.endpoint import foreign, is_aws
from lambdatop.domain.facts.permissions import Permission
from lambdatop.domain.mitigations.registry import REGISTRY, iam_actions
from lambdatop.report.text.doctor import report_text

OTHERS: tuple[Verdict, ...] = ("ok", "warn", "unknown")


@pytest.mark.parametrize(
    ("seconds", "state", "words"),
    [
        (None, "unknown", "no answer"),
        (0.4, "ok", "less than 1.5 s"),
        (-30.0, "ok", "30 s behind the answers"),
        (61.0, "warn", "61 s ahead of the answers"),
        (-241.0, "fail", "241 s behind"),
    ],
)
def test_a_clock_that_is_off_is_said_before_aws_refuses_it(
    seconds: float | None, state: str, words: str
) -> None:
    check = skew(seconds)
    assert check.state == state
    assert words in check.detail
    assert bool(check.do) == (state in ("warn", "fail"))


@pytest.mark.parametrize(
    ("left", "state", "words"),
    [(7300.0, "ok", "in 2 h 1 min"), (840.0, "warn", "in 14 min"), (0.0, "fail", "expired")],
)
def test_expiry(left: float, state: str, words: str) -> None:
    check = expiry(1000.0 + left, 1000.0)
    assert (check.state, check.detail) == (state, words)


def test_credentials_without_an_expiry_time_say_so() -> None:
    assert expiry(None, 1000.0).detail == "no expiry time is given"


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (("ok", "ok", "warn"), "1 warning, 2 ok"),
        (("unknown", "warn", "fail", "warn", "ok"), "1 failed, 2 warnings, 1 not known, 1 ok"),
    ],
)
def test_the_last_line_counts_the_checks_by_result(states: tuple[Verdict, ...], said: str) -> None:
    checks = tuple(Check("files", "f", state, "") for state in states)
    assert report_text(Report(0.0, checks), width=80, colour=False).splitlines()[-1] == said
    assert expiry(None, 1000.0).state == "ok"


def test_permissions_are_counted_and_the_missing_ones_named() -> None:
    answers = {"lambda:A": "yes", "lambda:B": "no", "lambda:C": "unknown"}
    read, operator, rest = permission_checks(
        answers,  # type: ignore[arg-type]
        {"read-only": tuple(answers), "operator": ("lambda:B",), "operator-elevated": ("lambda:C",)},
        "IAM says so.",
    )
    assert (read.state, read.detail) == ("warn", "1 yes, 1 no, 1 unknown")
    assert "lambda:B" in read.do
    assert "lambdatop policy read-only" in read.do
    assert (operator.state, operator.do) == ("ok", "")  # not to be allowed to change things is no fault
    assert (rest.state, rest.do) == ("unknown", "Not known: IAM says so.")


def test_each_mitigation_is_allowed_or_not_or_not_known_with_what_it_lacks() -> None:
    answers: dict[str, Permission] = dict.fromkeys(iam_actions(), "yes")
    (only,) = mitigation_checks(answers)
    assert (only.state, only.detail) == ("ok", ", ".join(REGISTRY))
    answers |= {"sqs:PurgeQueue": "no", "lambda:UpdateAlias": "unknown"}
    allowed, denied, unknown = mitigation_checks(answers)
    assert "throttle_to_zero" in allowed.detail
    assert (denied.state, denied.detail) == ("ok", "purge_queue (sqs:PurgeQueue)")
    assert (unknown.state, unknown.detail) == ("unknown", "rollback_alias")
    assert [c.detail for c in mitigation_checks({})] == [", ".join(REGISTRY)]
    assert mitigation_checks({})[0].state == "unknown"


def test_only_a_failing_line_fails_the_report() -> None:
    lines = [Check("paths", "a", s, "") for s in OTHERS]
    assert not Report(0.0, tuple(lines)).failed
    assert Report(0.0, (*lines, Check("clock", "skew", "fail", ""))).failed
    groups = Report(0.0, (*lines, Check("clock", "skew", "ok", ""))).grouped()
    assert [group for group, _ in groups] == ["clock", "paths"]


@pytest.mark.parametrize(
    "url",
    [
        "https://lambda.eu-central-1.amazonaws.com",
        "https://lambda-fips.us-gov-west-1.amazonaws.com/",
        "https://lambda.eu-central-1.api.aws",
        "https://s3.dualstack.eu-central-1.amazonaws.com",
        "https://iam.amazonaws.com:443",
        "https://iam.global.api.aws",
        "https://sqs.cn-north-1.amazonaws.com.cn",
        "https://vpce-0a1b2c-3d4e.lambda.eu-central-1.vpce.amazonaws.com",
        "https://vpce-0a1b2c-3d4e-eu-central-1a.logs.eu-central-1.vpce.amazonaws.com",
        "https://bucket.vpce-0a1b2c-3d4e.s3.eu-central-1.vpce.amazonaws.com",
    ],
)
def test_endpoints_of_aws_and_of_a_vpc_are_awss_own(url: str) -> None:
    assert is_aws(url)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_that_is_called_is_awss_own(service: str) -> None:
    keys = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nobody"}
    client = get_session().create_client(service, region_name="us-east-1", **keys)
    assert is_aws(client.meta.endpoint_url)


@pytest.mark.parametrize(
    "url",
    [
        "http://lambda.eu-central-1.amazonaws.com",
        "https://lambda.eu-central-1.amazonaws.com.example",
        "https://lambda.eu-central-1.amazonaws.com:8443",
        "https://evil.s3.eu-central-1.amazonaws.com",
        "https://a1b2.execute-api.eu-central-1.amazonaws.com",
        "https://ec2-1-2-3-4.eu-central-1.compute.amazonaws.com",
        "https://x.eu-central-1.elb.amazonaws.com",
        "https://vpce-0a1b-2c.vpce-svc-0a1b.eu-central-1.vpce.amazonaws.com",
        "https://lambdaxeu-central-1.amazonaws.com",
        "http://127.0.0.1:4566",
        "https://[::1",
        "",
    ],
)
def test_everything_else_is_foreign_what_customers_run_under_its_names_too(url: str) -> None:
    assert not is_aws(url)


def test_the_foreign_ones_of_a_list() -> None:
    listed = "https://sqs.eu-central-1.amazonaws.com, http://127.0.0.1:1, https://x.example"
    assert foreign(listed) == ("http://127.0.0.1:1", "https://x.example")
    assert foreign("") == ()
