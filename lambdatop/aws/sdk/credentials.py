"""Set up the SDK's credential providers for use under a console: no prompt, no stdin, no IMDSv1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lambdatop.aws.sdk.credential_process import Notify, starter
from lambdatop.aws.sdk.errors import LOGIN, translate
from lambdatop.aws.sdk.mfa import SESSION_ENDS_EARLY_S, MfaCodes, refused
from lambdatop.aws.sdk.walls.guard import GuardRefusal
from lambdatop.aws.sdk.wire._private import credentials_expiry, quiet_providers
from lambdatop.domain.error_words import error_words
from lambdatop.domain.errors import CredentialsError, LambdatopError

MFA_WORDS = ("multifactorauthentication", "mfa")
_MFA_CODES = ("AccessDenied", "ValidationError", "InvalidParameterValue")


def settle_providers(session: Any, codes: MfaCodes | None, notify: Notify = lambda sentence: None) -> None:
    """Set up the providers; call it before the session's first credentials.

    `notify` is called when a credential_process is waited for. It gets no stdin: a prompt there would take
    keys from the console. The metadata service is asked by IMDSv2 only: version 1 answers requests that
    somebody makes a server send (SSRF).
    """
    session.set_config_variable("ec2_metadata_v1_disabled", True)
    prompter: Callable[[str], str] = codes.take if codes else _no_prompt
    quiet_providers(session, prompter, codes.sessions if codes else None, lambda name: starter(name, notify))


def mfa_refusal(error: BaseException) -> CredentialsError | None:
    """Return the sentence for an answer of STS that is about the MFA code, None for any other error."""
    if not isinstance(error, ClientError):
        return None
    about = error.response.get("Error") or {}
    message = str(about.get("Message") or "")
    if about.get("Code") in _MFA_CODES and any(word in message.lower() for word in MFA_WORDS):
        return refused(message)
    return None


def not_fetched(error: Exception) -> LambdatopError:
    """Return the sentence for whatever kept the SDK from getting or renewing credentials."""
    known = (LambdatopError, GuardRefusal, ClientError, BotoCoreError, ResponseParserError)
    if isinstance(error, known):
        return mfa_refusal(error) or translate(error, "sts", "AssumeRole")
    if isinstance(error, RuntimeError) and "still expired" in str(error):
        return CredentialsError(f"The credentials that were returned have expired already: {LOGIN}.")
    return CredentialsError(
        f"The source of the credentials returned none that can be used ({error_words(error)}): check the "
        "profile, and what answers there."
    )


def _no_prompt(_: str) -> str:
    raise CredentialsError(
        "The profile needs an MFA code, and it cannot be asked for here: run it on a terminal, or get a "
        "session first (for example `aws sts get-session-token`) and use its profile."
    )


def usable_until(credentials: Any, codes: MfaCodes | None) -> Callable[[], float | None]:
    """Return a function for the time until which credentials work (s since the epoch, None when not said).

    Those that only a new MFA code can renew are refused by the SDK itself ten minutes before they expire.
    """

    def until() -> float | None:
        expiry = credentials_expiry(credentials)
        early = codes is not None and codes.used and credentials.method == "assume-role"
        return expiry - SESSION_ENDS_EARLY_S if expiry is not None and early else expiry

    return until
