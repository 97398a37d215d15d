"""Hold all uses of private names of aiobotocore and botocore; a test (test_private_names.py) checks each.

A new version of the SDK that renames one fails in that test.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiobotocore.credentials import AioProcessProvider
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession


class PlainSession(AioSession):  # type: ignore[misc,unused-ignore]
    """A session whose clients carry no plugins: BOTOCORE_EXPERIMENTAL__PLUGINS loads foreign code into them.

    A context that switches them off is enough for our own clients, not for those that the session itself
    makes for the SSO and login providers (measured).
    """

    def _register_client_plugins(self, client: Any) -> None:
        """Leave the client as it is."""


ANSWER_BYTES = 16 * 1024 * 1024
"""More than the largest answer that is read here: FilterLogEvents ends a page at 1 MB, Lambda at 6 MB."""
MOMENT_CHARS = 64
"""More than any time takes as text. dateutil, which reads them, takes 6 s for a million characters."""

MOST_ENTRIES = 20_000
"""More than any list of an answer that is read here: FilterLogEvents and GetQueryResults end at 10,000. A
function takes 0.03 ms, so that a body within its limit could stop everything for minutes."""


class BodyTooLong(Exception):
    """A body that is longer than `most` bytes."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the body is longer than {most} bytes")
        self.most = most


class BoundedAnswer:
    """An answer of aiohttp whose body is read up to `ANSWER_BYTES`, whatever length it announces.

    No body is decompressed, so the received bytes are counted. An event stream is not read here: its frames
    have a limit of their own.
    """

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)

    async def read(self) -> bytes:
        """Return the whole body; raises BodyTooLong, and closes the connection when it is not read fully."""
        found = bytearray()
        try:
            if (self._answer.content_length or 0) > ANSWER_BYTES:
                raise BodyTooLong(ANSWER_BYTES)
            async for piece in self._answer.content.iter_any():
                found += piece
                if len(found) > ANSWER_BYTES:
                    raise BodyTooLong(ANSWER_BYTES)
        except BaseException:
            self._answer.close()
            raise
        self._answer.release()
        return bytes(found)


class NoRedirects:
    """An aiohttp session that reports a redirect instead of following it, and bounds each answer.

    aiohttp follows 301/302/307/308 below all hooks, repeats the body and sends the session token to
    the new host (measured); no AWS API answers with a redirect.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    async def request(self, method: str, **kwargs: Any) -> Any:
        """Send one request; the answer is the server's first one."""
        answer = await self._session.request(method, **{**kwargs, "allow_redirects": False})
        return BoundedAnswer(answer)


class FirstAnswerSession(AIOHTTPSession):  # type: ignore[misc,unused-ignore]
    """The transport of aiobotocore, but each request is sent once and its first answer counts.

    aiohttp repeats a PUT, DELETE or GET by itself when the connection breaks, below all hooks: a
    change would be sent twice (measured). Repeating reads is left to botocore, which counts.
    """

    async def _get_session(self, proxy_url: Any) -> Any:
        session = await super()._get_session(proxy_url)
        session._retry_connection = False
        return NoRedirects(session)


def wrap_serializer(client: Any, wrap: Callable[[Any], Any]) -> None:
    """Replace the serializer of the client."""
    client._serializer = wrap(client._serializer)


def tolerate(parser: Any, bad: Any) -> None:
    """Make a parser put `bad` where it cannot read a value, instead of failing at the whole answer."""
    own = parser._parse_shape

    def parse(shape: Any, node: Any) -> Any:
        kind = getattr(shape, "type_name", "")
        if isinstance(node, (str, dict)) and kind == "list":
            return bad  # the SDK would iterate over its characters or keys
        if kind == "list" and isinstance(node, list) and len(node) > MOST_ENTRIES:
            return bad
        text = node if isinstance(node, str) else getattr(node, "text", None)
        if kind == "timestamp" and text and len(text) > MOMENT_CHARS:
            return bad
        try:
            return own(shape, node)
        except Exception:  # each kind of value raises its own exception
            return bad

    parser._parse_shape = parse


def credentials_expiry(credentials: Any) -> float | None:
    """Return when refreshable credentials end (s since the epoch), None for those that do not say."""
    expiry = getattr(credentials, "_expiry_time", None)
    return expiry.timestamp() if isinstance(expiry, datetime) else None


def replace_credentials(session: Any, credentials: Any) -> None:
    """Make every client of the session sign with these; the public way takes fixed keys only."""
    session._credentials = credentials


def replace_mfa_prompter(session: Any, prompter: Callable[[str], str]) -> None:
    """Ask `prompter` instead of a blocking getpass, which would conflict with the console's terminal."""
    provider = session.get_component("credential_provider").get_provider("assume-role")
    provider._prompter = prompter


def quiet_providers(
    session: Any,
    prompter: Callable[[str], str],
    roles: dict[str, Any] | None,
    starter: Callable[[str], Callable[..., Awaitable[Any]]],
) -> None:
    """Ask `prompter` for MFA codes, keep role sessions in `roles`, run a profile's process by `starter`."""
    replace_mfa_prompter(session, prompter)
    chain = session.get_component("credential_provider")
    assume_role = chain.get_provider("assume-role")
    if roles is not None:
        assume_role.cache = roles

    def process(profile_name: str) -> AioProcessProvider:
        return AioProcessProvider(profile_name, lambda: session.full_config, popen=starter(profile_name))

    # Source profiles of a role get providers of their own, from this builder.
    assume_role._profile_provider_builder._create_process_provider = process
    own = chain.get_provider("custom-process")
    own._popen = starter(own._profile_name)
