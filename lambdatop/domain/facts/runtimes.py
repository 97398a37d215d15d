"""When Lambda deprecates its runtimes.

Source: Lambda developer guide, "Lambda runtimes", as public repositories copied its tables in 2026, and for
older ones terraform-linters/tflint-ruleset-aws (aws_lambda_function_deprecated_runtime).
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html

"Runtime deprecation policy": a deprecated runtime goes on running, gets no security updates, and some time
later AWS refuses updates of its functions' code. AWS moves these dates, mostly to later; a runtime that is
not here is one whose date is not known.
"""

from __future__ import annotations

from datetime import UTC, datetime

DEPRECATED_ON = {
    "nodejs14.x": "2023-12-04",
    "nodejs16.x": "2024-06-12",
    "nodejs18.x": "2025-09-01",
    "nodejs20.x": "2026-04-30",
    "nodejs22.x": "2027-04-30",
    "nodejs24.x": "2028-04-30",
    "python3.7": "2023-12-04",
    "python3.8": "2024-10-14",
    "python3.9": "2025-12-15",
    "python3.10": "2026-10-31",
    "python3.11": "2027-06-30",
    "python3.12": "2028-10-31",
    "python3.13": "2029-06-30",
    "python3.14": "2029-06-30",
    "ruby3.2": "2026-03-31",
    "ruby3.3": "2027-03-31",
    "ruby3.4": "2028-03-31",
    "java8": "2024-01-08",
    "java8.al2": "2027-06-30",
    "java11": "2027-06-30",
    "java17": "2027-06-30",
    "java21": "2029-06-30",
    "java25": "2029-06-30",
    "dotnet6": "2024-12-20",
    "dotnet8": "2026-11-10",
    "dotnet10": "2028-11-14",
    "go1.x": "2024-01-08",
    "provided": "2024-01-08",
    "provided.al2023": "2029-06-30",
}
"""The day of each runtime's deprecation, in UTC."""


def deprecated(runtime: str, now: float) -> str:
    """Return the day on which the runtime was deprecated; "" where that is to come or not known."""
    day = DEPRECATED_ON.get(runtime, "")
    return day if day and now >= datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() else ""
