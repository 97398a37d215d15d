"""Hold everything that a user may set: one field each with default, unit, range or check, and meaning.

`config/` fills it from YAML, options and variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdatop.domain.endpoint import endpoint_problem
from lambdatop.domain.settings.fields import (
    Section,
    fixed,
    knob,
    matching,
    minutes,
    price,
    seconds,
    section,
    switch,
    text,
)
from lambdatop.domain.settings.thresholds import DetectorSettings
from lambdatop.domain.sources import SOURCES

if TYPE_CHECKING:

    class Paces(Section, frozen=True):
        """Seconds between two rounds of each source, by its name."""

        def __init__(self, **seconds: float) -> None: ...

        def __getattr__(self, source: str) -> float: ...

else:
    _paces = {name: seconds(spec.pace_s, spec.reads) for name, spec in SOURCES.items()}
    _fields = {"__annotations__": dict.fromkeys(SOURCES, "float")} | _paces
    Paces = type(Section)("Paces", (Section,), {"__module__": __name__} | _fields, frozen=True)


class Limits(Section, frozen=True):
    """How much lambdatop may ask of the account.

    `logs_per_s` is held to a third of what the region allows the account (`log_rates`), whatever is set.
    `metrics_per_s` and what one request holds keep every CloudWatch quota below a third (`ListMetrics` 25/s).
    """

    control_plane_per_s: float = knob(5.0, "requests/s", "Lambda's control plane", 0.1, 5)
    sqs_per_s: float = knob(20.0, "requests/s", "SQS", 0.1, 100)
    logs_per_s: float = knob(
        10.0, "requests/s", "CloudWatch Logs; never more than a third of what the region allows", 0.1, 10
    )
    metrics_per_s: float = knob(8.0, "requests/s", "CloudWatch", 0.1, 8)
    log_tails: int = knob(12, "functions", "logs followed at once", 1, 64)
    budget_usd_per_hour: float = knob(0.50, "USD/h", "budget for API calls; 0 = no limit", 0, 100)
    calm_usd_per_hour: float = knob(0.05, "USD/h", "the same while nothing is wrong", 0, 100)


class MetricSettings(Section, frozen=True):
    """How metrics are read.

    CloudWatch publishes late, and one request costs the same for 1 or 180 minutes. `times`: published minutes
    pass this many times faster than the clock (the demo's compression, else 1).
    """

    publish_delay_s: float = seconds(120.0, "a minute is final this long after its end", 0, 900)
    history_min: int = knob(60, "min", "history in each answer", 5, 180)
    rate_min: int = minutes(3, "final minutes behind each figure per minute")
    times: float = fixed(1.0)


class LogSettings(Section, frozen=True):
    """How logs are followed."""

    live_in_incidents: bool = switch(
        True, "Live Tail (0.01 USD/min) for the log on screen in a critical incident, within the budget"
    )


class PriceSettings(Section, frozen=True):
    """Prices in USD that the user sets; None = the table of the package."""

    gb_second_x86: float | None = price("USD/GB-s", "execution on x86_64")
    gb_second_arm64: float | None = price("USD/GB-s", "execution on arm64")
    request_million: float | None = price("USD/million", "invocations")
    ephemeral_gb_second: float | None = price("USD/GB-s", "/tmp above 512 MB")
    provisioned_gb_second_x86: float | None = price("USD/GB-s", "provisioned concurrency on x86_64")
    provisioned_gb_second_arm64: float | None = price("USD/GB-s", "provisioned concurrency on arm64")
    provisioned_run_gb_second_x86: float | None = price("USD/GB-s", "execution on it on x86_64")
    provisioned_run_gb_second_arm64: float | None = price("USD/GB-s", "execution on it on arm64")
    log_gb: float | None = price("USD/GB", "log lines taken in")
    refresh: bool = switch(False, "read them once a day (pricing:GetProducts, free of charge)")


class BurnSettings(Section, frozen=True):
    """How burn is projected."""

    until: str | None = text(
        None,
        "burn is projected up to this time, HH:MM UTC",
        matching(r"([01]\d|2[0-3]):[0-5]\d", "a time of day like 18:00"),
        null="24 h",
    )


class Screen(Section, frozen=True):
    """How the console looks."""

    theme: str = text(
        "midnight",
        "name of a theme, built in or from themes/ beside the configuration file",
        matching(r"[A-Za-z0-9._-]{1,64}", "the name of a theme"),
        flags=("--theme",),
        metavar="NAME",
    )
    refresh: float = seconds(
        0.5, "how often the screen takes the newest snapshot", 0.25, 60, flags=("--refresh",), metavar="S"
    )
    no_mouse: bool = switch(
        False, "the mouse is left to the terminal, which selects text with it (m switches)", "--no-mouse"
    )


class LeaseSettings(Section, frozen=True):
    """Where responders note what they work on."""

    table: str | None = text(
        None,
        "DynamoDB table that shows responders to each other",
        matching(r"[A-Za-z0-9_.-]{3,255}", "the name of a DynamoDB table"),
        null="none",
    )
    seconds: float = seconds(120.0, "how long a lease lasts", 10, 3600)


class ModeSettings(Section, frozen=True):
    """Why the mode is what it is; each text names a flag, a variable, or a line of a file.

    `origin`: where `read_only: true` came from; `write`: the --write of this run, "" without one; `lifted`:
    the read_only (or session_policy) that it lifted, "" when there was nothing to lift; `accounts`: the
    account ids that the file holds to read-only, each with its origin; `profile`: the profile whose section
    of the file was looked for, which has to be the one that the SDK uses ("": none was looked for).
    """

    origin: str = ""
    write: str = ""
    lifted: str = ""
    accounts: tuple[tuple[str, str], ...] = ()
    profile: str = ""

    def forced_by(self, account: str) -> str:
        """Return what holds this account to read-only, "" when nothing does.

        Whether --write lifts it: `write`.
        """
        if self.accounts and not (len(account) == 12 and account.isdecimal()):
            return "accounts (which account this is could not be told)"
        return dict(self.accounts).get(account, "")


class Settings(Section, frozen=True):
    """All settings. `read_only` here can only switch read-only on, never off."""

    profile: str | None = text(
        None,
        "AWS profile",
        matching(r"[^\x00-\x1f\x7f]{1,128}", "the name of an AWS profile"),
        null="what the SDK would take",
        flags=("-p", "--profile"),
        metavar="NAME",
    )
    region: str | None = text(
        None,
        "AWS region",
        matching(r"[a-z]{2,}(-[a-z0-9]+){2,}", "a region like eu-central-1"),
        null="what the SDK would take",
        flags=("-r", "--region"),
        metavar="NAME",
    )
    endpoint_url: str | None = text(
        None,
        "endpoint to use instead of AWS's own (https, or http on loopback)",
        endpoint_problem,
        flags=("--endpoint-url",),
        metavar="URL",
    )
    read_only: bool = switch(
        False, "nothing can be changed; only --write lifts it", "--read-only", "--readonly"
    )
    session_policy: str = text(
        "none",
        "read-only: AWS itself holds the role that is assumed (role_arn) to reading; includes read_only",
        matching("none|read-only", "none or read-only"),
    )
    allow_destructive: bool = switch(
        True, "mitigations that cannot be undone (T3), too; false: they are refused"
    )
    allow_endpoint_changes: bool = switch(
        False, "changes also through an endpoint that is not AWS's own", "--allow-endpoint-changes"
    )
    mode: ModeSettings = fixed(ModeSettings())
    screen: Screen = section(Screen, "What the console looks like.")
    paces: Paces = section(Paces, "Seconds between two rounds of each collector.")
    limits: Limits = section(Limits, "How much lambdatop may ask of the account.")
    logs: LogSettings = section(LogSettings, "How logs are followed.")
    metrics: MetricSettings = section(MetricSettings, "How CloudWatch metrics are read.")
    prices: PriceSettings = section(
        PriceSettings, "List prices in USD where they are not yours, and whether to read AWS's own."
    )
    burn: BurnSettings = section(BurnSettings, "What functions cost per hour.")
    lease: LeaseSettings = section(
        LeaseSettings, "A note for other responders, in a table you share with them. Nobody needs it to act."
    )
    detectors: DetectorSettings = section(DetectorSettings, "When a finding is stated.")
