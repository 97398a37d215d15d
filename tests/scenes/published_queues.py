"""Published incidents of queues and their consumers."""

from __future__ import annotations

from random import Random

from scenes.curves import ZERO, Curve, flat, ramp, step, when
from scenes.lines import Raw, stream_name, uuid
from scenes.scene import Scene
from scenes.stage import Stage


def dead_letters_again() -> Scene:
    """The function that processes dead letters ends with exceptions; they come back and take its concurrency.

    The report: concurrency near the reserved 10, about 7 hours, retried up to the limit. Assumed: 300
    letters, 120 receives a minute.
    https://status.portal.thecouponbureau.org/incidents/w30z65gkmrm1
    """
    stage = Stage("dead-letters-again", "The consumer of a dead-letter queue fails at every letter")
    share = stage.function("sharing-api")
    letters = stage.queue("sharing-dlq", visibility_timeout_s=180)
    stage.mapping("sharing", share)
    source = stage.queue("sharing", letters)
    redo = stage.function("dlq-processor", reserved=10, timeout_s=30)
    begun = stage.mapping("sharing-dlq", redo, batch_size=1, state="Disabled", state_reason="USER_INITIATED")
    stage.remap(begun, 63.5, state="Enabled", last_modified=when(63.5))
    stage.traffic(share, flat(200))
    stage.flow(source, flat(200), flat(200), flat(200))
    stage.depth(source, flat(3), flat(4))
    stage.traffic(
        redo, step(64, 0, 120), errors=step(64, 0.0, 1.0), duration_ms=flat(4500), concurrency=step(64, 1, 9)
    )
    stage.flow(letters, ZERO, step(64, 0, 120), ZERO)
    stage.depth(letters, step(64, 300, 20), step(64, 0, 280), step(64, 0, 240))
    stage.must("error_rate", "dlq-processor", "critical", minute=64)
    stage.must("sqs_redelivery", "sharing-dlq", "critical", minute=64)
    stage.may("error_burst", "dlq-processor")
    stage.may("dlq_growth", "sharing-dlq")
    stage.may("queue_backlog", "sharing-dlq")
    stage.may("quota_headroom")
    return stage.scene()


def one_receive() -> Scene:
    """maxReceiveCount 1: a message whose invocation is throttled is a dead letter without one attempt.

    The report: reserved concurrency 10, 21 throttles within five minutes of the full hour. Assumed: 300
    messages sent in that minute, runs of 15 s.
    https://github.com/adobe/spacecat-audit-worker/pull/2876
    """
    stage = Stage("one-receive", "21 throttled messages of a burst become dead letters at once")
    worker = stage.function("audit-worker", reserved=10, timeout_s=900)
    dlq = stage.queue("audit-jobs-dlq", retention_s=1_209_600)
    jobs = stage.queue("audit-jobs", dlq, receives=1, visibility_timeout_s=900)
    stage.mapping("audit-jobs", worker, batch_size=1)
    busy: Curve = lambda m: 40.0 if 65 <= m < 72 else 1.0  # noqa: E731
    refused: Curve = lambda m: {65: 12.0, 66: 9.0}.get(m, 0.0)  # noqa: E731
    runs = stage.traffic(worker, busy, duration_ms=flat(15_000), concurrency=step(65, 1, 10, 72))
    for minute in (65, 66):
        stage.point(worker, "Throttles", "Sum", minute, refused(minute))
    sent: Curve = lambda m: 300.0 if m == 65 else float(runs[m]) if not 65 < m < 72 else 0.0  # noqa: E731
    stage.flow(jobs, sent, lambda m: runs[m] + refused(m), runs.__getitem__)
    stage.depth(jobs, lambda m: max(0.0, 280.0 - 40 * (m - 65)) if 65 <= m < 72 else 0.0, step(65, 0, 10, 72))
    stage.depth(dlq, lambda m: 0.0 if m < 65 else 12.0 if m == 65 else 21.0)
    stage.must("throttled", "audit-worker", minute=65)
    stage.must("dlq_growth", "audit-jobs-dlq", minute=65)
    stage.may("quota_headroom")
    return stage.scene()


def receives_used_up() -> Scene:
    """Several hundred notifications are fed again; throttles use up their receives before they are tried.

    The report: 64 at once, 9 receives, messages in the dead-letter queue after fewer honest attempts.
    Assumed: 700 messages, runs of 60 s.
    https://github.com/DataBiosphere/azul/issues/3708
    """
    stage = Stage("receives-used-up", "Throttles count as receives, and the messages end as dead letters")
    retry = stage.function("contribute-retry", reserved=64, timeout_s=900)
    dlq = stage.queue("notifications-fail", retention_s=1_209_600)
    again = stage.queue("notifications-retry", dlq, receives=9, visibility_timeout_s=900)
    stage.mapping("notifications-retry", retry, batch_size=1)
    stage.traffic(
        retry,
        step(64, 0.5, 64, 75),
        duration_ms=flat(60_000),
        throttles=step(64, 0, 320, 75),
        concurrency=step(64, 1, 64, 75),
    )
    sent: Curve = lambda m: 700.0 if m == 63 else 0.5  # noqa: E731
    stage.flow(again, sent, step(64, 0.5, 384, 75), step(64, 0.5, 58, 75))
    left = ramp(64, 75, 450, 0)
    stage.depth(again, lambda m: left(m) if m >= 63 else 0.0, step(64, 1, 200, 75))
    stage.depth(dlq, ramp(69, 75, 0, 60))
    stage.must("throttled", "contribute-retry", "critical", minute=64, evidence=(("limit", "reserved"),))
    stage.must("sqs_redelivery", "notifications-retry", "critical", minute=64)
    stage.must("dlq_growth", "notifications-fail", minute=69)
    stage.may("quota_headroom")
    stage.may("queue_backlog", "notifications-retry")
    return stage.scene()


def only_the_first() -> Scene:
    """Reserved concurrency 1 under a queue: one message is processed, the others fly until they are dead.

    The report: batch size 1, all in flight, only the first one done. Assumed: 20 messages, 3 receives.
    https://github.com/aws/aws-cdk/issues/24180
    """
    stage = Stage("only-the-first", "Reserved concurrency 1: the messages fly, and die")
    worker = stage.function("one-at-a-time", reserved=1, timeout_s=30)
    dlq = stage.queue("tasks-dlq", retention_s=1_209_600)
    tasks = stage.queue("tasks", dlq, receives=3, visibility_timeout_s=60)
    stage.mapping("tasks", worker, batch_size=1)
    for minute in (64, 65, 66):
        stage.point(worker, "Throttles", "Sum", minute, 19)
    stage.point(worker, "Invocations", "Sum", 64, 1)
    stage.point(worker, "Errors", "Sum", 64, 0)
    stage.point(worker, "Duration", "Maximum", 64, 800)
    stage.point(worker, "ConcurrentExecutions", "Maximum", 64, 1)
    once: Curve = lambda m: 1.0 if m == 64 else 0.0  # noqa: E731
    stage.flow(tasks, lambda m: 20 * once(m), lambda m: {64: 20.0, 65: 19.0, 66: 19.0}.get(m, 0.0), once)
    stage.depth(tasks, ZERO, step(64, 0, 19, 67))
    stage.depth(dlq, step(67, 0, 19))
    stage.must("throttled", "one-at-a-time", "critical", minute=64, evidence=(("limit", "reserved"),))
    stage.must("dlq_growth", "tasks-dlq", minute=67)
    stage.may("sqs_redelivery", "tasks")
    return stage.scene()


def one_in_ten() -> Scene:
    """The queue fills quickly; reserved concurrency 1 lets nine of ten through, the tenth is never tried.

    The report: 9 of 10, thousands of records, 30 s of visibility, runs of 100 ms. Assumed: 3,000 records.
    https://stackoverflow.com/questions/53939015/serverless-sqs-consumer-skips-messages
    """
    stage = Stage("one-in-ten", "One message of ten is a dead letter without an attempt")
    consumer = stage.function("my-sqs-consumer", reserved=1, timeout_s=30)
    dlq = stage.queue("my-test-dlq", retention_s=1_209_600)
    queue = stage.queue("my-test-queue", dlq, receives=5, visibility_timeout_s=30)
    stage.mapping("my-test-queue", consumer, batch_size=1)
    stage.traffic(
        consumer,
        step(64, 0, 540, 69),
        duration_ms=flat(100),
        throttles=step(64, 0, 250, 69),
        concurrency=step(64, 0, 1, 69),
    )
    sent: Curve = lambda m: 3000.0 if m == 64 else 0.0  # noqa: E731
    stage.flow(queue, sent, step(64, 0, 790, 69), step(64, 0, 540, 69))
    left = ramp(64, 69, 2400, 0)
    stage.depth(queue, lambda m: left(m) if m >= 64 else 0.0, step(64, 0, 300, 69))
    stage.depth(dlq, ramp(66, 70, 0, 300))
    stage.must("throttled", "my-sqs-consumer", "critical", minute=64)
    stage.must("dlq_growth", "my-test-dlq", "critical", minute=66)
    stage.may("sqs_redelivery", "my-test-queue")
    stage.may("quota_headroom")
    return stage.scene()


def retries_make_retries() -> Scene:
    """EC2 throttles, the batch items are reported as failed, come back, and are throttled again.

    The report: 6,833 invocations against 122 messages, no instance made. Assumed: within 20 minutes; that
    the function reports the failures as batch items, so that none is an error.
    https://github.com/github-aws-runners/terraform-aws-github-runner/pull/5253
    """
    stage = Stage("retries-make-retries", "122 messages are received 6,833 times, and no run fails")
    scale = stage.function("scale-up", timeout_s=60)
    builds = stage.queue("queued-builds", stage.queue("queued-builds-dlq"), receives=100)
    stage.mapping("queued-builds", scale, batch_size=1)
    stage.traffic(scale, step(65, 3, 340), duration_ms=flat(2000))
    stage.flow(
        builds, lambda m: 122.0 if m == 65 else 3.0 if m < 65 else 0.0, step(65, 3, 340), step(65, 3, 0)
    )
    stage.depth(builds, step(65, 0, 100), step(65, 1, 22), step(65, 0, 10))
    stage.must("sqs_redelivery", "queued-builds", "critical", minute=65)
    stage.may("queue_backlog", "queued-builds")
    stage.may("cost_burn")
    return stage.scene()


def deleted_repository() -> Scene:
    """A repository is deleted after its message was sent: one FIFO message fails every three minutes.

    The report: every 3 minutes, the receive count at 26, no redrive policy seen. Assumed: nothing else
    runs meanwhile, the words of the error.
    https://github.com/github-aws-runners/terraform-aws-github-runner/issues/1079
    """
    stage = Stage("deleted-repository", "One message of a FIFO queue fails every three minutes, for hours")
    scale = stage.function("scale-up", timeout_s=60)
    builds = stage.queue("queued-builds.fifo", visibility_timeout_s=180)
    stage.mapping("queued-builds.fifo", scale, batch_size=1)
    dice, lines = Random("deleted-repository"), list[Raw]()
    message, name = uuid(dice), stream_name(dice)
    for minute in range(0, 90, 3):
        stage.point(scale, "Invocations", "Sum", minute, 1)
        stage.point(scale, "Errors", "Sum", minute, 1)
        stage.point(scale, "Duration", "Maximum", minute, 900)
        at, request = when(minute) + 1, uuid(dice)
        if minute >= 50:
            lines += [
                (at, name, f"START RequestId: {request} Version: $LATEST"),
                (at + 0.1, name, f"Records: [ {{ messageId: '{message}', eventSource: 'aws:sqs' }} ]"),
                (at + 0.9, name, f"{request}\tERROR\tHttpError: Not Found, messageId: '{message}'"),
                (at + 1.0, name, f"END RequestId: {request}"),
                (at + 1.0, name, f"REPORT RequestId: {request}\tDuration: 900.00 ms\tMemory Size: 256 MB"),
            ]
    stage.say(scale, lines)
    third: Curve = lambda m: 1.0 if m % 3 == 0 else 0.0  # noqa: E731
    stage.flow(builds, ZERO, third, ZERO)
    stage.depth(builds, ZERO, flat(1))
    stage.must("poison_message", "queued-builds.fifo", minute=60)
    stage.may("error_rate", "scale-up")
    return stage.scene()


def disabled_by_release() -> Scene:
    """After a deployment the triggers of the queues are disabled, and nobody wanted that.

    The report: all queues, found the same day. Assumed: one queue, and the reason that Lambda gives for
    every change by its API; so it cannot be told from one that somebody disabled on purpose.
    https://github.com/aws/serverless-application-model/issues/702
    """
    stage = Stage("disabled-by-release", "A deployment leaves a trigger disabled, messages pile up")
    worker = stage.function("orders-worker")
    orders = stage.queue("orders", stage.queue("orders-dlq"))
    mapping = stage.mapping("orders", worker)
    stage.change(worker, 64, code_sha256="b")
    stage.remap(mapping, 64, state="Disabled", state_reason="USER_INITIATED", last_modified=when(64))
    stage.traffic(worker, step(64, 40, 0))
    stage.flow(orders, flat(40), step(64, 40, 0), step(64, 40, 0))
    stage.depth(orders, ramp(64, 90, 2, 1040))
    stage.must("dead_trigger", "orders → orders-worker", "info", minute=64)
    stage.may("queue_backlog", "orders")
    stage.may("not_invocable", "orders-worker")
    return stage.scene()


def slow_polling() -> Scene:
    """Lambda polls a queue too slowly: nothing fails, and e-mails are hours late.

    The report: the regional event of 20 October 2025 delayed SQS polling until 12:40 PM. Assumed: 120
    e-mails a minute, of which 15 are polled.
    https://networkoptix.atlassian.net/wiki/spaces/CHS/blog/2025/10/22/4680679465
    """
    stage = Stage("slow-polling", "A queue is polled at an eighth of its rate; no error, no throttle")
    mailer = stage.function("email-sender")
    emails = stage.queue("emails", stage.queue("emails-dlq"))
    stage.mapping("emails", mailer)
    stage.traffic(mailer, step(64, 120, 15), duration_ms=flat(400))
    stage.flow(emails, flat(120), step(64, 120, 15), step(64, 120, 15))
    stage.depth(emails, lambda m: 3.0 + 105 * max(0, m - 63), flat(2))
    stage.must("queue_backlog", "emails", minute=66)
    return stage.scene()


def drained_at_once() -> Scene:
    """A consumer takes each dead letter within seconds: the queue's depth never shows one.

    The report: two letters in half an hour, depth 0 all the time, NumberOfMessagesReceived 1 in two
    minutes, nobody was paged. Assumed: three receives each.
    https://github.com/Readplace/readplace.com/pull/1127
    """
    stage = Stage("drained-at-once", "Dead letters that a consumer takes at once: depth 0, two are lost")
    discover = stage.function("gmail-discovery")
    dlq = stage.queue("gmail-discovery-dlq", retention_s=1_209_600)
    mails = stage.queue("gmail-discovery", dlq, receives=3)
    final = stage.function("discovery-failed")
    stage.mapping("gmail-discovery", discover, batch_size=1)
    stage.mapping("gmail-discovery-dlq", final, batch_size=1)
    stage.traffic(discover, flat(20), errors=lambda m: 0.05 if m in (63, 64, 65, 71, 72, 73) else 0.0)
    stage.flow(mails, flat(20), flat(20.2), flat(20))
    stage.depth(mails, flat(1), flat(1))
    letter: Curve = lambda m: 1.0 if m in (66, 74) else 0.0  # noqa: E731
    for minute in (66, 74):
        stage.point(final, "Invocations", "Sum", minute, 1)
        stage.point(final, "Errors", "Sum", minute, 0)
        stage.point(final, "Duration", "Maximum", minute, 80)
    stage.flow(dlq, ZERO, letter, letter)
    stage.depth(dlq, ZERO)
    stage.must("dlq_growth", "gmail-discovery-dlq", minute=66)
    return stage.scene()


def swallowed() -> Scene:
    """The handler logs an unexpected exception and reports no failed item: the whole batch is deleted.

    The report: "ignoring batch" at level error, jobs that wait 24 hours. Assumed: a fifth of the batches,
    20 a minute.
    https://github.com/github-aws-runners/terraform-aws-github-runner/issues/5105
    """
    stage = Stage("swallowed", "A handler logs the failure of a batch and lets SQS delete it")
    scale = stage.function("scale-up", timeout_s=60)
    builds = stage.queue("queued-builds", stage.queue("queued-builds-dlq"))
    stage.mapping("queued-builds", scale, partial_responses=True)
    stage.traffic(scale, flat(20), duration_ms=flat(900))
    stage.flow(builds, flat(60), flat(60), flat(60))
    stage.depth(builds, flat(2), flat(3))
    words = (
        '{"level":"ERROR","message":"Error processing batch (size: 3): ThrottlingException, ignoring batch"}'
    )
    stage.executions(
        scale,
        flat(20),
        outcome=lambda m, dice: "error" if m >= 66 and dice.random() < 0.2 else "ok",
        said=lambda ended, dice: (words,) if ended == "error" else ("runner started",),
    )
    stage.must("error_rate", "scale-up", minute=66)
    return stage.scene()


SCENES = (
    dead_letters_again,
    one_receive,
    receives_used_up,
    only_the_first,
    one_in_ten,
    retries_make_retries,
    deleted_repository,
    disabled_by_release,
    slow_polling,
    drained_at_once,
    swallowed,
)
