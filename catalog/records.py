"""Define the record types of the catalogue, which describe the platform's API as data.

Records are frozen and have no behaviour beyond what follows from their own values. This module does no I/O and imports
no other package of the project, so the sandbox, the client, the normaliser, Dagster and the docs all read the same
records. ``tests/catalog`` checks every record against ``contract/openapi.yaml``.
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
    """Return the calendar day in Beijing of an aware instant."""
    # Called several times for each archived response, nearly always in UTC: adding costs half of a time zone
    # conversion.
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
    """How a value relates to a person; decides on masking, hashing and retention."""

    NONE = "none"
    PSEUDONYM = "pseudonym"  # an id of a person within one app: open_id
    PERSONAL = "personal"  # nickname, avatar, city
    SENSITIVE = "sensitive"  # phone, WeChat id, message text


class Additive(StrEnum):
    """Whether a sum of the column over rows is meaningful."""

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
    """A number that encodes a kind, a state, or a place in a list or on the map: no metric."""

    @property
    def is_id(self) -> bool:
        """Report whether the text is an id, of a thing or of a person."""
        return self.type is Type.TEXT and (self.name.endswith("_id") or self.pii is Pii.PSEUDONYM)


# --------------------------------------------------------------------------- tables


class History(StrEnum):
    """How far back a partition can still be filled (docs: DESIGN, "Time and history")."""

    SNAPSHOT = "snapshot"  # shows only now; a missed day is lost
    WINDOW = "window"  # one row per past day, inside a look-back window
    VERSION = "version"  # published issues, each of which can be requested
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
        """List all columns in the order of the Parquet schema."""
        return STANDARD_FIELDS + self.fields

    @property
    def primary_key(self) -> tuple[str, ...]:
        """List the columns that identify a row within a partition.

        Ids belong to one app, so ``client_key`` leads. Snapshots keep every observation of a day, versions every
        observation of a week. Listings and windows keep the latest one per entity, so the instant is no part of their
        key.
        """
        instant = ("observed_at",) if self.history in (History.SNAPSHOT, History.VERSION) else ()
        return ("client_key", *self.key, *instant)

    def latest_partition(self, today: date) -> date:
        """Return the newest partition that can have data on a day.

        It is the day itself, the day before for T+1 series, and the week's Monday for issues.
        """
        if self.history is History.WINDOW:
            return today - timedelta(days=1)
        if self.history is History.VERSION:
            return today - timedelta(days=today.weekday())
        return today

    @property
    def not_null(self) -> tuple[str, ...]:
        """List the columns in which a null sends the row to quarantine."""
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
    ELEMENT = "element"  # the row itself, where a list contains texts
    ACCOUNT = "account"  # the account whose token was used
    LISTING = "listing"  # a fact of the whole listing: `rows` seen on all its pages, `whole` (read to its end)


class Parse(StrEnum):
    """How text becomes a typed value.

    A value that does not fit becomes null and goes to quarantine; a key that does not fit takes its row with it. An
    empty text and ``<nil>`` are null, in ids too. Numbers may have thousands commas, an exponent, or a unit (万, w, 亿).
    """

    TEXT = "text"
    INT = "int"  # JSON integer or decimal text, 64-bit
    INT_OR_NULL = "int_or_null"  # free text that is often a number: null where it is not
    NUMBER = "number"  # JSON number or numeric text, exponent allowed
    NUMBER_OR_NULL = "number_or_null"  # free text that is often such a number: null where it is not
    PERCENT = "percent"  # "61.32%" -> 0.6132; without the sign a fraction, if no value of the response is above 1
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
    """The rule that fills ``field`` of a table from ``origin``.

    ``path`` names the member, parameter or constant. In a member's path ``.`` steps into an object and ``|`` into an
    object that may be given as JSON text.
    """

    field: str
    origin: Origin
    path: str = ""
    parse: Parse = Parse.TEXT


@dataclass(frozen=True, slots=True)
class Output:
    """Rows that one endpoint adds to one table.

    ``rows`` is the dotted path of the list (or of the one object, if ``single``) in the body. ``explode`` is the path
    of a nested list in each row, whose elements become the rows instead; the row itself is then their parent. ``once``
    yields one row for a whole listing instead of one for each element: the subject requested, and how the listing
    ended.
    """

    table: str
    rows: str
    columns: tuple[Column, ...]
    single: bool = False
    explode: str | None = None
    once: bool = False


# --------------------------------------------------------------------------- endpoints


class AppType(StrEnum):
    """The type of the app, which decides on path, scope and envelope of the same data."""

    WEB = "web"  # mobile and website apps 移动/网站应用
    MINI_APP = "mini_app"  # mini-apps 小程序: the paths *_apps_v1
    BUSINESS = "business"  # mini-apps with business consent 经营授权: the paths *_bc, with business tokens


class Token(StrEnum):
    """The kind of token that a request carries."""

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
    """Shape of a response (GUIDE section 3)."""

    LEGACY = "A"
    NEW = "B"
    MINI_APP = "C"
    OAUTH = "D"
    BUSINESS = "E"
    WEBHOOK = "W"  # no response: the envelope of a pushed event


@dataclass(frozen=True, slots=True)
class Cadence:
    """When an endpoint is due.

    ``slots`` are the times of day in Beijing at which a new observation begins. A request is not repeated once the
    archive has its response for the current slot. This makes a second run of the same day free, and a restart cheap.
    """

    name: str
    slots: tuple[time, ...]
    crons: tuple[str, ...]
    doc_en: str
    doc_zh: str

    def slot(self, instant: datetime) -> datetime:
        """Return the start (UTC) of the slot that contains ``instant``; midnight Beijing opens the first one."""
        local = instant.astimezone(BEIJING)
        starts = [time(0, 0), *self.slots]
        start = max(s for s in starts if s <= local.time())
        return datetime.combine(local.date(), start, BEIJING).astimezone(UTC)


class EmptyMeaning(StrEnum):
    """What a missing, null or empty list means."""

    NOT_READY = "not_ready"  # not produced yet: requested again by the next schedule
    BELOW_THRESHOLD = "below_threshold"  # the account is too small: final
    LEGAL = "empty"  # there is no data


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the platform that fills tables."""

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
    """Only subjects created within so many days are requested."""
    apps: tuple[AppType, ...] = tuple(AppType)
    """Types of apps that this endpoint serves; another endpoint of the same tables serves the others."""
    instead_of: str | None = None
    """The operation that this one replaces where the app has no access to it: another source of the same rows."""
    twin_of: str | None = None
    """The contract's operation whose twin this is. The contract names only the path of a twin, not an operation of its
    own.
    """
    period_days: int | None = None
    """Length in days of the period from SINCE to UNTIL, which ends now; the longest one of a single request."""
    reaches_back: bool = False
    """Whether earlier periods can be requested, too: those missed in an outage, and past days."""
    happened: str | None = None
    """The column with the instant of a row's event: rows of a past period go to their own days. Without it a past day
    is requested by itself.
    """
    incremental: Incremental | None = None
    form: bool = False
    """The request's body is a form instead of JSON."""

    @property
    def root(self) -> str:
        """Return the path of the object with the response's own members.

        Mini-apps wrap it twice; for an event it is the whole body.
        """
        if self.envelope is Envelope.WEBHOOK:
            return "$"
        return "data.data" if self.envelope is Envelope.MINI_APP else "data"

    @property
    def has_past_days(self) -> bool:
        """Report whether past days of a listing can be requested: by period, or by that day's known subjects."""
        return self.reaches_back or ITERATIONS[self.over].by_day

    @property
    def tables(self) -> tuple[str, ...]:
        """List the tables that it fills, each once, in order."""
        return tuple(dict.fromkeys(o.table for o in self.outputs))

    def known_members(self, path: str, explode: str | None = None) -> frozenset[str]:
        """List the known first-level members of the rows at ``path``, or of their list ``explode``; others are drift."""
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
        """Return the quota class of its scope."""
        return quota_class(self.scope)


def quota_class(scope: str | None) -> str:
    """Return the key under which calls of a scope are counted.

    Where the contract could only infer the scope's name, the remark after it is removed.
    """
    return (scope or "oauth").removesuffix(" (inferred)")


def first_step(path: str) -> str:
    """Return the first member of a column's path."""
    return path.replace("|", ".").split(".")[0]


# --------------------------------------------------------------------------- operations that give no rows


class OperationKind(StrEnum):
    """What an operation does."""

    WRITE = "write"  # sends, tags, replies
    TOKEN = "token"  # those of the token manager


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the platform that fills no table: a token operation, or a write."""

    name: str
    domain: str
    kind: OperationKind
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
    """The write is idempotent: after a time-out it may be sent again. A message may not."""
    form: bool = False

    @property
    def quota(self) -> str:
        """Return the quota class of its scope, as for endpoints."""
        return quota_class(self.scope)
