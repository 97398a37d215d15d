"""Mappings of streams: one thread per shard hands batches over and honours the mapping's failure settings.

ministack tries a failed batch without end whatever the mapping says, and a shard that is stuck holds its
sisters up. Here, as on AWS: a failed batch is tried again until it succeeds, until its retries are used up or
until it is too old; with bisecting it is split in halves first, which costs no retry. What is given up goes
to the failure destination (metadata only) before the shard goes on. A throttle is not a failure of the batch.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.execution import CAUSE, Cause
from lambdatop.demo.emulator.failure_record import Failure, arrival, envelope
from lambdatop.demo.emulator.ledger import Ledger
from lambdatop.demo.emulator.metric_store import Scope
from lambdatop.demo.emulator.stream_shards import Shard, open_shard, shard_ids
from lambdatop.demo.patches.aliases import effective
from lambdatop.demo.patches.async_invoke import deliver

# AWS polls a Kinesis shard once and a DynamoDB shard four times a second.
_PERIOD_S = {"kinesis": 0.5, "dynamodb": 0.25}
# Real seconds between two tries of the same batch; AWS backs off further.
RETRY_PAUSE_S = 1.0
_WATCH_PERIOD_S = 0.25
_DEFAULT_BATCH_SIZE = 100

_log = logging.getLogger("lambdatop.demo")


@dataclass(slots=True)
class Batch:
    """The next ``size`` records of a shard, and how often the function was run on just them."""

    size: int
    tries: int = 0


class Followers:
    """Keeps one follower per shard of every mapping of a stream."""

    def __init__(self, ledger: Ledger) -> None:
        """Count what could not be delivered in ``ledger``."""
        self._ledger = ledger
        self._running: dict[tuple[str, ...], Follower] = {}

    def start(self) -> None:
        """Watch for new mappings and shards in a thread of its own."""
        threading.Thread(target=self._watch, daemon=True, name="streams").start()

    def _watch(self) -> None:
        while True:
            for (account, region, key), mapping in list(
                _ministack.get("services.lambda_svc._esms")._data.items()
            ):
                with _ministack.get("core.responses.request_scope")(account, region):
                    self._follow(Scope(account, region), key, mapping)
            self._running = {key: f for key, f in self._running.items() if f.is_alive()}
            time.sleep(_WATCH_PERIOD_S)

    def _follow(self, scope: Scope, key: str, mapping: dict[str, Any]) -> None:
        # A shard that appears later is born of a split: its first records are those behind its parent's last.
        newborn = any(place[:3] == (scope.account, scope.region, key) for place in self._running)
        for shard_id in shard_ids(mapping):
            place = (scope.account, scope.region, key, shard_id)
            if place not in self._running:
                shard = open_shard(mapping, shard_id, newborn=newborn)
                follower = Follower(scope, mapping, shard_id, shard, self._ledger)
                self._running[place] = follower
                follower.start()


class Follower(threading.Thread):
    """Hands over the batches of one shard, in order, for as long as its mapping exists."""

    def __init__(
        self, scope: Scope, mapping: dict[str, Any], shard_id: str, shard: Shard, ledger: Ledger
    ) -> None:
        """Follow ``shard`` for ``mapping``, whose settings are read anew before each use."""
        super().__init__(daemon=True, name=f"{mapping['FunctionName']}/{shard_id}")
        self._scope = scope
        self._mapping = mapping
        self._shard_id = shard_id
        self._shard = shard
        self._ledger = ledger
        self._source = mapping["EventSourceArn"].split(":")[2]
        # Halves of a split batch wait here for their turn, the first in line first.
        self._pending: list[Batch] = []

    def run(self) -> None:
        """Run until the mapping is deleted or reset away."""
        with _ministack.get("core.responses.request_scope")(self._scope.account, self._scope.region):
            while self._wanted():
                try:
                    wait_s = self._step()
                except Exception:  # A batch that cannot even be tried must not end the mapping.
                    _log.exception("following %s", self.name)
                    wait_s = RETRY_PAUSE_S
                if wait_s:
                    time.sleep(wait_s)

    def _wanted(self) -> bool:
        return _ministack.get("services.lambda_svc._esms").get(self._mapping["UUID"]) is self._mapping

    def _step(self) -> float:
        """Try the next batch; return the real seconds to wait before the one after."""
        period_s = _PERIOD_S[self._source]
        if not self._mapping.get("Enabled", True):
            return period_s
        limit = int(self._mapping.get("BatchSize") or _DEFAULT_BATCH_SIZE)
        raw = self._shard.read(self._pending[0].size if self._pending else limit)
        if not raw:
            self._pending.clear()  # What was left of a batch has expired.
            return period_s
        if not self._pending:
            self._pending.append(Batch(len(raw)))
        records = _ministack.get("services.lambda_svc._apply_filter_criteria")(raw, self._mapping)
        if records and (failure := self._hand_over(records)):
            return self._after(failure, raw)
        self._mapping["LastProcessingResult"] = f"OK - {len(raw)} records"
        self._go_past(raw)
        # A full batch, or the other half of a split one: there is more to read at once.
        return 0.0 if self._pending or len(raw) >= limit else period_s

    def _hand_over(self, records: list[dict[str, Any]]) -> Failure | None:
        """Run the function on records; return None when it succeeded."""
        batch, name = self._pending[0], self._mapping["FunctionName"]
        function, config = effective(name, self._mapping.get("Qualifier"))
        if function is None or config is None:
            return Failure(records, "", "", batch.tries, throttled=True)
        request_id = str(uuid.uuid4())
        token = CAUSE.set(Cause(self._source, request_id, batch.tries + 1))
        try:
            result = _ministack.get("services.lambda_svc._execute_function")(function, {"Records": records})
        finally:
            CAUSE.reset(token)
        if not result.get("error"):
            return None
        throttled = bool(result.get("throttle"))
        batch.tries += not throttled
        return Failure(records, request_id, config.get("Version", "$LATEST"), batch.tries, throttled)

    def _after(self, failure: Failure, raw: list[dict[str, Any]]) -> float:
        """Split, give up or wait, as the mapping says now."""
        mapping, batch = self._mapping, self._pending[0]
        mapping["LastProcessingResult"] = "FAILED"
        if not self._wanted():
            return 0.0
        if self._too_old(failure.records):
            self._give_up(failure, "RecordAgeExceeded", raw)
            return 0.0
        if failure.throttled:
            return RETRY_PAUSE_S
        if mapping.get("BisectBatchOnFunctionError") and len(raw) > 1:
            half = len(raw) // 2
            self._pending[:1] = [Batch(half), Batch(len(raw) - half)]
            return 0.0
        retries = mapping.get("MaximumRetryAttempts")
        if retries is not None and 0 <= int(retries) < batch.tries:
            self._give_up(failure, "RetryAttemptsExhausted", raw)
            return 0.0
        return RETRY_PAUSE_S

    def _too_old(self, records: list[dict[str, Any]]) -> bool:
        limit_s = int(self._mapping.get("MaximumRecordAgeInSeconds") or -1)
        age_s = time.time() - arrival(records[0])
        return 0 < limit_s < self._ledger.store.timeline.aged(age_s)

    def _give_up(self, failure: Failure, condition: str, raw: list[dict[str, Any]]) -> None:
        """Notify the failure destination, then advance past the batch."""
        settings = self._mapping.get("DestinationConfig") or {}
        target = (settings.get("OnFailure") or {}).get("Destination")
        if target:
            record = envelope(self._mapping, self._shard_id, failure, condition)
            if not deliver(target, json.dumps(record), {}):
                self._ledger.undelivered(self._scope, self._mapping["FunctionName"], dead_letter=False)
        self._go_past(raw)

    def _go_past(self, raw: list[dict[str, Any]]) -> None:
        self._shard.skip(raw)
        del self._pending[0]
