"""Let AWS enforce read-only mode: limit a role that lambdatop assumes by an inline session policy.

AWS grants what the role and the policy both allow, whatever this process, or foreign code in it, would send
with the credentials. The configuration files of the SDK cannot express it, so the parameters of the
credential providers' own call are completed here, at every renewal anew.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
from collections.abc import Mapping
from typing import Any

from lambdatop.aws.sdk.walls.allowlist import read_actions
from lambdatop.domain.errors import CredentialsError
from lambdatop.domain.sanitize import clean_line

METHODS = ("assume-role", "assume-role-with-web-identity")
"""The SDK's names of credentials that it got by assuming a role itself."""
OPERATIONS = ("AssumeRole", "AssumeRoleWithWebIdentity")
LIMIT = 2048
"""Characters that AWS takes (STS)."""
_NAMELESS = re.compile(r"(botocore|aws)[-_A-Za-z]*-session-\d+")
_FORBIDDEN = re.compile(r"[^\w+=,.@-]", re.ASCII)


def policy_text() -> str:
    """Return the policy, as short as JSON can be: every read of this version and nothing else."""
    statement = {"Effect": "Allow", "Action": read_actions(), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


class RoleSessions:
    """Completes the calls by which the session of one connection assumes roles.

    A session without a name gets the name of the user, so that CloudTrail shows it. With `limited` the last
    role of the chain gets the policy, too; those before it need to assume the next.
    """

    def __init__(self, *, limited: bool) -> None:
        self._policy = policy_text() if limited else ""
        self._roles: frozenset[str] = frozenset()
        self._held: set[tuple[str, str]] = set()

    def install(self, session: Any) -> None:
        """Register on a session before it resolves credentials."""
        named = (session.get_scoped_config().get("role_arn"), os.environ.get("AWS_ROLE_ARN"))
        self._roles = frozenset(role for role in named if role)
        for operation in OPERATIONS:
            session.register(
                f"provide-client-params.sts.{operation}",
                self._complete,
                unique_id=f"lambdatop-role-session-{operation}",
            )

    def _complete(self, params: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        whole = dict(params)
        if _NAMELESS.fullmatch(str(whole.get("RoleSessionName") or "")):
            whole["RoleSessionName"] = session_name()
        role = str(whole.get("RoleArn"))
        if self._policy and role in self._roles:
            whole["Policy"] = self._policy
            self._held.add(_account_and_name(role))
        return whole

    def check(self, credentials: Any, identity: str) -> None:
        """Make sure that the policy limits the credentials in use, where that was asked for.

        An audit that relies on a limit which does not exist is the worst case, so this refuses. `identity` is
        the ARN of GetCallerIdentity. Raises CredentialsError with a sentence that says what to do.
        """
        if not self._policy:
            return
        role = identity.rpartition("/")[0]  # without the session's name
        held = ":assumed-role/" in role and _account_and_name(role) in self._held
        if credentials.method in METHODS and held:
            return
        raise CredentialsError(
            "session_policy is read-only, but these credentials cannot be held to it: they come from "
            f"{clean_line(str(credentials.method), 60)}, and only a role that lambdatop itself assumes "
            "can. Use a profile with role_arn, or attach `lambdatop policy read-only` to the identity "
            "and set session_policy: none."
        )


def _account_and_name(arn: str) -> tuple[str, str]:
    """Return account and name of a role, or of a session without its name; neither holds the role's path."""
    account = arn.split(":")[4:5]
    return (account[0] if account else "", arn.rpartition("/")[2])


def session_name() -> str:
    """Return who uses lambdatop, as STS takes it: `lambdatop-ann@bastion-1`, at most 64 characters."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        user = f"uid{os.getuid()}"
    return _FORBIDDEN.sub("-", f"lambdatop-{user}@{socket.gethostname()}")[:64]
