"""Read state machines and their running executions, and find them by name.

Inputs, outputs and causes of executions are never asked for: they may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from lambdatop.aws.facts.resources import arn_text, seconds
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.facts.arns import arn_in
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.mitigations.executions import EXPRESS, execution_arn
from lambdatop.domain.mitigations.one_by_one import FIELD, MOST
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.situation import Execution, StateMachineSituation
from lambdatop.domain.sanitize import clean_name

MOST_PAGES = 10
"""Pages of running executions that are counted: ten times as many as one plan stops."""
_NAME = re.compile(r"^[^\s?*<>{}\[\]\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}$")
"""Names of state machines and executions (Step Functions developer guide, "General quotas")."""
METADATA = "METADATA_ONLY"


class StateMachines:
    """Reads state machines of one scope; every method raises SourceError kinds."""

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope

    async def find(self, name: str) -> list[Key]:
        """Find the state machine of this name."""
        if not _NAME.match(name):
            return []
        await self._describe(self._arn(name), METADATA)
        return [Key(self._scope, "state machine", name)]

    async def names(self) -> set[str]:
        """Return the names of all state machines."""
        return {clean_name(str(one.get("name") or "")) for one in await self._listed()}

    async def situation(self, key: Key) -> StateMachineSituation:
        """Read a state machine and list its running executions; those of an EXPRESS one cannot be listed."""
        at = self._api.now()
        answer = await self._describe(self._arn(key.id), METADATA)
        arn, kind = arn_text(answer.get("stateMachineArn")), clean_name(str(answer.get("type") or ""))
        s = StateMachineSituation(Ref(key, arn, key.id), at, kind)
        return s if kind == EXPRESS else await self._with_running(s)

    async def _with_running(self, s: StateMachineSituation) -> StateMachineSituation:
        running: list[Execution] = []
        odd, pages, more = 0, 0, False
        async for page in self._api.pages(
            "stepfunctions",
            "ListExecutions",
            token="nextToken",
            stateMachineArn=self._arn(s.ref.key.id),
            statusFilter="RUNNING",
            maxResults=MOST,
        ):
            for one in page.get("executions") or ():
                name, arn = str(one.get("name") or ""), str(one.get("executionArn") or "")
                # The control field holds the name, and the ARN is made of it again when it is read.
                if _NAME.match(name) and name == clean_name(name) and arn == execution_arn(s.ref.arn, name):
                    running.append(Execution(name, arn, seconds(one.get("startDate"))))
                else:
                    odd += 1
            pages += 1
            if pages == MOST_PAGES and page.get("nextToken"):
                more = True
                break
        return StateMachineSituation(s.ref, s.at, s.kind, tuple(running), more, odd)

    async def state(self, key: Key, fields: Collection[str] = ()) -> dict[str, Any]:
        """Read the status of the executions that the fields name."""
        found: dict[str, Any] = {}
        for field in fields:
            if field.startswith(FIELD):
                arn = execution_arn(self._arn(key.id), field.removeprefix(FIELD))
                answer = await self._api.read(
                    "stepfunctions", "DescribeExecution", executionArn=arn, includedData=METADATA
                )
                found[field] = clean_name(str(answer.get("status") or ""))
        return found

    async def _listed(self) -> list[Mapping[str, Any]]:
        pages = self._api.pages("stepfunctions", "ListStateMachines", token="nextToken", maxResults=1000)
        return [one async for page in pages for one in page.get("stateMachines") or ()]

    async def _describe(self, arn: str, data: str) -> dict[str, Any]:
        return await self._api.read(
            "stepfunctions", "DescribeStateMachine", stateMachineArn=arn, includedData=data
        )

    def _arn(self, name: str) -> str:
        return arn_in(self._scope, "states", f"stateMachine:{name}")


def machine_of_arn(text: str) -> str | None:
    """Return the name in a state machine's ARN, None for any other."""
    arn = parse_arn(text)
    if arn is None or arn.service != "states" or not arn.resource.startswith("stateMachine:"):
        return None
    return arn.resource.removeprefix("stateMachine:").partition(":")[0]
