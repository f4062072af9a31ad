"""Parts of settings that are objects: further apps, limits of scopes, retention of tables."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from catalog.records import AppType

MOST_QPS, MOST_PER_DAY, MOST_REQUESTS, MOST_DAYS = 100_000, 10**12, 10_000, 36_500
"""Largest accepted values; larger ones are typing errors."""


class _SettingsModel(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ScopeLimit(_SettingsModel):
    """Limits of one scope of one app, which the platform shows only in its console."""

    qps: float | None = Field(None, gt=0, le=MOST_QPS, allow_inf_nan=False, description="requests a second")
    per_day: int | None = Field(None, gt=0, le=MOST_PER_DAY, description="requests a Beijing day")


class App(_SettingsModel):
    """One app of the installation."""

    client_key: str
    client_secret: SecretStr
    client_secret_old: SecretStr | None = None
    type: AppType = AppType.WEB
    redirect_uri: str | None = None


class Keep(_SettingsModel):
    """Retention of a table in days; None: for ever."""

    archive_days: int | None = Field(None, gt=0, le=MOST_DAYS)
    lake_days: int | None = Field(None, gt=0, le=MOST_DAYS)
