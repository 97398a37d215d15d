"""Turn whatever the SDK raises into one of the domain's errors: a clean sentence that says what to do.

AWS's codes are compared as text (`error.response["Error"]["Code"]`): most of them have no exception
class, and the same condition has several spellings, one per protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as sdk

from lambdatop.aws.sdk.walls.allowlist import iam_action
from lambdatop.aws.sdk.walls.transport import AnswerTooLong, AnswerTooSlow
from lambdatop.domain.error_words import error_words
from lambdatop.domain.errors import (
    CredentialsError,
    Denied,
    LambdatopError,
    Missing,
    NotThere,
    SourceError,
    Throttled,
    Unreachable,
    UsageError,
)
from lambdatop.domain.loglines.redact import redact, redact_strictly
from lambdatop.domain.sanitize import clean_line, clean_name


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


DENIED = _codes(
    "AccessDenied AccessDeniedException AuthorizationError AuthorizationErrorException "
    "UnauthorizedOperation UnauthorizedAccess KMSAccessDeniedException KmsAccessDenied "
    "InvalidSecurity OptInRequired"
)
THROTTLED = _codes(
    "Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException "
    "TooManyRequestsException RequestLimitExceeded BandwidthLimitExceeded SlowDown "
    "ProvisionedThroughputExceededException PriorRequestNotComplete KmsThrottled"
)
THROTTLED_THERE = frozenset({("kinesis", "LimitExceededException")})
"""Codes that mean throttling in one service and something else in another, with botocore's service name."""
EXPIRED = _codes("ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired")
WRONG_KEY = _codes(
    "UnrecognizedClientException UnrecognizedClient InvalidClientTokenId InvalidAccessKeyId "
    "InvalidClientTokenIdException MissingAuthenticationToken MissingAuthenticationTokenException "
    "AuthFailure InvalidTokenId InvalidToken"
)
WRONG_SIGNATURE = _codes(
    "SignatureDoesNotMatch InvalidSignatureException IncompleteSignature IncompleteSignatureException "
    "RequestTimeTooSkewed"
)
MISSING = _codes(
    "ResourceNotFoundException ResourceNotFound QueueDoesNotExist AWS.SimpleQueueService.NonExistentQueue "
    "NoSuchEntity NoSuchEntityException NotFound NotFoundException NoSuchBucket StateMachineDoesNotExist"
)
NOT_THERE = _codes(
    "UnknownOperation UnknownOperationException InvalidAction NotImplemented NotImplementedException "
    "AWS.SimpleQueueService.UnsupportedOperation UnsupportedOperationException"
)
"""Codes of an endpoint that lacks an operation: a region without it, or a server that is not AWS."""
_PERFORM = re.compile(r"to perform: ([a-z0-9-]+:[A-Za-z]+)")
_PAGE = re.compile(r"<(?:!doctype html|html|head|body|title|h1)\b", re.IGNORECASE)
_MESSAGE_MAX = 400

LOGIN = "log in again (`:login` in the console, or for example `aws sso login`)"


def translate(error: BaseException, service: str, operation: str) -> LambdatopError:
    """Return the domain error for `error`, raised by `service:operation` (botocore's service name)."""
    if isinstance(error, LambdatopError):
        return error
    name = f"{service}:{operation}"
    if isinstance(error, sdk.ClientError):
        return _answered(error, service, operation)
    for kinds, make in _TABLE:
        if isinstance(error, kinds):
            return make(error, name)
    words = error_words(error, _MESSAGE_MAX)  # a parser's message quotes the answer, keys included
    return SourceError(f"{name}: the answer could not be understood ({words}).", code=type(error).__name__)


def gravest(failures: Sequence[SourceError]) -> SourceError:
    """Return the error to report of a round's failures: one that stops every read first, a denial last."""
    for kinds in (CredentialsError, Throttled), (Unreachable,):
        for failure in failures:
            if isinstance(failure, kinds):
                return failure
    return next((f for f in failures if not isinstance(f, Denied)), failures[0])


def code_and_status(error: sdk.ClientError) -> tuple[str, int]:
    """Return AWS's error code (cleaned) and the HTTP status, 0 when there is none."""
    response: Mapping[str, Any] = error.response or {}
    code = clean_name(str((response.get("Error") or {}).get("Code") or ""))
    status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode")
    return code, status if isinstance(status, int) else 0


def words_of(error: sdk.ClientError) -> str:
    """Return AWS's own message, readable and without secrets: whoever answers may have put anything there."""
    return readable(str((error.response.get("Error") or {}).get("Message") or ""))


def readable(text: str) -> str:
    """Return a message, cleaned, shortened and without secrets; of an HTML page only that it is one."""
    return "an HTML page" if _PAGE.search(text) else redact(clean_line(text, _MESSAGE_MAX))[0]


def _answered(error: sdk.ClientError, service: str, operation: str) -> SourceError:
    code, status = code_and_status(error)
    words, name = words_of(error), f"{service}:{operation}"
    if service == "sts":  # it returns keys: whatever looks like one is hidden, even long names
        code, words = redact_strictly(code), redact_strictly(words)
    if code in DENIED:
        asked = _PERFORM.search(words)
        action = own = iam_action(service, operation)
        if asked and asked.group(1).lower() != own.lower():  # SQS writes its own in small letters
            action = asked.group(1)
        sentence = f"{action} is denied to this identity: allow it in its IAM policy (`lambdatop policy`)."
        return Denied(sentence, code=code, action=action)
    if code in THROTTLED or status == 429 or (service, code) in THROTTLED_THERE:
        return Throttled(f"{name} was throttled by AWS ({code}).", code=code)
    if code in EXPIRED:
        return CredentialsError(f"The credentials have expired ({code}): {LOGIN}.", code=code)
    if code in WRONG_KEY:
        sentence = f"AWS does not know these credentials ({code}): check the profile or the access key."
        return CredentialsError(sentence, code=code)
    if code in WRONG_SIGNATURE:
        sentence = f"AWS refused the signature ({code}): check the secret key and this machine's clock."
        return CredentialsError(sentence, code=code)
    if code in MISSING:
        return Missing(f"{name}: it does not exist ({words or code}).", code=code)
    if code in NOT_THERE or status == 501 or (status == 404 and code in ("", "404")):
        sentence = f"{operation} is not there at this endpoint (HTTP {status}): if nothing is, check its URL"
        return NotThere(f"{name}: {sentence}.", code=code, action=iam_action(service, operation))
    if status >= 500:
        what = f"HTTP {status}" if code in ("", str(status)) else f"HTTP {status} {code}"
        about = f": {words}" if words else ""
        # Not "inside AWS": it may be a proxy, or a server that is not AWS's.
        sentence, action = f"{name} failed at the server ({what}){about}.", iam_action(service, operation)
        return SourceError(sentence, code=code, action=action)
    action = iam_action(service, operation)
    return SourceError(f"{name} failed ({code or status}): {words}", code=code, action=action)


def _endpoint(error: BaseException) -> str:
    """Return scheme, host and port of what could not be reached; no path, no query, no password."""
    kwargs = getattr(error, "kwargs", None) or {}
    parts = urlsplit(str(kwargs.get("endpoint_url") or kwargs.get("proxy_url") or ""))
    return clean_line(f"{parts.scheme}://{parts.netloc.rsplit('@', 1)[-1]}", 200)


def _sdk_message(error: BaseException) -> str:
    """Return the SDK's message, without an answer that an HTTP parser or a provider quotes in it."""
    if isinstance(error, sdk.CredentialRetrievalError):
        return str(error.kwargs.get("provider"))
    if isinstance(error, sdk.HTTPClientError):
        cause = error.kwargs.get("error")
        return error_words(cause) if isinstance(cause, BaseException) else type(error).__name__
    return str(error)


def _make(kind: type[LambdatopError], sentence: str) -> Callable[[BaseException, str], LambdatopError]:
    def make(error: BaseException, name: str) -> LambdatopError:
        words = redact(clean_line(_sdk_message(error), 200))[0]
        text = sentence.format(name=name, words=words, endpoint=_endpoint(error))
        if issubclass(kind, SourceError):
            return kind(text, code=type(error).__name__)
        return kind(text)

    return make


_TABLE: tuple[tuple[tuple[type[BaseException], ...], Callable[[BaseException, str], LambdatopError]], ...] = (
    (
        (sdk.NoCredentialsError, sdk.PartialCredentialsError),
        _make(
            CredentialsError,
            "No AWS credentials were found: choose a profile with --profile, "
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in (for example `aws sso login`).",
        ),
    ),
    (
        (
            sdk.UnauthorizedSSOTokenError,
            sdk.SSOTokenLoadError,
            sdk.TokenRetrievalError,
            sdk.LoginError,
        ),
        _make(CredentialsError, f"The login session is over or was never started ({{words}}): {LOGIN}."),
    ),
    (
        (sdk.RefreshWithMFAUnsupportedError,),
        _make(CredentialsError, f"The role needs a new MFA code, its credentials have expired: {LOGIN}."),
    ),
    (
        (sdk.MetadataRetrievalError,),  # its message quotes the metadata service's or the container's answer
        _make(
            CredentialsError,
            "The metadata service or the container's credentials endpoint gave no credentials: check what "
            "answers there.",
        ),
    ),
    (
        (sdk.CredentialRetrievalError,),
        _make(CredentialsError, "The credentials could not be fetched ({words}): check their source."),
    ),
    (
        (sdk.ProfileNotFound,),
        _make(UsageError, "{words}: see `aws configure list-profiles` for those that exist."),
    ),
    (
        (sdk.ConfigParseError, sdk.InvalidConfigError),
        _make(UsageError, "The AWS configuration file cannot be used ({words})."),
    ),
    (
        (sdk.NoRegionError,),
        _make(UsageError, "No region is set: pass --region, or set AWS_REGION or the profile's region."),
    ),
    (
        (sdk.InvalidRegionError,),
        _make(UsageError, "That is not a region name ({words}): pass one such as eu-central-1."),
    ),
    (
        (AnswerTooLong,),
        _make(Unreachable, "{name}: {endpoint} sent more than any answer of AWS; it was not read fully."),
    ),
    (
        (AnswerTooSlow,),
        _make(Unreachable, "{name}: the answer of {endpoint} came too slowly; the request was cancelled."),
    ),
    (
        (sdk.ReadTimeoutError,),
        _make(Unreachable, "{name}: {endpoint} accepted the request and did not answer in time."),
    ),
    (
        (sdk.ConnectTimeoutError,),
        _make(Unreachable, "{endpoint} cannot be reached (no connection in time): check network and proxy."),
    ),
    (
        (sdk.ProxyConnectionError,),
        _make(Unreachable, "The proxy {endpoint} cannot be reached: check HTTPS_PROXY and NO_PROXY."),
    ),
    (
        (sdk.SSLError,),
        _make(Unreachable, "{endpoint} has no trusted certificate ({words}): check AWS_CA_BUNDLE."),
    ),
    (
        (sdk.ConnectionClosedError,),
        _make(Unreachable, "{name}: {endpoint} closed the connection before it answered."),
    ),
    (
        (sdk.EndpointConnectionError,),
        _make(Unreachable, "{endpoint} cannot be reached: check the network, the region and --endpoint-url."),
    ),
    (
        (sdk.HTTPClientError,),
        _make(Unreachable, "{name}: the connection to AWS failed ({words})."),
    ),
    (
        (sdk.ParamValidationError,),
        _make(SourceError, "{name} was not sent, its parameters are not valid ({words})."),
    ),
    (
        (sdk.MissingDependencyException,),
        _make(CredentialsError, "This kind of login needs another package ({words})."),
    ),
)
