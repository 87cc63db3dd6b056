"""All settings of Holdfast in one model: environment variables `HOLDFAST_…` override a TOML file.

Unknown keys are refused and secrets are never printed. The settings that affect results have a digest, which is part
of every alert.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from datetime import time
from enum import StrEnum
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings import SettingsError as NotReadable

from features.errors import SettingsError
from flows.settings.alert_rules import AlertRules
from flows.settings.published_sources import ReferenceSettings
from flows.settings.run_form import Send
from flows.settings.toml_file import read_toml

PREFIX = "HOLDFAST_"


class Environment(StrEnum):
    """Only production may write to a director; everything else redirects or writes to the outbox."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class TransportChoice(StrEnum):
    OUTBOX = "outbox"
    SMTP = "smtp"
    SES = "ses"


class TaskRunner(StrEnum):
    """Where the tasks of single councils run."""

    THREADS = "threads"
    DASK = "dask"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class S3Settings(_Section):
    """Any S3-compatible endpoint. Without keys, boto3's own chain is used (instance role, profile)."""

    endpoint_url: str | None = None
    region: str = "eu-west-2"
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = None
    """Session token, for temporary credentials."""
    ca_file: str | None = None
    """PEM file of certificates to trust, if the store's certificate is signed by a private authority."""
    path_style: bool | None = None
    """Whether the bucket is in the path of the address, not in its host name. Empty: if there is an `endpoint_url`."""
    checksums: Literal["sha256", "none"] = "sha256"
    """The checksum sent with each object and requested with each read; `none` for stores without support for it."""
    server_side_encryption: str | None = None
    """Encryption, `AES256` or `aws:kms`, which is sent with every write."""
    kms_key_id: str | None = None


class SesSettings(_Section):
    """Amazon SES, where it is not the store's account and region. Without keys, boto3's own chain is used."""

    region: str = ""
    """SES's region. Empty: the same as `s3.region`."""
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = None
    configuration_set: str = ""
    """Name of the SES configuration set (rules on bounces and statistics) to use for messages."""


class MicrosoftSettings(_Section):
    """The application that signs in to Microsoft 365 by token; see docs/mail.md for what its administrator grants."""

    tenant: str = ""
    """The directory (tenant) ID. If given, `mail.user` signs in by token, and `mail.password` is not used."""
    client_id: str = ""
    client_secret: SecretStr | None = None
    authority: str = "https://login.microsoftonline.com"
    """Address of the service that issues tokens; different in a sovereign cloud."""
    ca_file: str | None = None
    """Certificate of a private authority, if there is a proxy in between. Empty: the system's authorities."""


class MailSettings(_Section):
    """How messages leave. Recipients are never here: they come from the council register."""

    transport: TransportChoice = TransportChoice.OUTBOX
    outbox: str = "var/outbox"
    host: str = ""
    port: int = 587
    user: str = ""
    password: SecretStr | None = None
    implicit_tls: bool = False
    """True for TLS from the first byte (port 465); False requires STARTTLS."""
    ca_file: str | None = None
    sender: str = "Holdfast <holdfast@holdfast.example>"
    reply_to: str = "data-team@holdfast.example"
    data_team: str = "data-team@holdfast.example"
    contact_name: str = ""
    """The person in the data team who answers directors. Named in every letter."""
    contact_telephone: str = ""
    to_data_officers: bool = True
    """Whether a council's data officer gets the report on their files if there is something to put right."""
    allowed_domains: tuple[str, ...] = ()
    """Directors' addresses outside these domains are refused."""
    redirect_to: str = ""
    """Outside production every message goes to this address instead, and says so."""
    retry_minutes: Annotated[float, Field(ge=0, le=240)] = 10
    """How long a run retries mail, with growing waits. After that, the next run or the keeper retries it."""
    per_second: Annotated[float, Field(gt=0, le=1000)] | None = None
    """The most recipients a second. If not given, SES is asked for the account's rate, and SMTP has no limit."""
    ses: SesSettings = SesSettings()
    microsoft: MicrosoftSettings = MicrosoftSettings()


class IngestSettings(_Section):
    due_working_day: Annotated[int, Field(ge=1, le=20)] = 5
    """Extracts of a month are due on this working day of the next."""
    cutoff_working_day: Annotated[int, Field(ge=1, le=23)] = 10
    """In a backfill, a month knows what had been received by this working day of the next."""
    history_months: Annotated[int, Field(ge=13, le=240)] = 48
    """How many months a run looks back: 24 of a council's own past, and as many again for their rolling sums."""
    max_file_mb: Annotated[int, Field(ge=1, le=4096)] = 200


class ScheduleSettings(_Section):
    """When the deployments run automatically, in London time. Empty text switches a schedule off."""

    monthly_working_day: Annotated[int, Field(ge=1, le=20)] = 11
    """The monthly run starts on this working day of the next month, after the last day for extracts."""
    monthly_at: time = time(7, 0)
    monthly_send: Send = Send.YES
    """What the scheduled run does with e-mails."""
    fixed_month: Annotated[str, Field(pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$")] = ""
    """Always run this month, for a demonstration whose data ends there. Empty: the last complete month."""
    watchdog: str = "0 8-17 * * 1-5"
    """Cron line of the watchdog, which checks whether the month was run and restarts dead runs."""
    reference_refresh: str = "0 6 * * 1"
    """Cron line of the refresh, which looks for new published files."""
    doctor: str = "0 5 * * 0"
    """Cron line of the doctor, which reads everything in the store and reports damage."""


class ClaimSettings(_Section):
    """How claims stop two runs from working on the same month; see `flows.store.claims`."""

    stale_minutes: Annotated[int, Field(ge=1, le=120)] = 2
    """A claim that was not renewed for this long, by the store's clock, belongs to a dead run."""
    wait_minutes: Annotated[int, Field(ge=0, le=1440)] = 15
    """How long a run waits for another run of the same month before it ends with a sentence. Longer than
    `stale_minutes`, so that the claim of a dead run lapses in the meantime."""
    heartbeat_seconds: Annotated[float, Field(gt=0, le=300)] = 20
    """How often a run renews its claim."""

    @model_validator(mode="after")
    def _renewed_in_time(self) -> ClaimSettings:
        if self.heartbeat_seconds * 3 > self.stale_minutes * 60:
            raise ValueError("heartbeat_seconds must fit three times into stale_minutes")
        return self


class WebhookForm(StrEnum):
    """The format of a webhook's messages. Mattermost and others accept Slack's."""

    TEAMS = "teams"
    SLACK = "slack"


class WatchdogSettings(_Section):
    """What the watchdog looks for; see `flows.orchestration.look`."""

    done_by_working_day: Annotated[int, Field(ge=1, le=23)] = 12
    """By this working day the last complete month must have been run to its end."""
    remind_after_days: Annotated[int, Field(ge=0, le=60)] = 2
    """After this many days, the data team is reminded once a day of a month that waits for approval."""
    late_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    """If a scheduled run has not started after this time, nothing is serving the deployments."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """How often a dead run's work is started, including the first time, before a person must look."""
    keep_seconds: Annotated[float, Field(gt=0, le=3600)] = 30
    """How often a serving process looks for dead runs and for mail that was not accepted."""
    webhook_url: SecretStr | None = None
    """Incoming webhook of Teams or Slack, to which notices are posted besides the mail to the data team."""
    webhook_form: WebhookForm = WebhookForm.TEAMS
    signal_url: SecretStr | None = None
    """Address that is called after each look that could report its findings; a service there notices missing calls."""


class RetentionSettings(_Section):
    """How long each kind of content is kept, in complete months. Only `holdfast retain` deletes anything."""

    record_months: Annotated[int, Field(ge=1, le=240)] = 24
    """Rows about one worker or child, and the files they came in."""
    alert_months: Annotated[int, Field(ge=13, le=600)] = 84
    """Alerts, messages, the ledger and approvals."""
    figure_months: Annotated[int, Field(ge=13, le=600)] = 120
    """Counts of councils, and the log of submissions. Not shorter than `ingest.history_months`."""


class SsdSettings(_Section):
    """The databases that `holdfast pull-ssd` reads Standard Safeguarding Dataset tables from; no run does."""

    url: SecretStr | None = None
    """SQLAlchemy URL of the database, for the only council or for all that are not in `urls`."""
    urls: dict[str, SecretStr] = {}
    """SQLAlchemy URLs by council code, for councils with a database each."""
    schema_name: str | None = None
    """The database schema of the tables, for example `ssd_development`."""


class Settings(BaseSettings):
    """All settings. Use `Settings.load` to read them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    environment: Environment = Environment.DEMO
    landing: str = "var/landing"
    """The place of councils' extracts: a folder, or `s3://bucket/prefix`. Never written to."""
    tries: str = ""
    """The place of files that are only checked, `<council>/<file>` in it. Empty: `try`, beside the landing."""
    store: str = "var/store"
    """The place of everything that Holdfast makes: a folder, or `s3://bucket/prefix`."""
    export_to: str = ""
    """A folder, or `s3://bucket/prefix`, to which the group's figures are exported after each month. Empty: not."""
    public_url: str = ""
    """Address at which people's browsers reach the store, if it is served to them. Makes a run's links clickable."""
    register_file: str = "register.csv"
    """The council register, as a name inside the landing store."""
    accepted_failures: str | None = None
    """TOML file of validation failures that were reviewed and accepted."""
    pseudonym_key: SecretStr | None = None
    """The key that hashes references on ingest, at least 32 characters. Change it only with `holdfast rotate-key`."""
    previous_pseudonym_key: SecretStr | None = None
    """The previous key. Only `holdfast rotate-key` reads it."""
    model: str = "shipped"
    """`shipped`, or the name of a model in the registry whose promoted version is used."""
    s3: S3Settings = S3Settings()
    mail: MailSettings = MailSettings()
    ingest: IngestSettings = IngestSettings()
    retention: RetentionSettings = RetentionSettings()
    ssd: SsdSettings = SsdSettings()
    alerts: AlertRules = AlertRules()
    reference: ReferenceSettings = ReferenceSettings()
    """The published files that `holdfast refresh` keeps up to date."""
    schedule: ScheduleSettings = ScheduleSettings()
    task_runner: TaskRunner = TaskRunner.THREADS
    """`threads` in the run's own process, or `dask` to run councils on an existing Dask cluster."""
    dask_address: str = ""
    """The cluster's scheduler: `tls://host:8786`, or `tcp://` inside a closed network."""
    claims: ClaimSettings = ClaimSettings()
    watchdog: WatchdogSettings = WatchdogSettings()

    @model_validator(mode="after")
    def _safe_combinations(self) -> Settings:
        if self.environment is Environment.PRODUCTION:
            if self.pseudonym_key is None:
                raise ValueError("pseudonym_key must be set in production")
            if self.mail.transport is not TransportChoice.OUTBOX and not self.mail.allowed_domains:
                raise ValueError("mail.allowed_domains must be set before mail is sent in production")
            if self.mail.transport is not TransportChoice.OUTBOX and not (
                self.mail.contact_name and self.mail.contact_telephone
            ):
                raise ValueError(
                    "mail.contact_name and mail.contact_telephone must name who answers directors before mail is sent "
                    "in production"
                )
        elif self.mail.transport is not TransportChoice.OUTBOX and not self.mail.redirect_to:
            raise ValueError("outside production mail.redirect_to must name the inbox that gets every message")
        if self.retention.figure_months < self.ingest.history_months:
            raise ValueError("retention.figure_months must not be shorter than ingest.history_months")
        if self.task_runner is TaskRunner.DASK:
            if "://" not in self.dask_address:
                raise ValueError("dask_address must name the cluster's scheduler, for example tcp://scheduler:8786")
            if find_spec("prefect_dask") is None:
                raise ValueError("task_runner = dask needs the package prefect-dask: install holdfast[dask]")
        return self

    @model_validator(mode="after")
    def _transport_can_be_reached(self) -> Settings:
        """What each mail transport needs."""
        if self.mail.transport is TransportChoice.SMTP and not self.mail.host:
            raise ValueError("mail.host must be set for SMTP")
        app = self.mail.microsoft
        if app.tenant and not (app.client_id and app.client_secret and self.mail.user):
            raise ValueError("mail.microsoft.tenant needs mail.microsoft.client_id, client_secret and mail.user")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, _HandWritten(settings_cls, toml_file=settings_file()))

    @classmethod
    def load(cls, **given: Any) -> Settings:
        """Settings from `given`, the environment and the TOML file, in that order of precedence.

        Raises SettingsError, which names the keys and what is wrong with them, never their values.
        """
        _refuse_unknown_environment()
        try:
            return cls(**given)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(str(p) for p in e['loc']) or 'settings'}: {e['msg'].removeprefix('Value error, ')}"
                for e in error.errors(include_input=False, include_url=False)
            )
            raise SettingsError(
                f"The settings cannot be used: {problems}. Look at {PREFIX}* and holdfast.toml."
            ) from None
        except (NotReadable, RecursionError):
            raise SettingsError(_sections_as_text()) from None

    def digest(self) -> str:
        """Twelve hex digits of a hash of settings that affect results: rules, ingest, model. No secrets or paths."""
        shaping = self.model_dump(mode="json", include={"alerts", "ingest", "model"})
        return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:12]


class _HandWritten(TomlConfigSettingsSource):
    """Reads the settings file in any encoding that an editor may have used."""

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        return read_toml(Path(str(file_path)))


def settings_file() -> Path | None:
    """The settings file; None if there is none. A file that was named must exist, as nobody would notice defaults."""
    named = os.environ.get(f"{PREFIX}CONFIG")
    if named == "":
        return None
    file = Path(named or "holdfast.toml")
    # A missing home folder, or a folder without access, counts as having no file.
    with suppress(OSError, RuntimeError):
        file = file.expanduser()
        if file.is_file():
            return file
        if named is None and not (file.exists() or file.is_symlink()):
            return None
    if named is None:
        raise SettingsError(f"{file} is the settings file by its name, and it is no file. Put a TOML file there.")
    raise SettingsError(
        f"{PREFIX}CONFIG names {file}, and there is no such file. Correct the path, or leave {PREFIX}CONFIG empty if "
        "there is no settings file."
    )


def _sections_as_text() -> str:
    """What to say if a whole section is given as one text in the environment: `HOLDFAST_MAIL=text`."""
    sections = [name for name, field in Settings.model_fields.items() if _is_section(field.annotation)]
    given = [f"{PREFIX}{name.upper()}" for name in sections if f"{PREFIX}{name.upper()}" in os.environ]
    if not given:
        return f"A setting in the environment cannot be read. Look at {PREFIX}*: lists and tables are written as JSON."
    return (
        f"{' and '.join(given)} cannot be read: a section of settings is no single text. Give its parts, such as "
        f"{given[0]}__… , or put the section into the settings file."
    )


def _is_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _refuse_unknown_environment() -> None:
    known = {f"{PREFIX}CONFIG", f"{PREFIX}SHARED"} | {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(
        key for key in os.environ if key.startswith(PREFIX) and key not in known and key.split("__")[0] not in known
    )
    if unknown:
        raise SettingsError(
            f"Unknown settings in the environment: {', '.join(unknown)}. "
            f"The known ones are {', '.join(sorted(known))} and their parts after “__”."
        )
