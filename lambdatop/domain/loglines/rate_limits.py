"""Hold how often CloudWatch Logs lets an account ask for log lines, by region.

Source: service quotas of CloudWatch Logs (FilterLogEvents), which cannot be raised and which everybody in
the account shares.
"""

from __future__ import annotations

FILTER_PER_S = {
    "us-east-1": 25.0,
    "eu-central-1": 5.0,
    "ap-northeast-3": 5.0,
    "ap-southeast-3": 5.0,
    "ca-west-1": 5.0,
    "il-central-1": 5.0,
}
FILTER_PER_S_ELSEWHERE = 10.0
OUR_SHARE = 1 / 3
"""At most so much is ours: people and programs of the account need to read their logs too."""


def logs_per_s(region: str) -> float:
    """Return how many FilterLogEvents calls a second all our tails together may make in one region."""
    return FILTER_PER_S.get(region, FILTER_PER_S_ELSEWHERE) * OUR_SHARE
