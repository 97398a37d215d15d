"""What may be sent without anybody's consent: the reads, and how credentials are obtained.

The list maps one to one to the read-only IAM policy. It is a list of names, never a pattern: a new
operation of AWS is refused until somebody has looked at it.
"""

from __future__ import annotations

from collections.abc import Mapping


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


READS: Mapping[str, frozenset[str]] = {
    "lambda": _names(
        "GetAccountSettings GetAlias GetEventSourceMapping GetFunctionConcurrency GetFunctionConfiguration "
        "GetFunctionEventInvokeConfig GetFunctionRecursionConfig GetFunctionScalingConfig "
        "GetFunctionUrlConfig GetPolicy GetProvisionedConcurrencyConfig GetRuntimeManagementConfig "
        "ListAliases ListEventSourceMappings ListFunctionEventInvokeConfigs ListFunctionUrlConfigs "
        "ListFunctions ListProvisionedConcurrencyConfigs ListTags ListVersionsByFunction"
    ),
    "cloudwatch-logs": _names(
        "DescribeLogGroups DescribeLogStreams FilterLogEvents GetLogEvents StartQuery GetQueryResults "
        "StopQuery StartLiveTail"
    ),
    "cloudwatch": _names("GetMetricData ListMetrics DescribeAlarms DescribeAlarmHistory"),
    "sqs": _names(
        "GetQueueAttributes GetQueueUrl ListQueues ListDeadLetterSourceQueues ListMessageMoveTasks "
        "ListQueueTags"
    ),
    "kinesis": _names(
        "DescribeStreamSummary ListShards ListStreams DescribeStreamConsumer ListStreamConsumers"
    ),
    "dynamodb": _names("DescribeTable ListTables"),
    "dynamodb-streams": _names("DescribeStream ListStreams"),
    "eventbridge": _names("DescribeRule ListRules ListRuleNamesByTarget ListTargetsByRule"),
    "scheduler": _names("GetSchedule ListSchedules"),
    "service-quotas": _names("GetServiceQuota ListServiceQuotas GetAWSDefaultServiceQuota"),
    "sts": frozenset({"GetCallerIdentity"}),
    "pricing": frozenset({"GetProducts"}),
    "iam": _names("SimulatePrincipalPolicy GetRole"),
    "sfn": _names(
        "DescribeExecution ListExecutions DescribeStateMachine ListStateMachines GetExecutionHistory"
    ),
    "s3": frozenset({"GetBucketNotificationConfiguration"}),
    "cloudtrail": frozenset({"LookupEvents"}),
    "sns": _names("ListSubscriptionsByTopic ListTopics GetSubscriptionAttributes GetTopicAttributes"),
}
"""Operations that may always be sent, by service id as event names spell it. Level "Read" in IAM is no
criterion: sqs:ReceiveMessage has it, and hides messages and pushes them towards their dead-letter queue."""

CREDENTIALS: Mapping[str, frozenset[str]] = {
    "sts": frozenset({"AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"}),
    "sso": frozenset({"GetRoleCredentials"}),
    "sso-oidc": frozenset({"CreateToken"}),
    "signin": frozenset({"CreateOAuth2Token"}),
}
"""What credential providers call on the same session before anything else can work."""

LEASE = ("dynamodb", "UpdateItem")
"""The one write of the shared lease; like every write it needs a ticket of its own."""

DRAIN_RECEIVE, DRAIN_DELETE = "ReceiveMessage", "DeleteMessageBatch"
"""The two operations of sqs that the ticket of a drain admits, for its own queue and what is on disk."""
