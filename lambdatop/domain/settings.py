"""Every number a user may set, with its default and unit. `config/` fills it from YAML."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Paces:
    """Seconds between two rounds of each collector."""

    functions: float = 300.0
    concurrency: float = 60.0
    account: float = 60.0
    mappings: float = 30.0
    queues: float = 15.0
    metrics: float = 60.0
    alarms: float = 60.0
    logs: float = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much lambdatop may ask of the account."""

    control_plane_per_s: float = 5.0
    sqs_per_s: float = 20.0
    logs_per_s: float = 3.0
    metrics_per_s: float = 10.0
    budget_usd_per_hour: float = 0.50


@dataclass(frozen=True, slots=True)
class MetricSettings:
    """How metrics are read.

    `publish_delay_s`: a minute counts as final this long after its end (CloudWatch publishes late);
    `history_min`: minutes of history in each answer (one request costs the same for 1 or 180);
    `rate_min`: final minutes over which "per minute" figures are averaged.
    """

    publish_delay_s: float = 120.0
    history_min: int = 60
    rate_min: int = 3


@dataclass(frozen=True, slots=True)
class RedeliverySettings:
    """`sqs_redelivery`: received / deleted over a window (telemetry D5)."""

    window_min: int = 10
    min_received: int = 20
    warning_ratio: float = 1.5
    critical_ratio: float = 3.0


@dataclass(frozen=True, slots=True)
class DlqGrowthSettings:
    """`dlq_growth`: change of depth (visible + in flight) per minute (telemetry D8)."""

    window_min: int = 5
    critical_per_min: float = 10.0


@dataclass(frozen=True, slots=True)
class ErrorRateSettings:
    """`error_rate`: errors / invocations over a window with a volume floor."""

    window_min: int = 5
    min_invocations: int = 20
    warning: float = 0.05
    critical: float = 0.25


@dataclass(frozen=True, slots=True)
class ThrottledSettings:
    """`throttled`: throttles / (throttles + invocations) over a window (telemetry D13)."""

    window_min: int = 5
    critical_share: float = 0.05


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """Thresholds of each detector."""

    sqs_redelivery: RedeliverySettings = field(default_factory=RedeliverySettings)
    dlq_growth: DlqGrowthSettings = field(default_factory=DlqGrowthSettings)
    error_rate: ErrorRateSettings = field(default_factory=ErrorRateSettings)
    throttled: ThrottledSettings = field(default_factory=ThrottledSettings)


@dataclass(frozen=True, slots=True)
class Screen:
    """The console's looks: theme name and seconds between two looks at the newest snapshot."""

    theme: str = "midnight"
    refresh: float = 0.5


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `read_only` here can only switch read-only on, never off."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    read_only: bool = False
    allow_destructive: bool = True
    screen: Screen = field(default_factory=Screen)
    paces: Paces = field(default_factory=Paces)
    limits: Limits = field(default_factory=Limits)
    metrics: MetricSettings = field(default_factory=MetricSettings)
    detectors: DetectorSettings = field(default_factory=DetectorSettings)
