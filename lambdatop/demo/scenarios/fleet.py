"""The shop that every scenario shares: thirteen functions of different settings, sources and traffic."""

from __future__ import annotations

import random
from typing import Any

from lambdatop.demo.scenarios.model import Flow, FunctionSpec, MappingSpec, QueueSpec

ORDERS_PER_SECOND = 2.0

QUEUES = (
    QueueSpec("orders-dlq"),
    # Short, so that a newcomer sees a dead letter within seconds. AWS refuses a mapping whose function may
    # run longer than the queue's visibility timeout, hence the worker's timeout.
    QueueSpec("orders", visibility_s=2, dead_letter="orders-dlq", max_receives=3),
    QueueSpec("shipments-dlq"),
    QueueSpec("shipments", dead_letter="shipments-dlq"),
    QueueSpec("stock-updates-dlq"),
    QueueSpec("stock-updates", dead_letter="stock-updates-dlq"),
    QueueSpec("payments-dlq"),
    QueueSpec("payments", visibility_s=120, dead_letter="payments-dlq"),
    QueueSpec("invoice-failures"),
)
STREAMS = ("clickstream",)
TABLES = ("products",)

FUNCTIONS = (
    FunctionSpec("orders-worker", "Books orders from the queue orders", memory_mb=256, timeout_s=2),
    FunctionSpec(
        "checkout-api", "Prices a basket", "python3.13", memory_mb=512, timeout_s=5, architecture="arm64"
    ),
    FunctionSpec("pricing-api", "Answers price requests", memory_mb=256, provisioned=2),
    FunctionSpec("session-validator", "Checks session tokens", architecture="arm64", reserved=20),
    FunctionSpec(
        "thumbnailer", "Renders product thumbnails", memory_mb=1024, timeout_s=10, architecture="arm64"
    ),
    FunctionSpec(
        "invoice-mailer",
        "Mails invoices",
        "python3.11",
        memory_mb=256,
        timeout_s=6,
        on_failure="invoice-failures",
    ),
    FunctionSpec(
        "audit-logger",
        "Keeps the audit trail",
        "python3.13",
        architecture="arm64",
        log_group="/platform/audit",
    ),
    FunctionSpec("report-builder", "Builds the sales report", "python3.13", memory_mb=1024, timeout_s=30),
    FunctionSpec("shipment-notifier", "Tells customers about shipments", memory_mb=256, timeout_s=5),
    FunctionSpec(
        "stock-sync", "Applies stock changes", "python3.11", memory_mb=512, timeout_s=6, reserved=10
    ),
    FunctionSpec(
        "payment-reconciler",
        "Matches payments with orders",
        "python3.13",
        memory_mb=1024,
        timeout_s=15,
        architecture="arm64",
    ),
    FunctionSpec("clickstream-enricher", "Adds campaign data to clicks", memory_mb=512, timeout_s=10),
    FunctionSpec("search-indexer", "Keeps the product search current", memory_mb=256, timeout_s=10),
)

MAPPINGS = (
    # One message a batch: a poison message takes no healthy one with it.
    MappingSpec("sqs", "orders", "orders-worker", batch_size=1, max_concurrency=3),
    MappingSpec("sqs", "shipments", "shipment-notifier", batch_size=5, max_concurrency=2),
    MappingSpec("sqs", "stock-updates", "stock-sync", max_concurrency=2),
    MappingSpec("sqs", "payments", "payment-reconciler", batch_size=5, max_concurrency=2),
    MappingSpec("kinesis", "clickstream", "clickstream-enricher", batch_size=50),
    MappingSpec("dynamodb", "products", "search-indexer", batch_size=20),
)


def order(number: int, dice: random.Random) -> dict[str, Any]:
    """Return a good order."""
    currency = dice.choice(("EUR", "USD", "GBP"))
    return {"order": 4700 + number, "currency": currency, "cents": dice.randint(500, 25_000)}


def _basket(number: int, dice: random.Random) -> dict[str, Any]:
    return {"basket": number, "items": [dice.randint(100, 9_900) for _ in range(dice.randint(1, 6))]}


def _price(number: int, dice: random.Random) -> dict[str, Any]:
    return {"sku": f"sku-{dice.randint(1, 400)}", "quantity": dice.randint(1, 9)}


def _session(number: int, dice: random.Random) -> dict[str, Any]:
    return {"token": f"{dice.getrandbits(64):016x}"}


def _image(number: int, dice: random.Random) -> dict[str, Any]:
    return {"key": f"products/{number}.jpg", "width": dice.choice((640, 1280, 2560))}


def _invoice(number: int, dice: random.Random) -> dict[str, Any]:
    return {"invoice": 90_000 + number, "customer": f"c-{dice.randint(1, 999)}"}


def _audit(number: int, dice: random.Random) -> dict[str, Any]:
    return {"actor": f"user-{dice.randint(1, 50)}", "action": dice.choice(("login", "refund", "export"))}


def _report(number: int, dice: random.Random) -> dict[str, Any]:
    return {"day": f"2026-11-{dice.randint(1, 20):02d}", "rows": dice.randint(2_000, 9_000)}


def _shipment(number: int, dice: random.Random) -> dict[str, Any]:
    return {"shipment": number, "carrier": dice.choice(("DHL", "UPS", "GLS"))}


def _stock(number: int, dice: random.Random) -> dict[str, Any]:
    return {"sku": f"sku-{dice.randint(1, 400)}", "delta": dice.randint(-5, 20)}


def _payment(number: int, dice: random.Random) -> dict[str, Any]:
    return {"payment": number, "order": 4700 + number, "cents": dice.randint(500, 25_000)}


def _click(number: int, dice: random.Random) -> dict[str, Any]:
    return {"page": f"/p/{dice.randint(1, 400)}", "campaign": dice.choice(("autumn", "search", ""))}


def _product(number: int, dice: random.Random) -> dict[str, Any]:
    return {"id": f"sku-{dice.randint(1, 400)}", "stock": dice.randint(0, 90), "revision": number}


FLOWS = (
    Flow("sync", "checkout-api", 1.5, _basket),
    Flow("sync", "pricing-api", 1.2, _price),
    Flow("sync", "session-validator", 1.8, _session),
    Flow("async", "thumbnailer", 0.7, _image),
    Flow("async", "invoice-mailer", 0.5, _invoice),
    Flow("async", "audit-logger", 0.6, _audit),
    Flow("async", "report-builder", 0.25, _report),
    Flow("sqs", "shipments", 0.8, _shipment),
    Flow("sqs", "stock-updates", 1.2, _stock),
    Flow("sqs", "payments", 0.6, _payment),
    Flow("kinesis", "clickstream", 2.0, _click),
    Flow("dynamodb", "products", 0.8, _product),
)
