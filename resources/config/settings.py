"""Read the configuration from environment variables (prefix ``DOUYIN_``) and ``.env``."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from catalog.records import AppType
from resources.config.clock import Clock
from resources.config.settings_parts import MOST_DAYS, MOST_PER_DAY, MOST_QPS, MOST_REQUESTS, App, Keep, ScopeLimit

if TYPE_CHECKING:  # importing takes a quarter of a second, which commands without the state do not need
    from sqlalchemy.engine import URL

LIVE_URL = "https://open.douyin.com"

PREFIX = "DOUYIN_"
NOT_SETTINGS = frozenset({"DOUYIN_DEBUG", "DOUYIN_DASHBOARD_TOKEN"})
"""Variables with the prefix that single commands read; they are not settings."""

FIRST_YEAR, LAST_YEAR = 2016, 2100
"""Accepted years: the platform exists since the first; later ones than the last are typing errors."""


class _FromEnvironment(EnvSettingsSource):
    """Settings source of the environment, including unknown ``DOUYIN_`` names, which the model rejects."""

    def __call__(self) -> dict[str, Any]:
        return super().__call__() | _unknown_names(self.env_vars)


class _FromDotEnv(DotEnvSettingsSource):
    """Settings source of ``.env``, which may also contain variables of other programs."""

    def __call__(self) -> dict[str, Any]:
        return {
            name: value for name, value in super().__call__().items() if name in Settings.model_fields
        } | _unknown_names(self.env_vars)


def _unknown_names(variables: Any) -> dict[str, Any]:
    known = {f"{PREFIX}{name}".lower() for name in Settings.model_fields} | {name.lower() for name in NOT_SETTINGS}
    return {name: value for name, value in variables.items() if name.startswith(PREFIX.lower()) and name not in known}


class Settings(BaseSettings):
    """All settings. The descriptions are those of docs/configuration.md, in Chinese apps/docs/settings_words.py."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="forbid", hide_input_in_errors=True)

    client_key: str | None = Field(None, description="key of the app, from the console")
    client_secret: SecretStr | None = Field(None, description="secret of the app, from the console")
    client_secret_old: SecretStr | None = Field(
        None, description="the former secret, while webhooks signed with it still come"
    )
    redirect_uri: str | None = Field(
        None, description="callback address registered in the console; `douyin authorize` needs it"
    )
    app_type: AppType = Field(
        AppType.WEB,
        description="type of the app (`business` is a mini-app with business consent 经营授权): "
        "the paths through which data comes",
    )
    apps: list[App] = Field(
        default_factory=list,
        description='further apps: `[{"client_key": "…", "client_secret": "…", "type": "mini_app"}]`; '
        "`client_secret_old` and `redirect_uri` as well",
    )
    token_key: SecretStr | None = Field(
        None,
        description="seals tokens at rest; `douyin accounts new-key` makes one; several, the newest first, "
        "separated by commas",
    )

    home: Path = Field(
        Path("data"),
        description="folder of archive, lake, warehouse, state and Dagster; relative to the working directory",
    )
    base_url: str = Field(LIVE_URL, description="address of the platform, or of a sandbox")
    state_url: str | None = Field(
        None, description="SQLAlchemy URL of the state database; default: SQLite in `DOUYIN_HOME`"
    )
    start_date: date = Field(date(2025, 1, 1), description="first day of the partitions")

    qps: float = Field(
        5.0,
        gt=0,
        le=MOST_QPS,
        allow_inf_nan=False,
        description="requests a second per scope, unless `DOUYIN_LIMITS` says otherwise",
    )
    per_day: int | None = Field(
        None, gt=0, le=MOST_PER_DAY, description="requests a Beijing day per scope, likewise; default: no limit"
    )
    limits: dict[str, ScopeLimit] = Field(
        default_factory=dict, description='limits of single scopes: `{"hotsearch": {"qps": 10, "per_day": 50000}}`'
    )
    concurrency: int = Field(16, gt=0, le=MOST_REQUESTS, description="requests in flight")
    per_account: int = Field(1, gt=0, le=MOST_REQUESTS, description="requests in flight per account")
    timeout_s: float = Field(20.0, gt=0, le=3600, allow_inf_nan=False, description="longest wait for one response")
    answer_bytes: int = Field(64 << 20, gt=0, le=1 << 32, description="read at most this much of a response")
    retry_base_s: float = Field(
        1.0, ge=0, le=60, allow_inf_nan=False, description="first wait before a call is tried again; doubles up to 60 s"
    )
    proxy: str | None = Field(None, description="proxy for all requests; default: `HTTPS_PROXY` and the like")

    comment_reread_days: int = Field(
        7, ge=0, le=MOST_DAYS, description="comments of videos not older than this are read to the end every day"
    )
    keep_archive_days: int | None = Field(
        None, gt=0, le=MOST_DAYS, description="how long the archive keeps responses; default: for ever"
    )
    keep_lake_days: int | None = Field(
        None, gt=0, le=MOST_DAYS, description="how long the lake keeps partitions; default: for ever"
    )
    keep: dict[str, Keep] = Field(
        default_factory=dict,
        description='the same for single tables: `{"comments": {"archive_days": 90, "lake_days": 365}}`',
    )
    flush_s: float = Field(
        1.0, gt=0, le=3600, allow_inf_nan=False, description="longest time that a response waits before it is on disk"
    )
    webhook_body_bytes: int = Field(1 << 20, gt=0, le=1 << 30, description="a larger webhook body is refused")
    webhook_connections: int = Field(
        2048, gt=0, le=1_000_000, description="connections that the webhook receiver keeps open at most"
    )

    project: Path | None = Field(
        None,
        description="folder of your own `sql/marts`, `sql/audiences`, `campaigns` and `alerts.yaml`, as `douyin init` "
        "lays it down: its files add to the shipped ones, or take the place of those of the same name",
    )
    campaigns_dir: Path | None = Field(
        None, description="folder of campaigns, tags and reply rules, instead of the shipped ones and the project's"
    )
    audiences_dir: Path | None = Field(
        None, description="folder of audiences, instead of the shipped ones and the project's"
    )
    needs_dir: Path | None = Field(
        None, description="folder of the rules and words that classify comments; default: the shipped `needs/`"
    )
    alerts_file: Path | None = Field(
        None,
        description="which problems are sent where (begin with `alerts.example.yaml`); default: `alerts.yaml` of the "
        "project or of a checkout, if it exists",
    )
    clock: str = Field(
        "system", description="`system`, or an instant such as `2026-11-16T10:30:00+08:00`, against a sandbox"
    )
    dagster_stock: list[Literal["storage", "jobs"]] = Field(
        [], description="parts of Dagster to use as they come: `storage`, `jobs`; [what is lost](dagster.md)"
    )

    @model_validator(mode="after")
    def _apps_differ(self) -> Settings:
        keys = [app.client_key for app in self.all_apps]
        if twice := {k for k in keys if keys.count(k) > 1}:
            raise ValueError(f"DOUYIN_APPS names an app twice: {', '.join(sorted(twice))}")
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
        """Order the sources: arguments, then the environment, then ``.env``; nothing else is read."""
        given = cast(DotEnvSettingsSource, dotenv_settings)  # pydantic declares the base class
        return (
            init_settings,
            _FromEnvironment(settings_cls),
            _FromDotEnv(settings_cls, env_file=given.env_file),
        )

    @field_validator("limits")
    @classmethod
    def _known_scopes(cls, value: dict[str, ScopeLimit]) -> dict[str, ScopeLimit]:
        if value:
            from catalog import OPERATIONS, SOURCES
            from catalog.records import quota_class

            _check_names("scope", value, {quota_class(r.scope) for r in (*SOURCES.values(), *OPERATIONS.values())})
        return value

    @field_validator("keep")
    @classmethod
    def _known_tables(cls, value: dict[str, Keep]) -> dict[str, Keep]:
        if value:
            from catalog import TABLES

            _check_names("table", value, TABLES)
        return value

    @field_validator("start_date")
    @classmethod
    def _sensible(cls, value: date) -> date:
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise ValueError(f"write a day between {FIRST_YEAR} and {LAST_YEAR}, such as 2025-01-01")
        return value

    @field_validator("home", "project", mode="before")
    @classmethod
    def _one_path(cls, value: Any) -> Any:
        text = str(value)
        if not text.strip() or any(ord(c) < 32 or ord(c) == 127 for c in text):
            raise ValueError("write the path of a folder, without control characters, or leave the setting out")
        return value

    @field_validator("home", "project")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().resolve()

    @field_validator("project")
    @classmethod
    def _exists(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError(f"there is no folder {value}: `douyin init` makes one")
        return value

    @field_validator("base_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("DOUYIN_BASE_URL must begin with http:// or https://")
        parts = urlsplit(value)  # raises ValueError for an open bracket; `port` below for an invalid port
        if not parts.hostname or parts.port == 0 or parts.query or parts.fragment or not re.fullmatch(r"[!-~]+", value):
            raise ValueError(
                f"DOUYIN_BASE_URL must be an address such as {LIVE_URL}, with a host and without spaces, "
                "query or fragment"
            )
        return value.rstrip("/")

    @field_validator("clock")
    @classmethod
    def _readable(cls, value: str) -> str:
        clock = Clock.parse(value)
        if value != "system" and not FIRST_YEAR <= clock.now().year <= LAST_YEAR:
            raise ValueError(f"write an instant between {FIRST_YEAR} and {LAST_YEAR}")
        return value

    def get_clock(self) -> Clock:
        """Return the configured clock."""
        return Clock.parse(self.clock)

    def limit(self, scope: str) -> ScopeLimit:
        """Return the limit of ``scope``, completed with the defaults."""
        own = self.limits.get(scope, ScopeLimit())
        return ScopeLimit(qps=own.qps or self.qps, per_day=own.per_day or self.per_day)

    def keep_for(self, table: str) -> Keep:
        """Return the retention of a table, completed with the defaults."""
        own = self.keep.get(table, Keep())
        return Keep(
            archive_days=own.archive_days or self.keep_archive_days, lake_days=own.lake_days or self.keep_lake_days
        )

    @property
    def all_apps(self) -> tuple[App, ...]:
        """All apps of the installation, beginning with the one of ``DOUYIN_CLIENT_KEY``."""
        first: tuple[App, ...] = ()
        if self.client_key and self.client_secret:
            first = (
                App(
                    client_key=self.client_key,
                    client_secret=self.client_secret,
                    client_secret_old=self.client_secret_old,
                    type=self.app_type,
                    redirect_uri=self.redirect_uri,
                ),
            )
        return (*first, *self.apps)

    def for_app(self, client_key: str) -> Settings:
        """Return these settings for calls of the given app.

        Raises:
            LookupError: the installation has no such app.
        """
        app = next((a for a in self.all_apps if a.client_key == client_key), None)
        if app is None:
            raise LookupError(f"{client_key!r} is no app of this installation")
        return self.model_copy(
            update={
                "client_key": app.client_key,
                "client_secret": app.client_secret,
                "redirect_uri": app.redirect_uri,
                "app_type": app.type,
                "apps": [],
            }
        )

    @property
    def has_credentials(self) -> bool:
        """Whether an app with key and secret is configured."""
        return bool(self.all_apps)

    @property
    def archive_dir(self) -> Path:
        """Folder of the archive."""
        return self.home / "archive"

    @property
    def lake_dir(self) -> Path:
        """Folder of the lake."""
        return self.home / "lake"

    @property
    def warehouse_path(self) -> Path:
        """Path of the published DuckDB file."""
        return self.home / "warehouse.duckdb"

    @property
    def locks_dir(self) -> Path:
        """Folder of the lock files."""
        return self.home / "locks"

    @property
    def mart_cache_path(self) -> Path:
        """Path of the cache of compiled marts, which can be deleted at any time."""
        return self.home / "cache" / "marts.json"

    @property
    def database_url(self) -> str | URL:
        """Address of the state database; not text for SQLite, whose path may contain special characters of URLs."""
        from sqlalchemy.engine import URL

        return self.state_url or URL.create("sqlite", database=str(self.home / "state.db"))


class BadSettings(ValueError):
    """An unusable configuration; the message names every wrong setting, and never its value."""


def read_settings() -> Settings:
    """Read the settings from the environment and ``.env``.

    Raises:
        BadSettings: a setting is invalid or unknown.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings(
            "the configuration is not usable:\n  "
            + "\n  ".join(_said_of(e["type"], e["loc"], e["msg"]) for e in error.errors())
        ) from error
    except SettingsError as error:  # a value is not JSON as required; the text names the setting
        named = re.search(r'field "(\w+)"', str(error))
        raise BadSettings(
            "the configuration is not usable:\n  "
            f"{f'{PREFIX}{named[1].upper()}: {error.__cause__}' if named else error}"
        ) from error


_PARTS: dict[str, type[BaseModel]] = {"limits": ScopeLimit, "keep": Keep, "apps": App}


def _said_of(kind: str, place: tuple[int | str, ...], said: str) -> str:
    first, rest = str(place[0]) if place else "apps", place[1:]
    if kind != "extra_forbidden":
        return f"{PREFIX}{first.upper()}: {''.join(f'{p}: ' for p in rest)}{said.removeprefix('Value error, ')}"
    if not rest:
        return (
            f"{first.upper()}: there is no such "
            f"setting{_meant(first.upper(), [f'{PREFIX}{n.upper()}' for n in Settings.model_fields])}"
        )
    *inside, name = rest
    return (
        f"{PREFIX}{first.upper()}: {''.join(f'{p}: ' for p in inside)}there is no "
        f"{name!r}{_meant(str(name), list(_PARTS[first].model_fields))}"
    )


def _check_names(what: str, given: Any, known: Any) -> None:
    if wrong := [name for name in given if name not in known]:
        raise ValueError("; ".join(f"{name!r} is no {what}{_meant(name, sorted(known))}" for name in wrong))


def _meant(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1) or [k for k in known if name and (k.startswith(name) or name in k)][:1]
    return f": did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
