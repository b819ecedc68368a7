"""Every setting: MEENT_* variables, typed, each with its unit and default."""

import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

BUILT_IN_CITY = Path(__file__).parent / "demo" / "cities" / "liechtenstein"
LEAST_BALLOT_BATCH = 20


class SettingsError(Exception):
    """A setting is unknown or out of range; the message is one line that says what to do."""


class CardProviderName(StrEnum):
    """Who is asked for a rider's card: our own double moves no money."""

    LOCAL = "local"
    STRIPE = "stripe"


class Profile(StrEnum):
    """How careful to be: production refuses unsafe settings, demo may bend time."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    DEMO = "demo"


def default_home() -> Path:
    """Return where data lives: a place that the database's own user can reach when we are root."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/meent")
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "meent"


def _split(given: object) -> object:
    """Return the items of a list written with commas; anything else as it is."""
    if not isinstance(given, str):
        return given
    return tuple(item.strip() for item in given.split(",") if item.strip())


type Positive = Annotated[int, Field(gt=0)]
# Not a type alias: pydantic-settings looks for NoDecode on the field itself.
CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """What can be set. The assembly's decisions are not here: nobody sets those."""

    model_config = SettingsConfigDict(env_prefix="MEENT_", extra="forbid", frozen=True)

    profile: Profile = Profile.DEVELOPMENT
    home: Path = Field(default_factory=default_home, description="where data lives")
    city: Path = Field(BUILT_IN_CITY, description="the city folder")
    database_url: SecretStr | None = Field(None, description="a PostgreSQL 18; default: our own")
    pg_bin: Path | None = Field(None, description="programs of PostgreSQL 18; default: the wheel's")
    router_url: str | None = Field(None, description="an osrm-routed; default: our own")
    secret: SecretStr | None = Field(None, description="key of one-time codes; default: in home")
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")
    database_connections: Positive = 10

    sms_file: Path | None = Field(None, description="append text messages here; default: the log")
    codes_per_number: Positive = Field(3, description="sign-in codes a quarter of an hour")
    codes_per_prefix: Positive = Field(
        30, description="the same for numbers that differ at the end"
    )
    codes_per_address: Positive = Field(20, description="sign-in codes an hour")
    access_token_s: Positive = 15 * 60
    refresh_token_s: Positive = 30 * 24 * 3600

    quote_s: Positive = Field(120, description="how long a price holds")
    search_s: Positive = Field(600, description="how long a ride looks for a driver")
    rider_credit_minor: Positive = Field(50_000, description="what a rider may owe at most")
    tick_s: float = Field(2.0, gt=0, description="pace of dispatch")
    max_pickup_s: Positive = Field(1200, description="nobody drives longer to a pickup")
    empty_km_minor: int = Field(
        30, ge=0, description="what driving a km without a rider costs a driver, for fairness"
    )
    position_flush_s: float = Field(1.0, gt=0)
    position_stale_s: Positive = 30
    explanation_days: Positive = Field(
        7, description="how long it is kept what a round of dispatch decided from"
    )

    payout_hold_days: int = Field(
        3, ge=0, description="a new bank account is not paid to for so long"
    )
    payout_least_minor: Positive = Field(100, description="less than this is not paid out yet")
    payout_iban: SecretStr | None = Field(
        None, description="the cooperative's own account, from which drivers are paid"
    )
    payout_file_currencies: CommaList = Field(
        ("EUR",), description="by commas; SEPA is EUR alone, the bank may take others (cents)"
    )

    legal_name: str | None = Field(None, max_length=100, description="who gives receipts, in law")
    legal_address: str | None = Field(None, max_length=200, description="as receipts show it")
    vat_number: str | None = Field(None, max_length=40, description="as receipts show it")

    payment_provider: CardProviderName = Field(
        CardProviderName.LOCAL, description="of cards; local is a double that moves no money"
    )
    stripe_secret_key: SecretStr | None = Field(None, description="of the account at Stripe")
    stripe_webhook_secret: SecretStr | None = Field(
        None, description="by which Stripe signs what it tells us"
    )

    issuers: CommaList = Field(
        (), description="URLs by commas of those who stamp vote keys; default: two of our own"
    )
    issuer_passphrase: SecretStr | None = Field(
        None, description="encrypts an issuer's keys on its own machine"
    )
    ballot_batch: Positive = Field(
        200, description="ballots that go into the box together before the vote closes, at least"
    )
    ballot_mirrors: CommaList = Field(
        (), description="folders by commas to which each signed root of a box is appended"
    )

    clock_start: datetime | None = Field(None, description="demo: the clock's first moment")
    clock_anchor_s: float | None = Field(None, description="demo: Unix time of that moment")
    clock_speed: float = Field(1.0, gt=0, le=240, description="demo: how fast time passes")


def load_settings(**given: object) -> Settings:
    """Read the environment; values in ``given`` win.

    Raises:
        SettingsError: a MEENT_* variable is unknown or a value is out of range.
    """
    known = {f"MEENT_{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(n for n in os.environ if n.startswith("MEENT_") and n not in known | _FOREIGN)
    if unknown:
        raise SettingsError(f"unknown setting {unknown[0]}; `meent doctor` lists those there are")
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as invalid:
        fault = invalid.errors()[0]
        name = "MEENT_" + "_".join(str(part) for part in fault["loc"]).upper()
        raise SettingsError(f"{name}: {fault['msg']}") from None
    if settings.clock_start is not None and settings.profile is not Profile.DEMO:
        raise SettingsError("MEENT_CLOCK_START: only the demo profile may set the clock")
    if settings.payment_provider is CardProviderName.STRIPE and (
        settings.stripe_secret_key is None or settings.stripe_webhook_secret is None
    ):
        raise SettingsError(
            "MEENT_PAYMENT_PROVIDER: stripe needs MEENT_STRIPE_SECRET_KEY and"
            " MEENT_STRIPE_WEBHOOK_SECRET"
        )
    if settings.profile is Profile.PRODUCTION and settings.ballot_batch < LEAST_BALLOT_BATCH:
        raise SettingsError(
            f"MEENT_BALLOT_BATCH: at least {LEAST_BALLOT_BATCH} in production; fewer hide nobody"
        )
    return settings


# Read by the test suite, not by the program.
_FOREIGN = {"MEENT_SAN_FRANCISCO"}
