"""What AWS does by kind of source: Lambda developer guide, as `source_kinds` names its pages."""

from __future__ import annotations

import pytest
from fakes.worlds import function, mapping

from lambdatop.domain.facts.event_source_mapping import MappingFacts, risks
from lambdatop.domain.facts.failure_path import stream_failure_path
from lambdatop.domain.facts.not_read import NOT_ASKED
from lambdatop.domain.facts.source_kinds import SOURCE_KINDS, kind_of, source_kind
from lambdatop.domain.keys import parse_arn

ARNS = {
    "arn:aws:sqs:r:1:orders": ("sqs", "orders"),
    "arn:aws:kinesis:r:1:stream/clicks": ("kinesis", "clicks"),
    "arn:aws:dynamodb:r:1:table/carts/stream/2026-01-01T00:00:00.000": ("dynamodb", "carts"),
    "arn:aws:kafka:r:1:cluster/shop/0f1e-2": ("kafka", "shop"),
    "arn:aws:mq:r:1:broker:orders-broker:b-0f1e": ("mq", "orders-broker"),
    "arn:aws:rds:r:1:cluster:carts": ("documentdb", "carts"),
    "arn:aws:codecommit:r:1:repo": ("other", "repo"),
}


@pytest.mark.parametrize("arn", ARNS)
def test_kind_and_name_of_a_source(arn: str) -> None:
    parsed = parse_arn(arn)
    assert parsed is not None
    assert (source_kind(arn), parsed.name) == ARNS[arn]


def test_a_cluster_without_an_arn_is_kafka() -> None:
    assert source_kind("b-1.example:9092,b-2.example:9092") == "kafka"
    assert source_kind(None) == "kafka"


def fed(kind: str, **facts: object) -> MappingFacts:
    return mapping(source_kind=kind, batch_size=100, **facts)


def risk(of: MappingFacts) -> str:
    return "; ".join(risks(of, function(), None, None))


@pytest.mark.parametrize("kind", SOURCE_KINDS)
def test_advice_is_given_where_aws_takes_it(kind: str) -> None:
    """ReportBatchItemFailures and limits of retries: never for MQ and DocumentDB, for Kafka with pollers."""
    plain, polled = fed(kind), fed(kind, pollers_min=1, pollers_max=2)
    advised = "ReportBatchItemFailures"
    assert (advised in risk(plain)) == (kind in ("sqs", "kinesis", "dynamodb"))
    assert (advised in risk(polled)) == (kind in ("sqs", "kinesis", "dynamodb", "kafka"))
    assert plain.limited == (kind in ("kinesis", "dynamodb"))
    assert polled.limited == (kind in ("kinesis", "dynamodb", "kafka"))


def test_a_bad_record_blocks_what_is_in_order() -> None:
    assert "a bad record blocks its shard until it expires" in risk(fed("kinesis"))
    assert "a bad record blocks its partition until it expires" in risk(fed("kafka"))
    assert "a bad change blocks its change stream until it expires" in risk(fed("documentdb"))
    assert "infinite" not in risk(fed("mq")) + risk(fed("sqs")) + risk(fed("other"))


def test_kafka_gives_up_after_ten_retries_where_a_destination_takes_records() -> None:
    told = fed("kafka", on_failure_arn="kafka://lost")
    assert told.retries == 10
    assert "infinite" not in risk(told)
    assert stream_failure_path(told, NOT_ASKED, NOT_ASKED) == "until 10 retries, then topic lost"
    assert fed("kinesis", on_failure_arn="arn:aws:sqs:r:1:lost").retries is None
    assert fed("kafka", on_failure_arn="kafka://lost", max_retry_attempts=3).retries == 3


@pytest.mark.parametrize(
    ("retries", "age_s", "endless"),
    [
        (None, None, True),
        (-1, -1, True),
        (10_000, 604_800, True),
        (10_000, 3600, False),
        (9_999, None, False),
        (-1, 604_799, False),
    ],
)
def test_the_greatest_limits_are_none(retries: int | None, age_s: int | None, endless: bool) -> None:
    assert fed("kinesis", max_retry_attempts=retries, max_record_age_s=age_s).endless is endless


def test_documentdb_is_switched_off_when_its_change_has_expired() -> None:
    path = stream_failure_path(fed("documentdb"), NOT_ASKED, NOT_ASKED)
    assert path == "repeated until it succeeds; once the change has expired, Lambda disables the trigger"


def test_a_kind_that_is_not_known_claims_nothing() -> None:
    other = kind_of("codecommit")
    assert (other.part, other.limits, other.partial, other.ages, other.at_once) == (
        "",
        "never",
        "never",
        False,
        "",
    )
