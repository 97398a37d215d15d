"""Every number a user may set, with its default and unit. `config/` fills it from YAML."""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import TYPE_CHECKING

from lambdatop.domain.frozen import dataclass
from lambdatop.domain.settings.thresholds import DetectorSettings
from lambdatop.domain.sources import SOURCES

if TYPE_CHECKING:

    @dataclasses.dataclass(frozen=True, init=False)
    class Paces:
        """Seconds between two rounds of each source, by its name."""

        def __init__(self, **seconds: float) -> None: ...

        def __getattr__(self, source: str) -> float: ...

else:
    _defaults = {name: spec.pace_s for name, spec in SOURCES.items()}
    _fields = {"__annotations__": dict.fromkeys(SOURCES, float)} | _defaults
    Paces = dataclass(frozen=True, slots=True)(type("Paces", (), {"__module__": __name__} | _fields))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much lambdatop may ask of the account.

    `logs_per_s` is held to a third of what the region allows the account (`log_rates`), whatever is set.
    `log_tails` is how many functions' logs are followed at once: those on screen, then those in trouble.
    `budget_usd_per_hour` limits the API spend (0: no limit), `calm_usd_per_hour` while nothing is wrong.
    `metrics_per_s` and what one request holds keep every CloudWatch quota below a third (`ListMetrics` 25/s).
    """

    control_plane_per_s: float = 5.0
    sqs_per_s: float = 20.0
    logs_per_s: float = 10.0
    metrics_per_s: float = 8.0
    log_tails: int = 12
    budget_usd_per_hour: float = 0.50
    calm_usd_per_hour: float = 0.05


@dataclass(frozen=True, slots=True)
class MetricSettings:
    """How metrics are read.

    `publish_delay_s`: a minute counts as final this long after its end (CloudWatch publishes late);
    `history_min`: minutes of history in each answer (one request costs the same for 1 or 180);
    `rate_min`: final minutes over which "per minute" figures are averaged;
    `times`: published minutes pass this many times faster than the clock (the demo's compression, else 1).
    """

    publish_delay_s: float = 120.0
    history_min: int = 60
    rate_min: int = 3
    times: float = field(default=1.0, metadata={"fixed": True})


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How logs are followed.

    `live_in_incidents`: the log on screen comes through Live Tail while a critical incident concerns its
    function and the budget of the hour lasts (60 minutes cost 0.60 USD).
    """

    live_in_incidents: bool = True


@dataclass(frozen=True, slots=True)
class PriceSettings:
    """Prices in USD that the user knows better; None = the table of the package.

    `refresh`: read them once a day through the Price List API (free of charge, pricing:GetProducts).
    """

    gb_second_x86: float | None = None
    gb_second_arm64: float | None = None
    request_million: float | None = None
    ephemeral_gb_second: float | None = None
    provisioned_gb_second_x86: float | None = None
    provisioned_gb_second_arm64: float | None = None
    provisioned_run_gb_second_x86: float | None = None
    provisioned_run_gb_second_arm64: float | None = None
    log_gb: float | None = None
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class BurnSettings:
    """`until`: the time of day ("18:00", UTC) up to which burn is projected; None = a day from now."""

    until: str | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """The console's looks: theme name and seconds between two looks at the newest snapshot."""

    theme: str = "midnight"
    refresh: float = 0.5


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """A DynamoDB table in which responders see each other; None = no lease. One lasts `seconds`."""

    table: str | None = None
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class ModeSettings:
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


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `read_only` here can only switch read-only on, never off.

    `session_policy`: "read-only" holds a role that is assumed to reading, at AWS; "none" leaves it as it is.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    read_only: bool = False
    session_policy: str = "none"
    allow_destructive: bool = True
    allow_endpoint_changes: bool = False
    mode: ModeSettings = field(default_factory=ModeSettings, metadata={"fixed": True})
    screen: Screen = field(default_factory=Screen)
    paces: Paces = field(default_factory=Paces)
    limits: Limits = field(default_factory=Limits)
    logs: LogSettings = field(default_factory=LogSettings)
    metrics: MetricSettings = field(default_factory=MetricSettings)
    prices: PriceSettings = field(default_factory=PriceSettings)
    burn: BurnSettings = field(default_factory=BurnSettings)
    lease: LeaseSettings = field(default_factory=LeaseSettings)
    detectors: DetectorSettings = field(default_factory=DetectorSettings)
