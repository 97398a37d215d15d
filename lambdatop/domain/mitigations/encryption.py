"""List the KMS actions that moving or receiving messages of an encrypted queue needs besides SQS's.

Source: "minimum permissions" of
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
"""

from __future__ import annotations

from lambdatop.domain.facts.queue import QueueFacts

KMS = ("kms:Decrypt", "kms:GenerateDataKey")


def kms_actions(queue: QueueFacts) -> tuple[str, ...]:
    """Return the IAM actions that this queue's key requires; none without a customer managed key."""
    return KMS if queue.kms_key else ()
