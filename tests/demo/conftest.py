"""One bare repaired emulator for this directory, reset before each test that uses it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from demo.clients import Aws

from lambdatop.demo.launch import start


@pytest.fixture(scope="session")
def bare() -> Iterator[Aws]:
    with start(deploy=False, async_retry_s=0.1) as demo:
        aws = Aws(demo)
        yield aws
        aws.close()


@pytest.fixture
def aws(bare: Aws) -> Aws:
    bare.demo.reset()
    return bare
