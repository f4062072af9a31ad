"""Configuration from environment variables (prefix ``DOUYIN_``) and ``.env``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from resources.clock import Clock

LIVE_URL = "https://open.douyin.com"


class ScopeLimit(BaseModel):
    """Limits of one scope of one app; the platform shows them in its console only."""

    qps: float | None = Field(None, gt=0, description="requests a second")
    per_day: int | None = Field(None, gt=0, description="requests a Beijing day")


class Settings(BaseSettings):
    """All settings; see ``.env.example`` for what each is for."""

    model_config = SettingsConfigDict(env_prefix="DOUYIN_", env_file=".env", extra="ignore")

    home: Path = Path("data")
    base_url: str = LIVE_URL
    client_key: str | None = None
    client_secret: SecretStr | None = None
    redirect_uri: str | None = None
    state_url: str | None = None
    clock: str = "system"
    start_date: date = date(2025, 1, 1)

    qps: float = Field(5.0, gt=0, description="requests a second per scope, unless DOUYIN_LIMITS says otherwise")
    per_day: int | None = Field(None, gt=0, description="requests a day per scope, unless DOUYIN_LIMITS says otherwise")
    limits: dict[str, ScopeLimit] = Field(default_factory=dict, description="per scope, as JSON")
    concurrency: int = Field(16, gt=0, description="requests in flight")
    per_account: int = Field(1, gt=0, description="requests in flight per account")
    timeout_s: float = Field(20.0, gt=0, description="longest wait for one response")
    retry_base_s: float = Field(1.0, ge=0, description="first back-off; doubles up to 60 s")
    proxy: str | None = None

    flush_s: float = Field(1.0, gt=0, description="longest time that an answer waits before it is on disk")

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("base_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("DOUYIN_BASE_URL must begin with http:// or https://")
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

    @property
    def has_credentials(self) -> bool:
        return bool(self.client_key and self.client_secret)

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
    def database_url(self) -> str:
        return self.state_url or f"sqlite:///{self.home / 'state.db'}"
