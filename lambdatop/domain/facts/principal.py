"""Parse who acts in AWS from an ARN. Pure."""

from __future__ import annotations


def principal_of(arn: str) -> str:
    """Return the ARN of a principal, without the session name of an assumed role.

    A role's session is `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. Whoever assumes the role chooses the
    last part, and credential helpers choose another one with each renewal; permissions belong to the role.
    Every other ARN (user, root, federated user) is returned as it is.
    """
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[2] == "sts" and parts[5].startswith("assumed-role/"):
        return arn.rpartition("/")[0]
    return arn


def same_principal(one: str, other: str) -> bool:
    """Return whether two ARNs name one principal; False where one is not known."""
    return bool(one) and principal_of(one) == principal_of(other)
