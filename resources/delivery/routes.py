"""Read ``alerts.yaml`` strictly: channels, routes and thresholds of alerts (告警路由)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import DotEnvSettingsSource

from catalog import TABLES
from catalog.alert_kinds import ABOUT, AlertKind, Severity
from catalog.cadences import CADENCES
from catalog.records import BEIJING
from resources.config.project import SHIPPED
from resources.config.settings import Settings
from resources.config.strict_yaml import BadFile, QuietPeriod, Span, StrictModel, read_yaml

DEFAULT_FILE = "alerts.yaml"


class BadAlerts(BadFile):
    """An unusable alerts file; the message names the entry and what to do, never an address."""


class Channel(StrictModel):
    """A channel that receives alerts.

    ``url`` is an address of apprise, or ``env:NAME``, the variable of the environment or ``.env`` that contains it.
    """

    url: SecretStr
    per_minute: int = Field(
        10, gt=0, le=20, description="most messages a minute; the robots of 钉钉 and 企业微信 take 20"
    )

    @field_validator("url")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|[a-z][a-z0-9+.-]*://\S+", text):
            raise ValueError(
                "write env:NAME, or an address such as feishu://TOKEN, dingtalk://SECRET@TOKEN, "
                "wecombot://KEY or jsons://host/path"
            )
        return value


class Route(StrictModel):
    """A rule that sends alerts matching all three lists to all of ``channels``; an omitted list matches everything.

    ``tags`` match alerts about accounts with at least one of them.
    """

    channels: list[str] = Field(min_length=1)
    kinds: list[AlertKind] | None = None
    tags: list[str] | None = None
    severities: list[Severity] | None = None

    def takes(self, kind: AlertKind, severity: Severity, tags: Iterable[str]) -> bool:
        """Return whether an alert matches this route."""
        return (
            (self.kinds is None or kind in self.kinds)
            and (self.severities is None or severity in self.severities)
            and (self.tags is None or not set(self.tags).isdisjoint(tags))
        )


class QuietHours(QuietPeriod):
    """Hours in which nothing is sent; a digest follows afterwards. Critical alerts may be exempt."""

    critical_passes: bool = True

    @model_validator(mode="after")
    def _some(self) -> QuietHours:
        if self.from_ == self.until:
            raise ValueError("from and until are the same: leave `quiet` out, or write two times")
        return self

    def holds(self, now: datetime) -> bool:
        """Return whether an instant is within the hours, including ``from`` and excluding ``until``."""
        at: time = now.astimezone(BEIJING).time()
        if self.from_ < self.until:
            return self.from_ <= at < self.until
        return at >= self.from_ or at < self.until


_FRESH_HOURS = {
    "hourly": 3,
    "events": 3,
    "twice_daily": 26,
    "daily_snapshot": 27,
    "daily_t1": 27,
    "daily_listing": 27,
    "rank_weeks": 27,
}


class Thresholds(StrictModel):
    """Thresholds of alerts; ratios are between 0 and 1."""

    quarantine_ratio: float = Field(0.05, gt=0, lt=1)
    quarantine_rows: int = Field(10, gt=0, description="fewer rows in quarantine raise no alert")
    quota_ratio: float = Field(0.8, gt=0, lt=1)
    token_days: list[int] = Field(default_factory=lambda: [7, 3, 1])
    fresh_hours: dict[str, int] = Field(default_factory=dict)
    publish_hours: int = Field(2, gt=0, description="so long warehouse.duckdb may lag behind what was loaded")
    not_fresh_ignores: list[str] = Field(default_factory=list)

    @field_validator("token_days")
    @classmethod
    def _counted(cls, value: list[int]) -> list[int]:
        if wrong := [v for v in value if v not in (7, 3, 1)]:
            raise ValueError(f"{wrong[0]}: consents are counted down at 7, 3 and 1 days")
        return value

    @field_validator("fresh_hours")
    @classmethod
    def _cadences(cls, value: dict[str, int]) -> dict[str, int]:
        if wrong := [v for v in value if v not in CADENCES]:
            raise ValueError(f"{wrong[0]!r} is no cadence; there are {', '.join(CADENCES)}")
        if wrong := [k for k, v in value.items() if v <= 0]:
            raise ValueError(f"{wrong[0]}: write hours greater than 0")
        return value

    @field_validator("not_fresh_ignores")
    @classmethod
    def _tables(cls, value: list[str]) -> list[str]:
        if wrong := [v for v in value if v not in TABLES]:
            raise ValueError(f"{wrong[0]!r} is no table: see `douyin status`")
        return value

    def fresh_for(self, cadence: str) -> timedelta:
        """Return how long data of a cadence counts as fresh."""
        return timedelta(hours=self.fresh_hours.get(cadence, _FRESH_HOURS[cadence]))


class Alerts(StrictModel):
    """Content of ``alerts.yaml``."""

    prefix: str = Field(
        "抖音数据",
        max_length=40,
        description="begins every message; a robot that requires a keyword (自定义关键词) finds it here",
    )
    channels: dict[str, Channel] = Field(default_factory=dict)
    routes: list[Route] = Field(default_factory=list)
    quiet: QuietHours | None = None
    digest_above: int = Field(5, gt=0)
    repeat_after: Span = timedelta(hours=24)
    repeat: dict[AlertKind, Span | Literal["never"]] = Field(default_factory=dict)
    tell_end: bool = True
    thresholds: Thresholds = Field(default_factory=Thresholds)
    watch_words: list[str] = Field(default_factory=list)

    @field_validator("repeat", mode="before")
    @classmethod
    def _spans(cls, value: object) -> object:
        if isinstance(value, dict) and (
            wrong := [k for k, v in value.items() if not (v == "never" or re.fullmatch(r"\d+[smhd]", str(v)))]
        ):
            raise ValueError(f"{wrong[0]}: write `never`, or a length of time such as 12h")
        return value

    @field_validator("watch_words")
    @classmethod
    def _words(cls, value: list[str]) -> list[str]:
        for word in value:
            if not word.strip():
                raise ValueError("an empty word would match every hot word")
            if word.startswith("re:"):
                try:
                    re.compile(word[3:])
                except re.error as error:
                    raise ValueError(f"{word!r} is no regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _known_channels(self) -> Alerts:
        for number, route in enumerate(self.routes):
            if wrong := [c for c in route.channels if c not in self.channels]:
                raise ValueError(
                    f"routes.{number}.channels: no channel is called {wrong[0]!r}; there are "
                    f"{', '.join(self.channels) or 'none'}: add it under `channels`"
                )
        return self

    def channels_for(self, kind: AlertKind, severity: Severity, tags: Iterable[str]) -> list[str]:
        """Return the names of the channels that an alert is sent to, each once, in the order of the routes."""
        tags = set(tags)
        return list(dict.fromkeys(c for r in self.routes if r.takes(kind, severity, tags) for c in r.channels))

    def repeat_of(self, kind: AlertKind) -> timedelta | None:
        """Return the time after which a lasting alert of this kind is sent again; None for never."""
        own = self.repeat.get(kind)
        if own is not None:
            return None if own == "never" else own
        return self.repeat_after if ABOUT[kind].repeats else None


@dataclass(frozen=True)
class WordMatcher:
    """Matcher of watched words in hot words: substrings regardless of case, or ``re:`` and a regular expression."""

    words: tuple[str, ...]

    def matching(self, sentence: str) -> str | None:
        """Return the first word that matches, as written in the file; None if none does."""
        folded = sentence.casefold()
        return next(
            (w for w in self.words if (re.search(w[3:], sentence) if w.startswith("re:") else w.casefold() in folded)),
            None,
        )


def alerts_path(settings: Settings) -> Path | None:
    """Return the file in use: the configured one, else ``alerts.yaml`` of the project or of a checkout if it exists."""
    if settings.alerts_file is not None:
        return settings.alerts_file
    folders = [SHIPPED, *([settings.project] if settings.project is not None else [])]
    return next((folder / DEFAULT_FILE for folder in reversed(folders) if (folder / DEFAULT_FILE).exists()), None)


def load_alerts(settings: Settings) -> Alerts:
    """Read the file; without one return the defaults, which have no channels.

    Raises:
        BadAlerts: the file cannot be used.
    """
    path = alerts_path(settings)
    return Alerts() if path is None else read_yaml(path, Alerts, BadAlerts)


def check_tags(alerts: Alerts, known: Iterable[str]) -> None:
    """Verify that accounts have the tags of all routes: a route of an unknown tag is most likely misspelt.

    Raises:
        BadAlerts: no account has a route's tag.
    """
    known = set(known)
    for number, route in enumerate(alerts.routes):
        if wrong := sorted(set(route.tags or ()) - known):
            raise BadAlerts(
                f"routes.{number}.tags: no account carries {wrong[0]!r}; there are "
                f"{', '.join(sorted(known)) or 'none'}: `douyin accounts tag`, or correct the route"
            )


def address_of(alerts: Alerts, name: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the secret address of a channel; ``env:NAME`` is looked up in the environment, then in ``.env``.

    Raises:
        BadAlerts: there is no such channel, or the variable is not set.
    """
    if name not in alerts.channels:
        raise BadAlerts(f"no channel is called {name!r}; there are {', '.join(alerts.channels) or 'none'}")
    text = alerts.channels[name].url.get_secret_value()
    if not text.startswith("env:"):
        return text
    wanted = text.removeprefix("env:")
    found = (os.environ if environment is None else environment).get(wanted)
    if not found and environment is None:
        found = DotEnvSettingsSource(Settings, case_sensitive=True).env_vars.get(wanted)
    if not found:
        raise BadAlerts(
            f"channels.{name}: neither the environment nor .env has {wanted}: set it to the address of the robot"
        )
    return found
