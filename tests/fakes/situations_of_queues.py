"""Situations of queues for the words of plans: purged, held, moved aside, drained, redriven."""

from __future__ import annotations

from collections.abc import Mapping

from fakes.callers import HANDOVER, pipe
from fakes.plan_situations import ASIDE, Asked, Cases, dead_letters, denied, fed, on_queue, orders
from fakes.worlds import DLQ, NOW, queue
from msgspec.structs import replace

from lambdatop.domain.facts.callers import Looked
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import MoveTask
from lambdatop.domain.plans.situation import Consumer

MAPPINGS = denied("lambda:ListEventSourceMappings")
SOURCES = denied("sqs:ListDeadLetterSourceQueues")
TASKS = denied("sqs:ListMessageMoveTasks")
KEY = f"arn:aws:kms:eu-central-1:111122223333:key/{'1' * 8}"
OFF = fed(2, state="Disabled")
GAP = "sqs:ListDeadLetterSourceQueues is denied, so whose dead letters it holds is unknown"
FIFO = orders(visible=4, fifo=True)
EMPTY = orders()
HELD = (fed(source_arn=queue(DLQ).arn), fed(2, source_arn=queue(DLQ).arn))

PIPED = Looked("pipe", NOW, (pipe(), pipe(key=HANDOVER._replace(id="old"), state="STOPPED")))
PIPES_DENIED = Looked("pipe", missing=("missing pipes:ListPipes",))

PURGE: Cases = {
    "a queue in use": Asked(on_queue()),
    "its age is not known": Asked(on_queue(oldest_age_s=denied("cloudwatch:GetMetricData"))),
    "messages are in flight only": Asked(on_queue(orders(in_flight=2))),
    "messages are delayed only": Asked(on_queue(orders(delayed=2))),
    "a FIFO queue": Asked(on_queue(FIFO)),
    "one trigger is off": Asked(on_queue(consumers=(fed(), OFF))),
    "its triggers are denied": Asked(on_queue(consumers=MAPPINGS)),
    "dead letters": Asked(dead_letters(dead_letters_of=("orders", "payments"))),
    "whether it holds dead letters is not known": Asked(dead_letters(dead_letters_of=SOURCES, gaps=(GAP,))),
    "empty": Asked(on_queue(EMPTY)),
    "a pipe reads it": Asked(on_queue(pipes=PIPED)),
    "pipes are denied": Asked(on_queue(pipes=PIPES_DENIED)),
}

QUARANTINE: Cases = {
    "hold it": Asked(on_queue()),
    "hold two triggers": Asked(on_queue(consumers=(fed(), fed(2), OFF), gaps=(GAP,)), {"to": "Nowhere"}),
    "hold it, drain it": Asked(on_queue(), {"to": " FILE "}),
    "hold it, a FIFO queue": Asked(on_queue(FIFO, dead_letters_of=("orders",))),
    "hold it, whether it holds dead letters is not known": Asked(
        on_queue(orders(visible=4, max_receive_count=2), dead_letters_of=SOURCES)
    ),
    "hold it, no dead letters and an age that is sure": Asked(
        on_queue(orders(visible=4, max_receive_count=2))
    ),
    "drain what nothing reads": Asked(dead_letters(), {"to": "file"}),
    "drain a FIFO queue with a key": Asked(
        on_queue(orders(visible=4, fifo=True, kms_key=KEY), consumers=(OFF,), gaps=(GAP,)), {"to": "file"}
    ),
    "drain a queue without a dead-letter queue": Asked(
        on_queue(orders(delayed=4, dlq_arn=None, max_receive_count=None), consumers=()), {"to": "file"}
    ),
    "drain a queue whose redrive policy names no count": Asked(
        on_queue(orders(visible=1, max_receive_count=None), consumers=()), {"to": "file"}
    ),
    "drain what is in flight": Asked(on_queue(orders(in_flight=2), consumers=()), {"to": "file"}),
    "hold dead letters, move them aside": Asked(dead_letters(consumers=HELD), {"to": ASIDE}),
    "move dead letters with a key aside": Asked(
        dead_letters(
            facts=queue(DLQ, visible=7, kms_key=KEY), move_task=MoveTask(5, "COMPLETED"), gaps=(GAP,)
        ),
        {"to": ASIDE},
    ),
    "move FIFO dead letters aside": Asked(
        dead_letters(facts=queue(DLQ, visible=7, fifo=True)), {"to": f"{ASIDE}.fifo"}
    ),
    "nothing reads it": Asked(on_queue(consumers=(OFF,))),
    "nothing reads dead letters": Asked(dead_letters()),
    "its triggers are denied": Asked(on_queue(consumers=MAPPINGS)),
    "a trigger is changing": Asked(on_queue(consumers=(fed(state="Updating"),)), {"to": "file"}),
    "drain an empty queue": Asked(on_queue(EMPTY), {"to": "file"}),
    "move what is no dead letter": Asked(on_queue(), {"to": ASIDE}),
    "move to a FIFO queue": Asked(dead_letters(), {"to": f"{ASIDE}.fifo"}),
    "move to itself": Asked(dead_letters(), {"to": queue(DLQ).arn}),
    "move from an empty queue": Asked(dead_letters(facts=queue(DLQ)), {"to": ASIDE}),
    "move, whether one runs is not known": Asked(dead_letters(move_task=TASKS), {"to": ASIDE}),
    "move, whose dead letters is not known": Asked(
        dead_letters(dead_letters_of=NotKnown("not there", "sqs:ListDeadLetterSourceQueues")), {"to": ASIDE}
    ),
    "move, one runs": Asked(dead_letters(move_task=MoveTask(5, "RUNNING", "handle-5")), {"to": ASIDE}),
    "hold it, a pipe goes on": Asked(on_queue(pipes=PIPED)),
    "only a pipe reads it": Asked(dead_letters(pipes=PIPED)),
    "nothing reads it, pipes are denied": Asked(dead_letters(pipes=PIPES_DENIED)),
}

FAILING = (Consumer(fed(), 100.0, 40.0), Consumer(fed(2, state="Disabled"), 100.0, 5.0))
REDRIVE: Cases = {
    "a consumer that works": Asked(dead_letters()),
    "as fast as SQS can": Asked(dead_letters(), {"rate": "500"}),
    "as slowly as SQS can": Asked(dead_letters(facts=queue(DLQ, visible=1)), {"rate": 1}),
    "a key, and one ran before": Asked(
        dead_letters(
            facts=queue(DLQ, visible=7, kms_key=KEY), move_task=MoveTask(5, "COMPLETED"), gaps=(GAP,)
        )
    ),
    "two queues, consumers that fail": Asked(
        dead_letters(dead_letters_of=("orders", "payments"), behind=FAILING)
    ),
    "a consumer that just does not fail": Asked(dead_letters(behind=(Consumer(fed(), 100.0, 4.0),))),
    "consumers of which little is known": Asked(
        dead_letters(behind=(Consumer(fed()), Consumer(fed(2), None, 3.0)))
    ),
    "a consumer whose errors are not known": Asked(dead_letters(behind=(Consumer(fed(), 8.0, None),))),
    "no consumer": Asked(dead_letters(behind=())),
    "no consumer is on": Asked(dead_letters(behind=(Consumer(OFF, 0.0, 0.0),))),
    "consumers denied": Asked(dead_letters(behind=MAPPINGS)),
    "a move that was cancelled": Asked(dead_letters(move_task=MoveTask(6, "CANCELLED"))),
    "stop it": Asked(
        dead_letters(move_task=MoveTask(NOW_MS := int(NOW * 1000), "RUNNING", "-handle")), {"cancel": "yes"}
    ),
    "stop what is over": Asked(dead_letters(move_task=MoveTask(NOW_MS, "COMPLETED")), {"cancel": "yes"}),
    "stop what has no handle": Asked(dead_letters(move_task=MoveTask(NOW_MS, "RUNNING")), {"cancel": "yes"}),
    "stop what never began": Asked(dead_letters(), {"cancel": "yes"}),
    "stop, whether one runs is not known": Asked(dead_letters(move_task=TASKS), {"cancel": "yes"}),
    "stop perhaps": Asked(dead_letters(), {"cancel": "perhaps"}),
    "too slow": Asked(dead_letters(), {"rate": 0}),
    "too fast": Asked(dead_letters(), {"rate": 501}),
    "no dead-letter queue": Asked(dead_letters(dead_letters_of=())),
    "whose dead letters is denied": Asked(dead_letters(dead_letters_of=SOURCES)),
    "whether one runs is denied": Asked(dead_letters(move_task=TASKS)),
    "one runs": Asked(dead_letters(move_task=MoveTask(5, "RUNNING", "handle-5", moved=7))),
    "one is being stopped": Asked(dead_letters(move_task=MoveTask(5, "CANCELLING"))),
    "empty": Asked(replace(dead_letters(), facts=queue(DLQ, in_flight=3))),
}

CASES: Mapping[str, Cases] = {
    "purge_queue": PURGE,
    "quarantine_queue": QUARANTINE,
    "redrive_dlq": REDRIVE,
}
