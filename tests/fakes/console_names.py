"""Where and when the console scene plays."""

from __future__ import annotations

from lambdatop.domain.keys import Key, Kind, Scope

NOW = 1_782_914_602.0  # 2026-07-01 14:03:22Z
SCOPE = Scope("123456789012", "eu-west-1")
ARN = f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:"
SQS = f"arn:aws:sqs:{SCOPE.region}:{SCOPE.account}:"
UUID = "6f1c8a52-1f0e-4a55-9a39-0d5f3f1b7c{:02d}"


def key(kind: Kind, id: str) -> Key:
    return Key(SCOPE, kind, id)
