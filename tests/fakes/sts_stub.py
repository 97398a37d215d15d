"""STS and SSO on a wire stub, for logins: roles with MFA, web identities, Identity Center."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from fakes.aws_doubles import IDENTITY
from fakes.wire_stub import Answer, Fault, WireStub, model_of
from fakes.wire_xml import answer_xml

SERIAL = "arn:aws:iam::123456789012:mfa/ann"
ROLE = "arn:aws:iam::123456789012:role/ops"
SESSION = "corp"
START_URL = "https://corp.example/start"


class LoginStub(WireStub):
    """Answers who somebody is, and gives credentials for `hours`; MFA codes are good once.

    `bearers` are the SSO tokens that asked for a role's credentials.
    """

    def __init__(self, *codes: str, hours: float = 1.0) -> None:
        super().__init__()
        self.codes = list(codes)
        self.hours = hours
        self.bearers: list[str] = []
        self.on("sts", "GetCallerIdentity", IDENTITY)
        self.on("sts", "AssumeRole", self._assume)
        self.on("lambda", "ListFunctions", {"Functions": []})

    def _assume(self, params: dict[str, Any]) -> Answer:
        if self.codes or "TokenCode" in params:
            if params.get("TokenCode") not in self.codes:
                words = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
                return Fault("AccessDenied", words, status=403)
            self.codes.remove(params["TokenCode"])
        return {"Credentials": self.session("ASIAROLE")}

    def session(self, key: str) -> dict[str, Any]:
        """Return credentials that end after `hours`."""
        ends = datetime.now(UTC) + timedelta(hours=self.hours)
        return {"AccessKeyId": key, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": ends}

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "HEAD":  # what `doctor` asks for the time of day
            return web.Response(status=404)
        if request.path != "/federation/credentials":
            form = await request.post() if "Authorization" not in request.headers else {}
            if form.get("Action") == "AssumeRoleWithWebIdentity":
                self.bearers.append(str(form["WebIdentityToken"]))
                operation = model_of("sts").operation_model("AssumeRoleWithWebIdentity")
                body = answer_xml(operation, {"Credentials": self.session("ASIAWEB")})
                return web.Response(text=body, content_type="text/xml")
            return await super()._handle(request)
        self.bearers.append(request.headers.get("x-amz-sso_bearer_token", ""))
        ends = (datetime.now(UTC) + timedelta(hours=self.hours)).timestamp() * 1000
        role = {
            "accessKeyId": "ASIASSO",
            "secretAccessKey": "s",
            "sessionToken": "t",
            "expiration": int(ends),
        }
        return web.json_response({"roleCredentials": role})


def home_with(directory: Path, config: str, credentials: str = "") -> dict[str, str]:
    """Return variables of a person whose AWS files hold this, and nothing else of AWS."""
    aws = directory / ".aws"
    aws.mkdir(exist_ok=True)
    (aws / "config").write_text(config, encoding="utf-8")
    (aws / "credentials").write_text(credentials, encoding="utf-8")
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR")}
    return keep | {"HOME": str(directory), "AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true"}


KEYS = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
MFA = f"[profile ops]\nrole_arn = {ROLE}\nsource_profile = base\nmfa_serial = {SERIAL}\n"
SSO = (
    f"[profile corp]\nsso_session = {SESSION}\nsso_account_id = 123456789012\nsso_role_name = ops\n"
    f"[sso-session {SESSION}]\nsso_region = eu-central-1\nsso_start_url = {START_URL}\n"
)


def sso_token(environ: Mapping[str, str]) -> tuple[Path, str]:
    """Return where `aws sso login` leaves its token, and one that is valid for an hour."""
    name = hashlib.sha1(SESSION.encode()).hexdigest()
    ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    token = {"startUrl": START_URL, "region": "eu-central-1", "accessToken": "bearer", "expiresAt": ends}
    return Path(environ["HOME"]) / ".aws/sso/cache" / f"{name}.json", json.dumps(token)
