"""Who acts in AWS, by ARN. Pure."""

from __future__ import annotations


def principal_of(arn: str) -> str:
    """The ARN of who acts, without the name of the session of an assumed role.

    A role's session is `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. The last word is chosen by whoever
    assumes the role, and helpers choose another one with each renewal; rights come with the role. Every other
    ARN (user, root, federated user) stands for itself.
    """
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[2] == "sts" and parts[5].startswith("assumed-role/"):
        return arn.rpartition("/")[0]
    return arn


def same_principal(one: str, other: str) -> bool:
    """Whether two ARNs are those of one principal; one that is not known is nobody's."""
    return bool(one) and principal_of(one) == principal_of(other)
