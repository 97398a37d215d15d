"""Published incidents: loops, and what Lambda's own detection of loops did to one."""

from __future__ import annotations

from scenes.curves import SCOPE, Curve, arn, flat, ramp, step, when
from scenes.pushes import pushed, received
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.triggers import Reference
from lambdatop.domain.keys import Key


def requeue() -> Scene:
    """A worker sends what it cannot do back to its own queue, whose URL came with the event.

    The report: 2,000 invocations a minute of 3 s and 1,024 MB, 14,000 USD in a week. Assumed: how it grew.
    https://www.aimadetools.com/blog/aws-bill-spike-postmortem/
    """
    stage = Stage("requeue-loop", "A worker that sends to its own queue, which nothing in its settings names")
    worker = stage.function("requeue-worker", timeout_s=60, memory_mb=1024)
    queue = stage.queue("work", stage.queue("work-dlq"))
    stage.mapping("work", worker, batch_size=1)
    rate: Curve = lambda m: min(2000.0, 20.0 * 1.6 ** max(0, m - 64))  # noqa: E731
    stage.traffic(worker, rate, duration_ms=flat(3000))
    stage.flow(queue, rate, rate, rate)
    stage.depth(queue, flat(1), flat(6))
    stage.must("traffic_burst", "requeue-worker", minute=66)
    stage.may("cost_burn")
    return stage.scene()


def rewrites_its_object() -> Scene:
    """A notification of a bucket invokes a function that writes the same object again.

    The report: a `return` was lost, 180 USD by the next morning. Assumed: 3,000 invocations a minute.
    https://sourcebox.be/serverless-a-lesson-learned-the-hard-way/
    """
    stage = Stage("s3-rewrites", "A function writes the object whose change has invoked it")
    thumbs = stage.function("thumbnailer", timeout_s=30)
    pushed(stage, thumbs, "s3", arn("s3", "uploads"))
    rate = step(66, 2, 3000)
    stage.traffic(thumbs, rate, duration_ms=flat(300))
    received(stage, thumbs, rate)
    stage.must("traffic_burst", "thumbnailer", minute=66)
    stage.may("cost_burn")
    return stage.scene()


def watermarks_again() -> Scene:
    """A function adds a watermark to each object and stores it in the bucket whose changes invoke it.

    The report: 4,000 USD, of an account that spends 100 a month. Assumed: the rate; that an environment
    variable names the bucket, so that the cycle is in the graph.
    https://cloudynotes.io/blog/lambda-loop.html
    """
    stage = Stage("s3-rewrites-known", "A function writes to the bucket whose changes invoke it")
    bucket = arn("s3", "pictures")
    mark = stage.function("watermark", timeout_s=30, references=(Reference("BUCKET", bucket),))
    pushed(stage, mark, "s3", bucket)
    rate = step(66, 2, 3000)
    stage.traffic(mark, rate, duration_ms=flat(300))
    received(stage, mark, rate)
    stage.must("suspected_loop", "watermark", minute=66)
    stage.may("loop_topology")
    stage.may("traffic_burst")
    stage.may("cost_burn")
    return stage.scene()


def splits_files() -> Scene:
    """A function splits CSV files and is invoked by each part.

    The report: 15,420 USD in 48 hours. Assumed: growth by 1.8 a minute, up to 11,600.
    https://xqa.io/blog/aws-bill-nightmare-serverless-recursion
    """
    stage = Stage("csv-split", "A file splitter is invoked by the parts that it writes")
    split = stage.function("csv-splitter", timeout_s=120, memory_mb=512)
    pushed(stage, split, "s3", arn("s3", "imports"))
    rate: Curve = lambda m: min(11_600.0, 20.0 * 1.8 ** max(0, m - 64))  # noqa: E731
    stage.traffic(split, rate, duration_ms=flat(900))
    received(stage, split, rate)
    stage.must("traffic_burst", "csv-splitter", minute=66)
    stage.may("cost_burn")
    return stage.scene()


def trail_of_itself() -> Scene:
    """A rule on S3 calls in CloudTrail invokes a function; the trail's own files are such calls.

    The report: exponential growth, close to 10,000 USD within a week. Assumed: 1.7 times a minute up to
    9,000, runs of 400 ms.
    https://asankha.medium.com/lambda-programming-errors-that-could-cost-you-thousands-of-dollars-a-day-265dfac354f
    """
    stage = Stage("trail-of-itself", "CloudTrail logs the writing of its own log, and each line is an event")
    hook = stage.function("on-s3-call", timeout_s=30)
    pushed(stage, hook, "eventbridge", arn("events", "rule/s3-api-calls"))
    rate: Curve = lambda m: min(9000.0, 12.0 * 1.7 ** max(0, m - 64))  # noqa: E731
    stage.traffic(hook, rate, duration_ms=flat(400))
    received(stage, hook, rate)
    stage.must("traffic_burst", "on-s3-call", minute=66)
    stage.may("cost_burn")
    stage.may("quota_headroom")
    return stage.scene()


def metrics_are_events() -> Scene:
    """A function deployed a moment ago sends what EventBridge takes as an event, which invokes it again.

    The report: deployed three days before, 380 invocations a second, over 1,000 USD. Assumed: that this
    rate was reached within two minutes of the deployment, runs of 100 ms.
    https://github.com/reply-fr/sustainable-personal-accounts/issues/19
    """
    stage = Stage("metrics-are-events", "A new function loops through EventBridge from its first minute on")
    count = stage.function("on-account-event", last_modified=when(63.5))
    pushed(stage, count, "eventbridge", arn("events", "rule/spa-events"))
    rate: Curve = lambda m: 0.0 if m < 64 else 3000.0 if m == 64 else 22_800.0  # noqa: E731
    stage.traffic(count, rate, duration_ms=flat(100))
    received(stage, count, rate)
    stage.must("traffic_burst", "on-account-event", minute=64)
    stage.may("cost_burn")
    stage.may("quota_headroom")
    return stage.scene()


def busy_forever() -> Scene:
    """A function puts 25 messages about workers it does not know back into its queue, until Lambda stops it.

    The report: 25 instances, Lambda's "runaway termination notification". Assumed: one round a minute, the
    queue in the environment; Lambda stops a chain after 16 rounds (its developer guide).
    https://github.com/spacelift-io/terraform-aws-spacelift-workerpool-on-ec2/issues/171
    """
    stage = Stage("busy-forever", "25 messages are sent back each minute; Lambda drops them after 16 rounds")
    reference = Reference("QUEUE_URL", arn("sqs", "lifecycle"))
    manager = stage.function("lifecycle-manager", references=(reference,))
    queue = stage.queue("lifecycle", stage.queue("lifecycle-dlq"))
    stage.mapping("lifecycle", manager, batch_size=1)
    rate = step(62, 0, 25, 78)
    stage.traffic(manager, rate, duration_ms=flat(900))
    stage.flow(queue, rate, rate, rate)
    stage.depth(queue, step(62, 0, 25, 78), flat(1))
    stage.sums(manager, RecursiveInvocationsDropped=step(78, 0, 25, 79))
    stage.must("runaway_loop", "lifecycle-manager", "critical", minute=78)
    stage.may("suspected_loop", "lifecycle-manager")
    stage.may("loop_topology", "lifecycle-manager")
    return stage.scene()


def sixteenth_message() -> Scene:
    """A function polls for a state by sending itself one delayed message; after 16 it is never called again.

    The report: the 16th message is the last. Assumed: one a minute, no dead-letter queue.
    https://github.com/boto/boto3/issues/3899
    """
    stage = Stage("sixteenth-message", "A function that waits by messages to itself is stopped by Lambda")
    wait = stage.function("wait-until-ok", runtime="java8.al2", memory_mb=512)
    queue = stage.queue("wait-until-ok")
    stage.mapping("wait-until-ok", wait, batch_size=1)
    once: Curve = lambda m: 1.0 if 60 <= m < 76 else 0.0  # noqa: E731
    for minute in range(60, 76):
        stage.point(wait, "Invocations", "Sum", minute, 1)
        stage.point(wait, "Errors", "Sum", minute, 0)
        stage.point(wait, "Duration", "Maximum", minute, 340)
        stage.point(wait, "Duration", "p99", minute, 340)
        stage.point(wait, "Duration", "Sum", minute, 340)
    stage.flow(queue, once, once, once)
    stage.depth(queue, once)
    stage.sums(wait, RecursiveInvocationsDropped=step(76, 0, 1, 77))
    stage.must("runaway_loop", "wait-until-ok", "critical", minute=76)
    return stage.scene()


def log_of_the_log() -> Scene:
    """A subscription of all log groups sends also the log of the function that transforms them.

    The report: Firehose, its transforming function and its log group feed each other; no figures. Assumed:
    half as much again each minute, up to 100 MB and 900 invocations a minute.
    https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/1193
    """
    stage = Stage("log-of-the-log", "A function that transforms logs is fed with its own log")
    name = "accelerator-records-processor"
    processor = stage.function(name, timeout_s=300)
    pushed(stage, processor, "firehose", arn("firehose", "deliverystream/logs"), "push sync")
    grown: Curve = lambda m: min(1.0, 0.01 * 1.5 ** max(0, m - 64))  # noqa: E731
    stage.traffic(processor, lambda m: 900 * grown(m), duration_ms=flat(1500))
    group = Key(SCOPE, "log group", f"/aws/lambda/{name}")
    stage.series(group, "IncomingBytes", "Sum", lambda m: 100e6 * grown(m))
    stage.must("log_storm", f"/aws/lambda/{name}", minute=70)
    stage.may("traffic_burst", name)
    stage.may("cost_burn")
    return stage.scene()


def weekend_of_output() -> Scene:
    """A function that updates an analytics store is triggered by its own output, over a weekend.

    The report: millions of executions, 10,000 USD, nothing useful done. Assumed: 1,400 a minute of 10 s
    with 1,024 MB, reached within four minutes.
    https://dev.to/chrlie/the-bug-that-cost-us-10000-a-postmortem-on-a-rogue-aws-lambda-function-2m28
    """
    stage = Stage("weekend-of-output", "A function is triggered by what it writes, through its bucket")
    update = stage.function("update-analytics", timeout_s=60, memory_mb=1024)
    pushed(stage, update, "s3", arn("s3", "user-data"))
    rate = ramp(64, 68, 4, 1400)
    stage.traffic(update, rate, duration_ms=flat(10_000))
    received(stage, update, rate)
    stage.must("traffic_burst", "update-analytics", minute=65)
    stage.must("cost_burn", "update-analytics", minute=66)
    return stage.scene()


SCENES = (
    requeue,
    rewrites_its_object,
    watermarks_again,
    splits_files,
    trail_of_itself,
    metrics_are_events,
    busy_forever,
    sixteenth_message,
    log_of_the_log,
    weekend_of_output,
)
