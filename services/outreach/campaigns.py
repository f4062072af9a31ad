"""Parse campaigns 活动, tags 标签 and reply rules 自动回复 from ``campaigns/*.yaml``, strictly.

Unknown keys, and messages that the platform would reject, are errors with file and place before anything is planned.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from catalog.messages import ANSWERED_BY, BadMessage, Scene, check_scene, content_of
from catalog.records import BEIJING
from resources.config.project import SHIPPED, files_of
from resources.config.settings import Settings
from resources.config.strict_yaml import BadFile, ClockTime, QuietPeriod, Span, StrictModel, read_yaml
from services.outreach.templates import BadTemplate, names_in

REPLIES, TAGS = "replies.yaml", "tags.yaml"
_NOT_CAMPAIGNS = {REPLIES, TAGS}
_NAME = r"[a-z][a-z0-9_]*"


class BadCampaign(BadFile):
    """An unusable file of campaigns, tags or rules; the message names file, place and reason."""


def _good_messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for message in messages:
        try:
            content_of(message)
            for value in message.values():
                if isinstance(value, str):
                    names_in(value)
        except (BadMessage, BadTemplate) as error:
            raise ValueError(str(error)) from error
    return messages


class Live(StrictModel):
    """Live sessions of the timetable; the campaign is planned ``before`` they begin."""

    timetable: str
    before: Span


class When(StrictModel):
    """When a campaign is due: only by hand, every day at a time, or before live sessions."""

    daily: ClockTime | None = None
    live: Live | None = None

    @model_validator(mode="after")
    def _one(self) -> When:
        if self.daily is not None and self.live is not None:
            raise ValueError("daily and live exclude each other")
        return self


class Caps(StrictModel):
    """Our own limits, below those of the platform."""

    per_person_per_day: int = Field(1, gt=0)
    per_account_per_day: int | None = Field(None, gt=0)
    per_plan: int | None = Field(None, gt=0)


class CampaignKind(StrEnum):
    """What a campaign sends."""

    MESSAGE = "message"
    COMMENT = "comment"


class Campaign(StrictModel):
    """One campaign.

    ``again_after`` is the time in which a person gets it only once. Without it a person gets it once ever, or once per
    live session.
    """

    name: str = Field(pattern=rf"^{_NAME}$")
    title: str
    owner: str
    kind: CampaignKind = CampaignKind.MESSAGE
    audience: str = Field(pattern=rf"^{_NAME}$")
    messages: list[dict[str, Any]] = Field(default_factory=list)
    text: str | None = Field(None, description="of a comment reply")
    door: Literal["item", "video"] = "item"
    scenes: list[Scene] = Field(default_factory=lambda: [Scene.REPLY, Scene.CONSENT])
    when: When = Field(default_factory=When)
    good_for: Span = timedelta(hours=24)
    caps: Caps = Field(default_factory=Caps)
    quiet: QuietPeriod | None = None
    again_after: Span | None = None
    control_share: float = Field(0.0, ge=0, le=0.5)
    effect_hours: int = Field(72, gt=0)

    @field_validator("messages")
    @classmethod
    def _messages(cls, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return _good_messages(value)

    @model_validator(mode="after")
    def _fits(self) -> Campaign:
        if self.kind is CampaignKind.COMMENT:
            if not self.text or self.messages:
                raise ValueError("a campaign of kind comment has a text and no messages")
            names_in(self.text)
            return self
        if self.text is not None or not self.messages:
            raise ValueError("a campaign of kind message has messages and no text")
        if not self.scenes:
            raise ValueError("name at least one scene")
        contents = [content_of(m) for m in self.messages]
        wrong = {}
        for scene in self.scenes:
            try:
                check_scene(scene, contents)
            except BadMessage as error:
                wrong[scene] = str(error)
        if len(wrong) == len(self.scenes):
            raise ValueError("; ".join(wrong.values()))
        return self

    @property
    def usable_scenes(self) -> list[Scene]:
        """List the scenes that allow all these messages, in order of preference."""
        contents, fitting = [content_of(m) for m in self.messages], []
        for scene in self.scenes:
            try:
                check_scene(scene, contents)
            except BadMessage:
                continue
            fitting.append(scene)
        return fitting

    @property
    def quiet_hours(self) -> tuple[time, time] | None:
        """Return the quiet hours as (start, end), or None."""
        return None if self.quiet is None else (self.quiet.from_, self.quiet.until)


class Session(StrictModel):
    """One live session of a timetable."""

    account: str
    starts_at: datetime
    title: str

    @field_validator("starts_at")
    @classmethod
    def _in_beijing(cls, value: datetime) -> datetime:
        return value if value.tzinfo else value.replace(tzinfo=BEIJING)


class Tag(StrictModel):
    """A tag that follows an audience; ``was`` is its former name."""

    name: str = Field(min_length=1, max_length=30)
    audience: str = Field(pattern=rf"^{_NAME}$")
    was: str | None = None


class Tags(StrictModel):
    """All tags that follow audiences, and the names of tags to delete."""

    owner: str
    tags: list[Tag]
    remove: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _differ(self) -> Tags:
        names = [t.name for t in self.tags]
        if twice := sorted({n for n in names if names.count(n) > 1} | (set(names) & set(self.remove))):
            raise ValueError(f"named twice: {', '.join(twice)}")
        return self


class Rule(StrictModel):
    """One reply rule; the first rule that matches an event is used.

    It matches an event of ``on`` (default: a message) if its text contains one of ``keywords`` and its type is one of
    ``types``; an empty list matches all.
    """

    name: str = Field(pattern=rf"^{_NAME}$")
    on: list[str] = Field(default_factory=lambda: ["im_receive_msg"])
    keywords: list[str] = Field(default_factory=list)
    types: list[str] = Field(default_factory=list)
    accounts: list[str] = Field(default_factory=list)
    messages: list[dict[str, Any]] = Field(default_factory=list)
    hand_over: Span | None = None
    opt_out: bool = False
    again_after: Span = timedelta(minutes=10)
    also_in_quiet_hours: bool = False

    @field_validator("on")
    @classmethod
    def _answerable(cls, value: list[str]) -> list[str]:
        if wrong := [v for v in value if v not in ANSWERED_BY]:
            raise ValueError(f"{', '.join(wrong)} cannot be answered; {', '.join(ANSWERED_BY)} can")
        return value

    @field_validator("messages")
    @classmethod
    def _messages(cls, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return _good_messages(value)

    @model_validator(mode="after")
    def _does_something(self) -> Rule:
        if not (self.messages or self.hand_over or self.opt_out):
            raise ValueError("a rule sends messages, hands over, or opts out")
        for event in self.on if self.messages else ():
            check_scene(ANSWERED_BY[event], [content_of(m) for m in self.messages])
            allowed = {"nickname"}
            for text in (v for m in self.messages for v in m.values() if isinstance(v, str)):
                if unknown := names_in(text) - allowed:
                    raise ValueError(f"{', '.join(sorted(unknown))}: an answer knows {', '.join(allowed)} only")
        return self


class Replies(StrictModel):
    """Settings and rules of automatic replies.

    ``most_per_hour`` limits replies to one person, in case the other side is a machine. ``after_by_hand`` is how long
    the worker sends no replies after a colleague replied by hand.
    """

    rules: list[Rule]
    quiet: QuietPeriod | None = None
    most_per_hour: int = Field(10, gt=0)
    after_by_hand: Span = timedelta(minutes=30)
    guard_hand_over: Span = timedelta(hours=2)

    @model_validator(mode="after")
    def _differ(self) -> Replies:
        names = [r.name for r in self.rules]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"two rules are called {', '.join(twice)}")
        return self

    @property
    def quiet_hours(self) -> tuple[time, time] | None:
        """Return the quiet hours as (start, end), or None."""
        return None if self.quiet is None else (self.quiet.from_, self.quiet.until)


def campaign_files(settings: Settings) -> dict[str, Path]:
    """Return the campaign files by name: of the configured folder, or the shipped ones and those of the project.

    Raises:
        BadCampaign: the configured folder does not exist.
    """
    folder = settings.campaigns_dir
    if folder is None:
        return files_of("campaigns", "*.yaml", settings.project)
    if not folder.is_dir():
        raise BadCampaign(f"{folder}: there is no such folder: set DOUYIN_CAMPAIGNS_DIR")
    return {path.name: path for path in sorted(folder.glob("*.yaml"))}


def _folder(settings: Settings) -> Path:
    """Return the folder in which a missing file belongs."""
    return settings.campaigns_dir or (settings.project or SHIPPED) / "campaigns"


def _file(settings: Settings, name: str) -> Path:
    return campaign_files(settings).get(name, _folder(settings) / name)


def load_campaigns(settings: Settings, wrong: dict[str, str] | None = None) -> dict[str, Campaign]:
    """Load all campaigns by name; unusable files are added to ``wrong`` with the reason, if it is given.

    Raises:
        BadCampaign: a file is unusable and ``wrong`` is not given, or the folder does not exist.
    """
    found: dict[str, Campaign] = {}
    for path in campaign_files(settings).values():
        if path.name in _NOT_CAMPAIGNS or path.name.startswith("timetable"):
            continue
        try:
            found[path.stem] = _campaign(path)
        except BadCampaign as error:
            if wrong is None:
                raise
            wrong[path.stem] = str(error)
    return found


def _campaign(path: Path) -> Campaign:
    campaign = read_yaml(path, Campaign, BadCampaign)
    if campaign.name != path.stem:
        raise BadCampaign(f"{path}: name is {campaign.name!r}; it must be that of the file, {path.stem!r}")
    return campaign


def load_campaign(settings: Settings, name: str) -> Campaign:
    """Load one campaign.

    Raises:
        BadCampaign: there is no campaign of this name, or a file is unusable.
    """
    campaigns = load_campaigns(settings)
    if name not in campaigns:
        raise BadCampaign(
            f"no campaign is called {name!r} in {_folder(settings)}; there are {', '.join(campaigns) or 'none'}"
        )
    return campaigns[name]


def load_timetable(settings: Settings, name: str) -> list[Session]:
    """Load the live sessions of a timetable, in order of time."""
    path = _file(settings, name)

    class Timetable(StrictModel):
        sessions: list[Session]

    return sorted(read_yaml(path, Timetable, BadCampaign).sessions, key=lambda s: s.starts_at)


def load_tags(settings: Settings) -> Tags:
    """Load the file of tags."""
    return read_yaml(_file(settings, TAGS), Tags, BadCampaign)


def load_replies(settings: Settings) -> Replies:
    """Load the file of reply rules."""
    return read_yaml(_file(settings, REPLIES), Replies, BadCampaign)
