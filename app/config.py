"""What the environment says, typed and read once; beside it only `cli`, `ready` and the supervisor look."""

import re
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.mail_address import MAIL_ADDRESS

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
TRUE = {"1", "true", "yes", "y", "on"}
FALSE = {"0", "false", "no", "n", "off"}
QUEUE = re.compile(r"unix://.+|rediss?://([^/@]*@)?(\[[^]/]+]|[^]/@:[]+)(:\d{1,5})?([/?].*)?")

# what pydantic says of these, in words for somebody who has never met it
PLAIN = {
    "int_parsing": "must be a whole number",
    "string_pattern_mismatch": "must be a host's name, such as imap.example.org",
    "string_too_short": "is too short: 16 characters are the least",
}


class ConfigError(Exception):
    """A variable is missing or malformed; the text has one line for each."""


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)


def env_bool(value: str, *, default: bool) -> bool:
    """Read a switch as the predecessor did, but refuse what is neither yes nor no.

    Raises:
        ValueError: the text is not one of the known words.
    """
    word = value.strip().lower()
    if not word:
        return default
    if word in TRUE | FALSE:
        return word in TRUE
    _refuse(f"must be one of {', '.join(sorted(TRUE | FALSE))}")


def _switch(value: object) -> object:
    return env_bool(value, default=False) if isinstance(value, str) else value


def _words(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


Switch = Annotated[bool, BeforeValidator(_switch)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


class Environment(BaseSettings):
    """Reads variables by their upper-case names; an empty one counts as absent."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    @classmethod
    def load(cls, **overrides: Any) -> Self:  # noqa: ANN401 - its own fields
        """Read the environment; `overrides` (from the command line) win.

        Raises:
            ConfigError: one line for each variable that is missing or malformed.
        """
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})
        except ValidationError as error:
            raise ConfigError("\n".join(_lines(error))) from None


def _lines(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        name = str(problem["loc"][0]).upper() if problem["loc"] else ""
        text = PLAIN.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
        yield f"{name}: {text}" if name else text


class Config(Environment):
    """Secrets and infrastructure, fixed for the life of the process."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    data_dir: Path = Path("data")
    base_url: str = ""
    database_url: str = ""
    redis_url: str = ""
    app_secret_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("app_secret_key", "flask_secret_key"), min_length=16
    )
    min_free_mb: int = Field(64, ge=0)
    allow_insecure_tls: Switch = False
    allow_private_targets: str = ""
    smtp_host: str = Field("", pattern=r"^[\w.:-]*$")
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_from: str = ""
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    testing: Switch = False
    crash_at: str = ""
    signal_restarts: int = 0  # set by the supervisor for its children
    signal_last_exit: str = ""

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
            _refuse("must be an address such as https://signal.example.org")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://", "sqlite:///")):
            _refuse("must start with postgresql:// or sqlite:///")
        return value

    @field_validator("redis_url")
    @classmethod
    def _queue(cls, value: str) -> str:
        if value and (not QUEUE.fullmatch(value) or urlsplit(value).port == 0):
            _refuse("must be an address such as redis://127.0.0.1:6379/0")
        return value

    @field_validator("smtp_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if value and not MAIL_ADDRESS.fullmatch(value):
            _refuse("must be an address and nothing else, such as signal@example.org")
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.crash_at and not self.testing:
            _refuse("CRASH_AT: is refused unless TESTING=1")
        if self.production and self.app_secret_key is None:
            _refuse("APP_SECRET_KEY: is required when BASE_URL is https")
        self._check_mail()
        return self

    def _check_mail(self) -> None:
        password = self.smtp_password.get_secret_value()
        _require_all("SMTP_HOST, SMTP_FROM", (self.smtp_host, self.smtp_from))
        _require_all("SMTP_USERNAME, SMTP_PASSWORD", (self.smtp_username, password))
        if password and self.smtp_tls == "none" and self.smtp_host not in LOOPBACK:
            _refuse("SMTP_TLS: none would send the password in the clear, which is for this machine only")

    @property
    def production(self) -> bool:
        """Whether strangers can reach us: cookies are Secure and secrets must be given."""
        return self.base_url.startswith("https://")

    @property
    def loopback(self) -> bool:
        return self.host in LOOPBACK

    @property
    def url(self) -> str:
        """The address under which a reader's browser finds us, without a closing slash."""
        host = self.host if self.host not in {"0.0.0.0", "::"} else socket.gethostname()  # noqa: S104 - a comparison
        return self.base_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def own_ports(self) -> frozenset[int]:
        """The ports of this machine at which we listen, or our queue: nothing is posted there."""
        queue = urlsplit(self.redis_url)
        return frozenset({self.port, queue.port or 6379 if queue.hostname in LOOPBACK else self.port})

    @property
    def database(self) -> str:
        """The database's address for SQLAlchemy's asynchronous drivers."""
        if not self.database_url:
            return f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'signal.db'}"
        scheme, _, rest = self.database_url.partition("://")
        return f"sqlite+aiosqlite://{rest}" if scheme == "sqlite" else f"postgresql+psycopg://{rest}"

    def secret_key(self) -> str:
        """The key that encrypts secrets at rest; made in the data directory when none is given."""
        if self.app_secret_key is not None:
            return self.app_secret_key.get_secret_value()
        return _kept_secret(self.data_dir / "secret.key")


def _kept_secret(path: Path) -> str:
    try:
        return _made_once(path)
    except OSError as error:
        message = f"DATA_DIR: {path.parent} cannot be written: {error.strerror}"
        raise ConfigError(message) from None


def _made_once(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32))
        try:
            path.hardlink_to(draft)  # the first of two processes wins; the other reads its key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


class FirstRun(Environment):
    """The predecessor's variables, read once, into an empty database."""

    email_address: str = ""
    email_password: SecretStr = SecretStr("")
    imap_server: str = Field("", pattern=r"^[\w.:-]*$")
    imap_port: int = Field(993, ge=1, le=65535)
    imap_use_ssl: Switch = True
    webhook_url: str = ""
    webhook_ssl_verify: Switch = True
    webhook_sending_enabled: Switch = True
    sender_of_interest_for_polling: Words = ()
    polling_timezone: str = "Europe/Paris"
    polling_active_start_hour: int = Field(0, ge=0, le=24)
    polling_active_end_hour: int = Field(24, ge=0, le=24)
    polling_active_days: Words = ("0", "1", "2", "3", "4", "5", "6")
    email_polling_interval_seconds: int = Field(30, ge=1)
    webhooks_time_start: str = Field(
        "", validation_alias=AliasChoices("webhooks_time_start", "webhook_time_start")
    )
    webhooks_time_end: str = Field("", validation_alias=AliasChoices("webhooks_time_end", "webhook_time_end"))
    enable_subject_group_dedup: Switch = True
    dashboard_user: str = Field("", validation_alias=AliasChoices("dashboard_user", "trigger_page_user"))
    dashboard_password: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("dashboard_password", "trigger_page_password")
    )

    @field_validator("polling_timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = f"{value!r} is not a time zone such as Europe/Paris"
            raise ValueError(message) from None
        return value

    @field_validator("polling_active_days")
    @classmethod
    def _days(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or any(day not in "0123456" or len(day) != 1 for day in value):
            _refuse("must be a comma list of days, 0 (Monday) to 6 (Sunday)")
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        _require_all("EMAIL_ADDRESS, EMAIL_PASSWORD, IMAP_SERVER", self._mailbox())
        _require_all(
            "WEBHOOKS_TIME_START, WEBHOOKS_TIME_END", (self.webhooks_time_start, self.webhooks_time_end)
        )
        if self.polling_active_start_hour == self.polling_active_end_hour:
            _refuse("POLLING_ACTIVE_START_HOUR, POLLING_ACTIVE_END_HOUR: must differ (0 and 24 mean always)")
        return self

    def _mailbox(self) -> tuple[str, str, str]:
        return self.email_address, self.email_password.get_secret_value(), self.imap_server

    @property
    def has_mailbox(self) -> bool:
        return bool(self.imap_server)


def _require_all(names: str, values: tuple[Any, ...]) -> None:
    if any(values) and not all(values):
        missing = [name for name, value in zip(names.split(", "), values, strict=True) if not value]
        _refuse(f"{', '.join(missing)}: missing while others of {names} are set")
