"""Configuration from environment variables (prefix ``DOUYIN_``) and ``.env``."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from catalog.records import AppType
from resources.clock import Clock

LIVE_URL = "https://open.douyin.com"


class ScopeLimit(BaseModel):
    """Limits of one scope of one app; the platform shows them in its console only."""

    qps: float | None = Field(None, gt=0, description="requests a second")
    per_day: int | None = Field(None, gt=0, description="requests a Beijing day")


class App(BaseModel):
    """One app of the installation."""

    client_key: str
    client_secret: SecretStr
    client_secret_old: SecretStr | None = None
    type: AppType = AppType.WEB
    redirect_uri: str | None = None


class Keep(BaseModel):
    """How long a table is kept, in days; None is for ever."""

    archive_days: int | None = Field(None, gt=0)
    lake_days: int | None = Field(None, gt=0)


class Settings(BaseSettings):
    """All settings; see ``.env.example`` for what each is for."""

    model_config = SettingsConfigDict(env_prefix="DOUYIN_", env_file=".env", extra="ignore")

    home: Path = Path("data")
    base_url: str = LIVE_URL
    client_key: str | None = None
    client_secret: SecretStr | None = None
    client_secret_old: SecretStr | None = Field(None, description="the former secret, while webhooks signed with it still come")
    redirect_uri: str | None = None
    app_type: AppType = AppType.WEB
    apps: list[App] = Field(default_factory=list, description="further apps, as JSON")
    state_url: str | None = None
    token_key: SecretStr | None = Field(None, description="key or keys (comma separated) that tokens are sealed with")
    clock: str = "system"
    start_date: date = date(2025, 1, 1)

    qps: float = Field(5.0, gt=0, description="requests a second per scope, unless DOUYIN_LIMITS says otherwise")
    per_day: int | None = Field(None, gt=0, description="requests a day per scope, unless DOUYIN_LIMITS says otherwise")
    limits: dict[str, ScopeLimit] = Field(default_factory=dict, description="per scope, as JSON")
    concurrency: int = Field(16, gt=0, description="requests in flight")
    per_account: int = Field(1, gt=0, description="requests in flight per account")
    timeout_s: float = Field(20.0, gt=0, description="longest wait for one response")
    answer_bytes: int = Field(64 << 20, gt=0, description="of a larger answer, decompressed, no more is read")
    retry_base_s: float = Field(1.0, ge=0, description="first back-off; doubles up to 60 s")
    proxy: str | None = None

    webhook_connections: int = Field(2048, gt=0, description="connections that the webhook receiver holds open at most")
    webhook_body_bytes: int = Field(1 << 20, gt=0, description="a larger webhook body is refused")
    campaigns_dir: Path | None = Field(None, description="folder of campaigns, tags and answering rules; default: campaigns/ of the repository")
    audiences_dir: Path | None = Field(None, description="folder of audiences; default: sql/audiences/ of the repository")
    alerts_file: Path | None = Field(None, description="who is told what; default: alerts.yaml of the repository, if it exists")
    needs_dir: Path | None = Field(None, description="folder of the rules and words that comments are read by; default: needs/ of the repository")
    comment_reread_days: int = Field(7, ge=0, description="comments of videos so young are read to the end every day")
    keep_archive_days: int | None = Field(None, gt=0, description="so long the archive keeps answers; default: for ever")
    keep_lake_days: int | None = Field(None, gt=0, description="so long the lake keeps partitions; default: for ever")
    keep: dict[str, Keep] = Field(default_factory=dict, description="per table, as JSON")
    flush_s: float = Field(1.0, gt=0, description="longest time that an answer waits before it is on disk")

    @model_validator(mode="after")
    def _apps_differ(self) -> Settings:
        keys = [app.client_key for app in self.all_apps]
        if twice := {k for k in keys if keys.count(k) > 1}:
            raise ValueError(f"DOUYIN_APPS names an app twice: {', '.join(sorted(twice))}")
        return self

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("base_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("DOUYIN_BASE_URL must begin with http:// or https://")
        parts = urlsplit(value)  # raises ValueError for a bracket left open, and for a port that is none below
        if not parts.hostname or parts.port == 0 or parts.query or parts.fragment or not re.fullmatch(r"[!-~]+", value):
            raise ValueError(f"DOUYIN_BASE_URL must be an address such as {LIVE_URL}, with a host and without spaces, query or fragment")
        return value.rstrip("/")

    @field_validator("clock")
    @classmethod
    def _readable(cls, value: str) -> str:
        Clock.parse(value)
        return value

    def get_clock(self) -> Clock:
        return Clock.parse(self.clock)

    def limit(self, scope: str) -> ScopeLimit:
        """The limit of ``scope``, with the defaults filled in."""
        own = self.limits.get(scope, ScopeLimit())
        return ScopeLimit(qps=own.qps or self.qps, per_day=own.per_day or self.per_day)

    def keep_for(self, table: str) -> Keep:
        """How long a table is kept, with the defaults filled in."""
        own = self.keep.get(table, Keep())
        return Keep(archive_days=own.archive_days or self.keep_archive_days, lake_days=own.lake_days or self.keep_lake_days)

    @property
    def all_apps(self) -> tuple[App, ...]:
        """Every app of the installation, the first one first."""
        first = ()
        if self.client_key and self.client_secret:
            first = (
                App(
                    client_key=self.client_key, client_secret=self.client_secret, client_secret_old=self.client_secret_old, type=self.app_type,
                    redirect_uri=self.redirect_uri,
                ),
            )  # fmt: skip
        return (*first, *self.apps)

    def for_app(self, client_key: str) -> Settings:
        """The same settings with this app as the one that asks."""
        app = next((a for a in self.all_apps if a.client_key == client_key), None)
        if app is None:
            raise LookupError(f"{client_key!r} is no app of this installation")
        return self.model_copy(
            update={
                "client_key": app.client_key, "client_secret": app.client_secret, "redirect_uri": app.redirect_uri, "app_type": app.type, "apps": [],
            }
        )  # fmt: skip

    @property
    def has_credentials(self) -> bool:
        return bool(self.all_apps)

    @property
    def archive_dir(self) -> Path:
        return self.home / "archive"

    @property
    def lake_dir(self) -> Path:
        return self.home / "lake"

    @property
    def warehouse_path(self) -> Path:
        return self.home / "warehouse.duckdb"

    @property
    def locks_dir(self) -> Path:
        return self.home / "locks"

    @property
    def marts_known_path(self) -> Path:
        """What is known of the marts' SQL; anybody may delete it."""
        return self.home / "cache" / "marts.json"

    @property
    def database_url(self) -> str:
        return self.state_url or f"sqlite:///{self.home / 'state.db'}"
