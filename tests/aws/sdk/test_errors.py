"""Every failure becomes one clean sentence of the right kind."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as sdk
from fakes.wire_stub import Body, Fault, Hang, Reset, WireStub

from lambdatop.aws.sdk.errors import translate
from lambdatop.domain.errors import (
    CredentialsError,
    Denied,
    LambdatopError,
    Missing,
    SourceError,
    Throttled,
    Unreachable,
    UsageError,
)

from ..conftest import MakeBench

pytestmark = pytest.mark.sdk


def _client_error(code: str, status: int = 400, message: str = "words") -> sdk.ClientError:
    return sdk.ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "ListFunctions",
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", Denied),
        ("AccessDenied", Denied),
        ("AuthorizationError", Denied),
        ("TooManyRequestsException", Throttled),
        ("ThrottlingException", Throttled),
        ("Throttling", Throttled),
        ("RequestThrottled", Throttled),
        ("ExpiredTokenException", CredentialsError),
        ("ExpiredToken", CredentialsError),
        ("UnrecognizedClientException", CredentialsError),
        ("InvalidClientTokenId", CredentialsError),
        ("SignatureDoesNotMatch", CredentialsError),
        ("InvalidSignatureException", CredentialsError),
        ("ResourceNotFoundException", Missing),
        ("AWS.SimpleQueueService.NonExistentQueue", Missing),
        ("QueueDoesNotExist", Missing),
        ("InvalidParameterValueException", SourceError),
    ],
)
def test_codes_are_told_apart(code: str, kind: type[SourceError]) -> None:
    error = translate(_client_error(code), "lambda", "ListFunctions")
    assert type(error) is kind
    assert isinstance(error, SourceError)
    assert error.code == code


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (sdk.NoCredentialsError(), CredentialsError, "--profile"),
        (
            sdk.PartialCredentialsError(provider="env", cred_var="x"),
            CredentialsError,
            "AWS_SECRET_ACCESS_KEY",
        ),
        (sdk.UnauthorizedSSOTokenError(), CredentialsError, "log in again"),
        (sdk.RefreshWithMFAUnsupportedError(), CredentialsError, "MFA"),
        (sdk.CredentialRetrievalError(provider="p", error_msg="boom"), CredentialsError, "fetched (p)"),
        (sdk.ProfileNotFound(profile="nope"), UsageError, "nope"),
        (sdk.NoRegionError(), UsageError, "--region"),
        (sdk.EndpointConnectionError(endpoint_url="https://x/?s=1"), Unreachable, "https://x cannot"),
        (sdk.ConnectTimeoutError(endpoint_url="https://x"), Unreachable, "network"),
        (sdk.ReadTimeoutError(endpoint_url="https://x"), Unreachable, "in time"),
        (sdk.ProxyConnectionError(proxy_url="http://me:pw@p"), Unreachable, "The proxy http://p cannot"),
        (sdk.SSLError(endpoint_url="https://x", error="bad"), Unreachable, "AWS_CA_BUNDLE"),
        (sdk.ConnectionClosedError(endpoint_url="https://x"), Unreachable, "closed"),
        (sdk.HTTPClientError(error=ConnectionAbortedError(1, "odd")), Unreachable, "odd"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), SourceError, "could not be understood"),
    ],
)
def test_exceptions_become_sentences_that_say_what_to_do(
    error: Exception, kind: type[LambdatopError], says: str
) -> None:
    made = translate(error, "lambda", "ListFunctions")
    assert type(made) is kind
    assert says in str(made)
    assert "\n" not in str(made)


def test_the_missing_action_is_named_as_iam_spells_it() -> None:
    by_message = _client_error(
        "AccessDenied", 403, "User: arn:x is not authorized to perform: lambda:ListFunctions on resource: *"
    )
    error = translate(by_message, "lambda", "ListFunctions")
    assert isinstance(error, Denied)
    assert error.action == "lambda:ListFunctions"
    guessed = translate(_client_error("AccessDeniedException"), "stepfunctions", "ListExecutions")
    assert isinstance(guessed, Denied)
    assert guessed.action == "states:ListExecutions"


def test_of_an_error_of_sts_nothing_that_looks_like_a_key_is_quoted() -> None:
    key = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12"
    error = translate(_client_error(key, 400, f"the secret {key} is none"), "sts", "AssumeRole")
    assert str(error) == "sts:AssumeRole failed (•••): the secret ••• is none"


def test_a_hostile_message_arrives_harmless() -> None:
    error = translate(
        _client_error("Odd\x1b[31m", 400, "bad\x1b]52;c;aGk=\x07 \u202etxt\nmore"), "lambda", "ListFunctions"
    )
    assert not any(c in str(error) for c in "\x1b\x07\u202e\n")
    assert isinstance(error, SourceError)
    assert "\x1b" not in error.code


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Fault("TooManyRequestsException", status=429), Throttled),
        (Fault("AccessDeniedException", status=403), Denied),
        (Fault("ExpiredTokenException", status=403), CredentialsError),
        (Fault("ServiceException", status=500), SourceError),
        (Hang(), Unreachable),
        (Reset(), Unreachable),
        (Body(b"<html>not json</html>", "text/html"), SourceError),
        (Body(b"\xff\xfe\x00garbage"), SourceError),
        (Body(b'{"Functions": [', announced=5000), Unreachable),
    ],
    ids=["throttled", "denied", "expired", "500", "hang", "reset", "html", "garbage", "cut"],
)
async def test_what_happens_on_the_wire(
    answer: Any, kind: type[SourceError], stub: WireStub, bench: MakeBench
) -> None:
    stub.on("lambda", "ListFunctions", answer)
    with pytest.raises(SourceError) as caught:
        await bench(silence_s=2.0).api.read("lambda", "ListFunctions")
    assert type(caught.value) is kind
    assert caught.value.__cause__ is None


async def test_an_unreachable_endpoint(stub: WireStub) -> None:
    from fakes.aws_doubles import Bench

    bench = Bench("http://127.0.0.1:9")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9 cannot"):
        await bench.api.read("lambda", "ListFunctions")
    await bench.close()


@pytest.mark.parametrize("code", ["ServiceException", "ThrottlingException", "Whatever", ""])
@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_nothing_is_promised_here(code: str, status: int) -> None:
    """A change, a plan's read and a key are asked once: only a collector asks again, and says so itself."""
    answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    sentence = str(
        translate(sdk.ClientError(answer, "PutFunctionConcurrency"), "lambda", "PutFunctionConcurrency")
    )
    assert "again" not in sentence
    assert "less often" not in sentence
