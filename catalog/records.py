"""The record types of the catalogue: what the platform offers, as data.

Records are frozen and hold no behaviour beyond what follows from their own
values. Nothing here does I/O and nothing here imports another room, so the
sandbox, the client, the normaliser, Dagster and the docs can all read the same
truth. ``tests/catalog`` holds every record against ``contract/openapi.yaml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum

from catalog.iterations import ITERATIONS, IterateBy
from catalog.requests import Incremental, Paging, Param

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The platform's clock. China has had no daylight saving time since 1991, so a fixed offset is exact."""
_AHEAD = timedelta(hours=8)


def beijing_day(instant: datetime) -> date:
    """The calendar day in Beijing of an aware instant."""
    # Asked several times for each archived answer, nearly always in UTC: adding costs half of what asking both time zones does.
    return (instant + _AHEAD).date() if instant.tzinfo is UTC else instant.astimezone(BEIJING).date()


# --------------------------------------------------------------------------- fields


class Type(StrEnum):
    """Column types, named as DuckDB names them. ``TIMESTAMPTZ`` is a UTC instant with microseconds."""

    TEXT = "VARCHAR"
    BIGINT = "BIGINT"
    DOUBLE = "DOUBLE"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMPTZ"


class Pii(StrEnum):
    """How a value relates to a person; decides masking, hashing and retention."""

    NONE = "none"
    PSEUDONYM = "pseudonym"  # an id of a person within one app: open_id
    PERSONAL = "personal"  # nickname, avatar, city
    SENSITIVE = "sensitive"  # phone, WeChat id, message text


class Additive(StrEnum):
    """Whether summing the column over rows means anything."""

    YES = "additive"  # over every dimension
    SEMI = "semi-additive"  # over objects, never over time: a total at an instant
    NO = "not additive"


@dataclass(frozen=True, slots=True)
class Field:
    """One column, defined once and used by every table that names it."""

    name: str
    type: Type
    en: str
    zh: str
    doc_en: str
    doc_zh: str
    unit: str | None = None
    pii: Pii = Pii.NONE
    additive: Additive = Additive.NO
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str | int, ...] | None = None
    is_code: bool = False
    """A number that stands for something, such as a kind, a state, or a place in a list or on the map: no metric."""

    @property
    def is_id(self) -> bool:
        """Whether the text is an id, of a thing or of a person."""
        return self.type is Type.TEXT and (self.name.endswith("_id") or self.pii is Pii.PSEUDONYM)


# --------------------------------------------------------------------------- tables


class History(StrEnum):
    """What a past partition can still be filled with (docs: DESIGN, "Time and history")."""

    SNAPSHOT = "snapshot"  # shows only now; a missed day is lost
    WINDOW = "window"  # one row per past day, inside a look-back window
    VERSION = "version"  # published issues, any of which can be asked for
    LISTING = "listing"  # entities that exist now
    EVENT = "event"  # pushed to us


STANDARD_FIELDS = ("dt", "observed_at", "source", "client_key")
"""Columns that every core table begins with; the normaliser fills them."""


@dataclass(frozen=True, slots=True)
class Table:
    """One core table. ``fields`` excludes :data:`STANDARD_FIELDS`; ``key`` is the natural key of a row."""

    name: str
    domain: str
    en: str
    zh: str
    doc_en: str
    doc_zh: str
    history: History
    fields: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns in the order of the Parquet schema."""
        return STANDARD_FIELDS + self.fields

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Columns that identify a row within a partition.

        Ids belong to one app, so ``client_key`` leads. Snapshots keep every observation of a
        day, versions every observation of a week; listings and windows keep the latest one per entity, so the instant is no part of
        their key.
        """
        instant = ("observed_at",) if self.history in (History.SNAPSHOT, History.VERSION) else ()
        return ("client_key", *self.key, *instant)

    def latest_partition(self, today: date) -> date:
        """The newest partition that can have data on a day: itself, the day before for T+1 series, the week's Monday for issues."""
        if self.history is History.WINDOW:
            return today - timedelta(days=1)
        if self.history is History.VERSION:
            return today - timedelta(days=today.weekday())
        return today

    @property
    def not_null(self) -> tuple[str, ...]:
        """Columns in which an empty value sends the row to quarantine."""
        return tuple(dict.fromkeys((*STANDARD_FIELDS, *self.primary_key)))


# --------------------------------------------------------------------------- how a response becomes rows


class Origin(StrEnum):
    """Where a column's value comes from."""

    MEMBER = "member"  # a member of the row object
    PARENT = "parent"  # a member of the row's parent object (nested lists)
    BODY = "body"  # a member of the whole response, by path
    PARAM = "param"  # a parameter of the request
    CONST = "const"  # a constant of the endpoint
    ORDINAL = "ordinal"  # 1-based position in the list, over all pages
    ELEMENT = "element"  # the row itself, where a list holds texts
    ACCOUNT = "account"  # the account whose token asked
    LISTING = "listing"  # a fact of the whole listing: `rows` seen on all its pages, `whole` (read to its end)


class Parse(StrEnum):
    """How text becomes a typed value. What does not fit is null and stands in quarantine, and its row with it where it is a key.

    An empty text and ``<nil>`` are null, of ids too. Numbers may have thousands commas, an exponent, or a unit (万, w, 亿).
    """

    TEXT = "text"
    INT = "int"  # JSON integer or decimal text, 64-bit
    INT_OR_NULL = "int_or_null"  # free text that is often a number: null where it is not
    NUMBER = "number"  # JSON number or numeric text, exponent allowed
    NUMBER_OR_NULL = "number_or_null"  # free text that is often such a number: null where it is not
    PERCENT = "percent"  # "61.32%" -> 0.6132; numbers without the sign are fractions where all values of the answer are, and none is above 1
    BOOL = "bool"  # true, false, 1, 0
    DATE = "date"  # yyyy-MM-dd, Beijing
    DATE_OR_NULL = "date_or_null"  # free text that is often a day: null where it is not
    EPOCH = "epoch"  # seconds, or milliseconds above 10^11; 0 means "not shown" -> null
    BEIJING_DATE = "beijing_date"  # "yyyy-MM-dd[ HH:mm:ss]" -> its day
    BEIJING_INSTANT = "beijing_instant"  # the same -> UTC instant, null when only a day is given
    BUCKET = "bucket"  # a distribution's label with its separators made equal
    WORDS = "words"  # a list of texts, or one text "[a b c]", joined by the enumeration comma 、


@dataclass(frozen=True, slots=True)
class Column:
    """Fills ``field`` of a table from ``origin``; ``path`` names the member, parameter or constant.

    In a member's path ``.`` steps into an object and ``|`` into an object that may stand there as JSON text.
    """

    field: str
    origin: Origin
    path: str = ""
    parse: Parse = Parse.TEXT


@dataclass(frozen=True, slots=True)
class Output:
    """Rows that one endpoint gives to one table.

    ``rows`` is the dotted path of the list (or of the one object, if ``single``) in the body.
    ``explode`` is the path of a nested list in each row, whose elements become the
    rows instead; the row itself is then their parent. ``once`` gives one row for a whole listing
    instead of one for each element: what was asked for, and how it ended.
    """

    table: str
    rows: str
    columns: tuple[Column, ...]
    single: bool = False
    explode: str | None = None
    once: bool = False


# --------------------------------------------------------------------------- endpoints


class AppType(StrEnum):
    """What kind of app asks. It decides through which door (path, scope, envelope) the same data comes."""

    WEB = "web"  # mobile and website apps 移动/网站应用
    MINI_APP = "mini_app"  # mini-apps 小程序: the paths *_apps_v1
    BUSINESS = "business"  # mini-apps with business consent 经营授权: the paths *_bc, with business tokens


class Token(StrEnum):
    NONE = "none"
    CLIENT = "client"
    USER = "user"
    BUSINESS = "business"  # of an account, for the _bc paths of mini-apps


class Status(StrEnum):
    """State of an operation on the live platform, as the contract gives it."""

    ACTIVE = "active"
    RESTRICTED = "restricted"
    WITHDRAWN = "withdrawn"
    DEPRECATED = "deprecated"
    REMOVED = "removed"
    UNVERIFIED = "unverified"


class Envelope(StrEnum):
    """Shapes of a response (GUIDE section 3)."""

    LEGACY = "A"
    NEW = "B"
    MINI_APP = "C"
    OAUTH = "D"
    BUSINESS = "E"
    WEBHOOK = "W"  # not an answer: the envelope of an event that was pushed to us


@dataclass(frozen=True, slots=True)
class Cadence:
    """When an endpoint is due. ``slots`` are times of day in Beijing at which a new observation begins.

    A request whose answer is already archived for the current slot is not made again; this is what
    makes a second run of the same day free, and a restart cheap.
    """

    name: str
    slots: tuple[time, ...]
    crons: tuple[str, ...]
    doc_en: str
    doc_zh: str

    def slot(self, instant: datetime) -> datetime:
        """Start (UTC) of the slot that ``instant`` falls into; midnight Beijing opens the first one."""
        local = instant.astimezone(BEIJING)
        starts = [time(0, 0), *self.slots]
        start = max(s for s in starts if s <= local.time())
        return datetime.combine(local.date(), start, BEIJING).astimezone(UTC)


class EmptyMeaning(StrEnum):
    """What a missing, null or empty list means."""

    NOT_READY = "not_ready"  # not produced yet: ask again at the next schedule
    BELOW_THRESHOLD = "below_threshold"  # the account is too small: a settled answer
    LEGAL = "empty"  # there is nothing


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Everything that is known of one operation of the platform."""

    name: str
    domain: str
    method: str
    path: str
    scope: str | None
    token: Token
    status: Status
    en: str
    zh: str
    doc_en: str
    doc_zh: str
    cadence: Cadence
    outputs: tuple[Output, ...]
    over: IterateBy = IterateBy.NOTHING
    params: tuple[Param, ...] = ()
    paging: Paging | None = None
    envelope: Envelope = Envelope.LEGACY
    empty: EmptyMeaning = EmptyMeaning.LEGAL
    windows: tuple[int, ...] = ()
    """Look-back lengths in days that the endpoint accepts, ascending; empty when it has no window."""
    max_age_days: int | None = None
    """Only subjects created within so many days are asked for."""
    apps: tuple[AppType, ...] = tuple(AppType)
    """Types of apps whose door this is; another door of the same tables serves the others."""
    instead_of: str | None = None
    """Asked only where that operation cannot be had by this app: another way to the same rows."""
    twin_of: str | None = None
    """The contract's operation whose twin this is; the contract names the path of a twin, not an operation of its own."""
    period_days: int | None = None
    """Length in days of the period that SINCE and UNTIL ask for, up to now; the longest one of a single request."""
    reaches_back: bool = False
    """Whether earlier periods can be requested, too: what a break left out, and past days."""
    happened: str | None = None
    """The column that says when a row happened: rows of a past period go to their own days. Without it a past day is requested by itself."""
    incremental: Incremental | None = None
    form: bool = False
    """The request's body is a form instead of JSON."""

    @property
    def root(self) -> str:
        """Path of the object that holds the answer's own members: mini-apps wrap it twice, of an event it is the whole body."""
        if self.envelope is Envelope.WEBHOOK:
            return "$"
        return "data.data" if self.envelope is Envelope.MINI_APP else "data"

    @property
    def has_past_days(self) -> bool:
        """Whether past days of a listing can be requested: by their period, or since the subjects of that day are known."""
        return self.reaches_back or ITERATIONS[self.over].by_day

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables it fills, each once, in order."""
        return tuple(dict.fromkeys(o.table for o in self.outputs))

    def known_members(self, path: str, explode: str | None = None) -> frozenset[str]:
        """First-level members that the catalogue knows of the rows at ``path`` (or of their list ``explode``); any other is drift."""
        known: set[str] = set()
        for output in self.outputs:
            if (output.rows, output.explode) == (path, explode):
                known.update(first_step(c.path) for c in output.columns if c.origin is Origin.MEMBER)
            if explode is None and output.rows == path and output.explode:
                known.add(output.explode)
            if explode is None and output.rows.startswith(path + "."):
                known.add(output.rows[len(path) + 1 :].split(".")[0])
        return frozenset(known)

    @property
    def quota(self) -> str:
        """The quota class of its scope."""
        return quota_class(self.scope)


def quota_class(scope: str | None) -> str:
    """Limits are counted per scope. Where the contract could only infer the scope's name, it says so behind it."""
    return (scope or "oauth").removesuffix(" (inferred)")


def first_step(path: str) -> str:
    """The first member of a column's path."""
    return path.replace("|", ".").split(".")[0]


# --------------------------------------------------------------------------- operations that give no rows


class Kind(StrEnum):
    READ = "read"
    WRITE = "write"  # sends, tags, replies
    TOKEN = "token"  # the token keeper's own


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the platform that fills no table: the token keeper's own, or one that writes."""

    name: str
    domain: str
    kind: Kind
    method: str
    path: str
    scope: str | None
    token: Token
    status: Status
    en: str
    zh: str
    params: tuple[Param, ...] = ()
    envelope: Envelope = Envelope.LEGACY
    repeatable: bool = False
    """Done twice is as done once: after a time-out it may simply be asked again. A message may not."""
    form: bool = False

    @property
    def quota(self) -> str:
        """The quota class, as for endpoints."""
        return quota_class(self.scope)
