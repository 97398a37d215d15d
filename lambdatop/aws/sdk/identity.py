"""Check whose credentials sign: ask AWS with exactly the keys that then sign, again at every renewal.

The SDK renews credentials silently, and their source (a credential_process, a broker behind a container's
endpoint) may meanwhile belong to another account. Calls name resources that may exist in both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from msgspec import Struct

from lambdatop.aws.sdk.credentials import not_fetched
from lambdatop.domain.errors import IdentityChanged
from lambdatop.domain.facts.principal import same_principal
from lambdatop.domain.sanitize import clean_line, clean_name

Ask = Callable[[Any], Awaitable[Mapping[str, Any]]]
"""Sends GetCallerIdentity signed with these frozen keys; raises LambdatopError."""

_pinned: ContextVar[Any] = ContextVar("lambdatop_pinned_keys", default=None)


class Caller(Struct, frozen=True):
    """Who signs with `keys` (botocore's frozen credentials), as AWS said."""

    account: str
    arn: str
    keys: Any


@contextmanager
def signing_with(caller: Caller) -> Iterator[None]:
    """Sign everything that this task sends in this block with the keys of `caller`."""
    token = _pinned.set(caller.keys)
    try:
        yield
    finally:
        _pinned.reset(token)


class CheckedCredentials:
    """Replaces the SDK's credentials in the session: no key signs before AWS has said whose it is.

    The first identity is the one of the connection. When a renewal brings another account or another role,
    `changed` is called once, and nothing is signed any more: the connection has to be opened again. `held`
    says which setting makes an account read-only, "" when none does.
    """

    def __init__(
        self,
        credentials: Any,
        ask: Ask,
        held: Callable[[str], str] = lambda account: "",
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._credentials = credentials
        self._ask = ask
        self._held = held
        self._changed = changed
        self._first: Caller | None = None
        self._known: Caller | None = None
        self._ended: IdentityChanged | None = None
        self._lock = asyncio.Lock()

    @property
    def method(self) -> str:
        """How the SDK got them (`env`, `assume-role` …)."""
        return str(self._credentials.method)

    @property
    def arn(self) -> str:
        """Who signed last; "" before anybody was asked."""
        return self._known.arn if self._known else ""

    async def get_account_id(self) -> Any:
        """Return the account id of the keys that sign, for endpoints that hold it; None when not said."""
        return (await self.get_frozen_credentials()).account_id

    def get_deferred_property(self, name: str) -> Callable[[], Awaitable[Any]]:
        """Return the same the SDK's other way; it asks for no other property than `account_id`."""
        if name != "account_id":
            raise AttributeError(name)
        return self.get_account_id

    async def get_frozen_credentials(self) -> Any:
        """Return keys that AWS has said are this connection's identity; the SDK signs with them.

        Raises:
            IdentityChanged: they are somebody else's.
            LambdatopError: AWS did not say whose they are.
        """
        keys = _pinned.get()
        if keys is None:
            keys = await self._handed_out()
        if self._ended is None and self._known is not None and keys == self._known.keys:
            return keys
        async with self._lock:
            self._refuse_ended()
            if self._known is None or keys != self._known.keys:
                await self._verify(keys)
        return keys

    async def identify(self) -> Caller:
        """Ask AWS now whose the present keys are; the answer holds for exactly these.

        Raises like `get_frozen_credentials`.
        """
        async with self._lock:
            self._refuse_ended()
            return await self._verify(await self._handed_out())

    async def _handed_out(self) -> Any:
        """Return the present keys. A renewal fails with the first message, whatever was to be signed."""
        try:
            return await self._credentials.get_frozen_credentials()
        except Exception as error:
            raise not_fetched(error) from None

    def _refuse_ended(self) -> None:
        if self._ended is not None:
            raise IdentityChanged(str(self._ended))

    async def _verify(self, keys: Any) -> Caller:
        answer = await self._ask(keys)
        account = clean_name(str(answer.get("Account") or ""))
        caller = Caller(account, clean_line(str(answer.get("Arn") or ""), 2048), keys)
        first = self._first = self._first or caller
        if account != first.account or not same_principal(first.arn, caller.arn):
            self._ended = IdentityChanged(self._sentence(first, caller))
            self._changed()
            raise self._ended
        self._known = caller
        return caller

    def _sentence(self, first: Caller, now: Caller) -> str:
        held = self._held(now.account)
        return (
            f"The credentials were renewed as another identity: {now.arn or 'AWS does not say which'} "
            f"(account {now.account or 'not known'}) instead of {first.arn} (account {first.account}). "
            "Nothing more is sent on this connection"
            + (f"; the new account is held to read-only ({held})" if held else "")
            + ". Connect again and plan again."
        )
