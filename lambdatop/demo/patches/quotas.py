"""servicequotas:ListServiceQuotas for Lambda, which ministack does not have: the documented defaults.

The limits of concurrency and of code storage are left out: they are the account's, and GetAccountSettings
tells them.
"""

from __future__ import annotations

from typing import Any

from lambdatop.domain.facts.quota_limits import CODE_STORAGE, CONCURRENCY, DOCUMENTED, NAMED, SIZES

TARGET = b"ServiceQuotasV20190624.ListServiceQuotas"
"""What stands in the header `x-amz-target` of a request for it."""


def answer() -> dict[str, Any]:
    """Return the answer, whatever service is asked about: the demo knows of Lambda's quotas only."""
    told = {code: value for code, value in DOCUMENTED.items() if code not in (CODE_STORAGE, CONCURRENCY)}
    return {"Quotas": [_quota(code, value) for code, value in told.items()]}


def _quota(code: str, value: float) -> dict[str, Any]:
    unit, shown = ("Kilobytes", value / 1024) if code in SIZES else ("None", value)
    return {
        "ServiceCode": "lambda",
        "QuotaCode": code,
        "QuotaName": NAMED.get(code, code),
        "Value": shown,
        "Unit": unit,
        "Adjustable": False,
    }
