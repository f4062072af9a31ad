"""List the subjects of an endpoint: the accounts, videos, comments, places, … of ``catalog.iterations.ITERATIONS``.

Iterations form a graph: accounts -> videos -> comments -> replies. A subject that cannot have data, or whose data
cannot have changed, gets its outcome without a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from catalog import endpoints_of
from catalog.iterations import ITERATIONS, IterateBy, SubjectSource
from catalog.records import Endpoint, beijing_day
from catalog.requests import ParamSource
from resources.runtime import Runtime
from resources.state.accounts import AccountStatus, list_accounts
from resources.state.capabilities import read_capabilities
from resources.state.load_status import LoadStatus, Outcome, read_load_status
from resources.state.watched import list_watched
from services.ingest.known import comments_known_until, known_videos, replies_known
from services.ingest.outcomes import SubjectResult
from services.ingest.periods import PERIOD, period_text
from services.ingest.rows import WEEK, beijing_days
from services.reporting.capabilities import REMEMBERED_DAYS, WATCH_VIDEO, Standing


class UpstreamMissing(LookupError):
    """The table that the endpoint iterates over is not loaded, but could be; the message says what to do."""


@dataclass(frozen=True)
class Subject:
    """One thing to request.

    - ``params`` are its request parameters.
    - ``since`` is its first day, if it has one.
    - ``last`` is the last day of a subject that is too old to be requested: only the archive has its days.
    - ``week`` is the Monday of the partition that a versioned response fills.
    - ``until`` is the creation time of the newest row that is certainly known: reading of a listing, newest first,
      stops there.
    """

    open_id: str = ""
    params: Mapping[str, str | int] = field(default_factory=dict)
    since: date | None = None
    last: date | None = None
    told: SubjectResult | None = None
    """Its outcome, if it needs no request; it is then not requested."""
    week: date | None = None
    until: datetime | None = None
    days: tuple[date, date] | None = None
    """First and last of the past days that a backfill requests from a listing."""

    @property
    def named(self) -> dict[str, str | int]:
        """Return what identifies it in the archive."""
        more = {WEEK: self.week.isoformat()} if self.week else {PERIOD: period_text(*self.days)} if self.days else {}
        return {**self.params, **more}

    @property
    def key(self) -> tuple:
        """Return its key in the archive's index: the account and what identifies it, without the period."""
        return (self.open_id, *sorted(item for item in self.named.items() if item[0] != PERIOD))


@dataclass(frozen=True)
class FetchContext:
    """One endpoint, one app, and the partitions to fetch."""

    runtime: Runtime
    client_key: str
    endpoint: Endpoint
    dts: tuple[date, ...]

    @property
    def today(self) -> date:
        """Return today's date in Beijing."""
        return self.runtime.clock.today()

    @property
    def iteration(self) -> SubjectSource:
        """Return what the endpoint iterates over."""
        return ITERATIONS[self.endpoint.over]

    @property
    def subject_param(self) -> str:
        """Return the name of the request parameter that takes the subject."""
        return next(p.name for p in self.endpoint.params if p.fill is ParamSource.SUBJECT)

    def rows(self, table: str, day: date, columns: Iterable[str]) -> pa.Table:
        """Read the app's rows of one partition.

        Raises:
            FileNotFoundError: there is no such partition.
        """
        rows = self.runtime.lake.read(table, day)
        return rows.filter(pc.equal(rows["client_key"], self.client_key)).select(list(columns))

    def statuses(self, table: str, day: date) -> list[LoadStatus]:
        """Read the app's load statuses of one partition."""
        found = read_load_status(self.runtime.state, table=table, dts=[day])
        return [s for s in found if s.client_key == self.client_key]

    def lacking(self) -> SubjectResult | None:
        """Return the outcome if the app cannot have what the endpoint iterates over, or None if it can."""
        lack = Standing(self.runtime, self.client_key).lack_of_endpoint(self.endpoint)
        return None if lack is None else SubjectResult(lack.outcome, lack.code, str(lack))


def subjects_of(asking: FetchContext) -> list[Subject]:
    """List all current subjects, in a stable order.

    Raises:
        UpstreamMissing: the table that the endpoint iterates over has no partition yet, although it could have one.
    """
    over = asking.endpoint.over
    if over is IterateBy.NOTHING:
        return [Subject()]
    if over is IterateBy.CHOICES:
        name = asking.subject_param
        return [
            Subject(params={name: choice}) for p in asking.endpoint.params if p.name == name for choice in p.choices
        ]
    if not asking.iteration.per_account:
        return _APP_LEVEL.get(over, _watched_words)(asking)
    accounts = list_accounts(asking.runtime.state, asking.client_key)
    if not accounts:
        return [
            Subject(told=SubjectResult(Outcome.NEEDS_CONSENT, None, "no account is authorised: `douyin authorize`"))
        ]
    idle = [
        Subject(a.open_id, told=SubjectResult(_IDLE[a.status], None, a.reason or f"the account is {a.status}"))
        for a in accounts
        if a.status in _IDLE
    ]
    # Accounts that need consent are requested: their access token may still be valid, and if not, the client refuses
    # without a call.
    active = [a.open_id for a in accounts if a.status not in _IDLE]
    if over is IterateBy.ACCOUNTS:
        return [Subject(open_id) for open_id in active] + idle
    return _PER_ACCOUNT.get(over, _rows_of_accounts)(asking, active) + idle


_IDLE = {AccountStatus.STOPPED: Outcome.STOPPED, AccountStatus.PAUSED: Outcome.NOT_ASKED}
"""Account statuses that prevent requests, and the outcome."""


# --------------------------------------------------------------------------- app level


def _watched_words(asking: FetchContext) -> list[Subject]:
    """List the values of a watch list."""
    kind, name = asking.iteration.watch, asking.subject_param
    values = sorted({w.value for w in list_watched(asking.runtime.state, asking.client_key, kind)})
    return [Subject(params={name: v}) for v in values] or [_empty_watch_list(kind)]


def _empty_watch_list(kind: str | None) -> Subject:
    return Subject(
        told=SubjectResult(Outcome.NOT_ASKED, None, f"nothing is watched: add some with `douyin watch add {kind} …`")
    )


def _sentences(asking: FetchContext) -> list[Subject]:
    """List the words of today's newest hot word list."""
    try:
        rows = asking.rows("hot_words", asking.today, ("sentence", "observed_at"))
    except FileNotFoundError as error:
        return _told_by_upstream(asking, "hot_words", error)
    newest = rows.filter(pc.equal(rows["observed_at"], pc.max(rows["observed_at"]))) if rows.num_rows else rows
    return [Subject(params={asking.subject_param: s}) for s in sorted(set(newest["sentence"].to_pylist()))]


def _pois(asking: FetchContext) -> list[Subject]:
    """List the places of the newest lists of claims, and the watched ones."""
    found = {w.value for w in list_watched(asking.runtime.state, asking.client_key, asking.iteration.watch)}
    days = [d for d in asking.runtime.lake.days("poi_claims") if d <= asking.today]
    if days:
        found |= set(asking.rows("poi_claims", days[-1], ["poi_id"])["poi_id"].to_pylist())
    elif not found:
        return _told_by_upstream(asking, "poi_claims", None)
    if not found:
        return [
            Subject(
                told=SubjectResult(Outcome.NOT_ASKED, None, "no place is claimed or watched: `douyin watch add poi …`")
            )
        ]
    return [Subject(params={asking.subject_param: v}) for v in sorted(found)]


def _versions(asking: FetchContext) -> list[Subject]:
    """List the rankings of the wanted weeks.

    The running week has no version; a past week has the version that was published for it.
    """
    choices = next(p.choices for p in asking.endpoint.params if p.choices)
    running = asking.today - timedelta(days=asking.today.weekday())
    subjects = [Subject(params={"type": kind}, week=running) for kind in choices] if running in asking.dts else []
    past = [week for week in asking.dts if week < running]
    if not past:
        return subjects
    days = [d for d in asking.runtime.lake.days("ent_rank_versions") if d <= asking.today]
    if not days:
        return subjects + _told_by_upstream(asking, "ent_rank_versions", None)
    published = {
        (r["ent_type"], r["start_date"]): r["version"]
        for r in asking.rows("ent_rank_versions", days[-1], ("ent_type", "start_date", "version")).to_pylist()
    }
    for week in past:
        for kind in choices:
            if (version := published.get((kind, week))) is None:
                told = SubjectResult(
                    Outcome.NOT_READY,
                    None,
                    f"no final list of the week of {week} is published: see `ent_rank_versions`",
                )
                subjects.append(Subject(week=week, told=told))
            else:
                subjects.append(Subject(params={"type": kind, "version": version}, week=week))
    return subjects


_APP_LEVEL: dict[IterateBy, Callable[[FetchContext], list[Subject]]] = {
    IterateBy.SENTENCES: _sentences,
    IterateBy.POIS: _pois,
    IterateBy.VERSIONS: _versions,
}


def _told_by_upstream(
    asking: FetchContext, table: str, error: Exception | None, day: date | None = None
) -> list[Subject]:
    """Return the outcome of a missing upstream partition of today, or of a past day.

    Raises:
        UpstreamMissing: it was never requested.
    """
    if (lacking := asking.lacking()) is not None:
        return [Subject(told=lacking)]
    is_past = day is not None and day < asking.today
    statuses = asking.statuses(table, day if is_past else asking.today)
    if not statuses and is_past:
        return [
            Subject(
                told=SubjectResult(Outcome.FAILED, None, f"`{table}` of {day} are not loaded: backfill `{table}` first")
            )
        ]
    if not statuses:
        raise UpstreamMissing(f"today's `{table}` are not loaded: materialise `{table}` first") from error
    worst = min(statuses, key=lambda s: (not s.status.is_failure, not s.status.is_missing))
    outcome = worst.status if worst.status.is_missing else Outcome.NOT_ASKED
    return [
        Subject(
            told=SubjectResult(
                outcome, worst.code, f"`{table}` has nothing to go through: {worst.reason or worst.status}"
            )
        )
    ]


# --------------------------------------------------------------------------- per account


def _rows_of_accounts(asking: FetchContext, active: list[str]) -> list[Subject]:
    """List the subjects that today's rows of a table name.

    If past days have their own subjects, those of the wanted days are listed.
    """
    if not asking.iteration.by_day:
        return _rows_of_day(asking, active, asking.today)
    subjects = []
    for day in asking.dts:
        found = _rows_of_day(asking, active, day)
        subjects += [replace(s, since=day) if day == asking.today else replace(s, days=(day, day)) for s in found]
    return subjects


def _rows_of_day(asking: FetchContext, active: list[str], day: date) -> list[Subject]:
    iteration, table = asking.iteration, asking.iteration.table
    names = [column for _, column in iteration.columns]
    keep = [condition[0] for condition in (iteration.at_least, iteration.among) if condition]
    try:
        rows = asking.rows(table, day, dict.fromkeys(("open_id", *names, *keep)))
    except FileNotFoundError as error:
        return _told_by_upstream(asking, table, error, day)
    if iteration.at_least:
        rows = rows.filter(pc.greater_equal(rows[iteration.at_least[0]], iteration.at_least[1]))
    if iteration.among:
        rows = rows.filter(pc.is_in(rows[iteration.among[0]], pa.array(iteration.among[1])))
    found: dict[str, set[tuple]] = {}
    for row in rows.group_by(["open_id", *names]).aggregate([]).to_pylist():
        values = tuple(row[n] for n in names)
        if None not in values and values != (row["open_id"],):  # an account is not its own subject
            found.setdefault(row["open_id"], set()).add(values)
    told = _Upstream(asking, table, day)
    params = [param for param, _ in iteration.columns]
    subjects = []
    for open_id in active:
        values = sorted(found.get(open_id, ()))
        subjects += [Subject(open_id, dict(zip(params, v, strict=True))) for v in values] or [told.of(open_id)]
    return subjects


class _Upstream:
    """Outcomes of accounts without rows in the upstream table: the worst one of its operations."""

    def __init__(self, asking: FetchContext, table: str, day: date) -> None:
        self._named = f"today's `{table}`" if day == asking.today else f"`{table}` of {day}"
        self._table = table
        # Several operations may fill the table: a failure explains best why an account has no rows.
        statuses = sorted(asking.statuses(table, day), key=lambda s: (s.status.is_missing, s.status.is_failure))
        self._by_account = {s.open_id: s for s in statuses}

    def known(self, open_id: str) -> SubjectResult | None:
        """Return why the account has no rows, or None if that is not known."""
        own = self._by_account.get(open_id)
        status = own or self._by_account.get("")
        if status is not None and status.status.is_missing:
            return SubjectResult(status.status, status.code, f"its `{self._table}` could not be had: {status.reason}")
        if own is not None and own.status is Outcome.NOT_ASKED:
            return SubjectResult(Outcome.NOT_ASKED, None, own.reason)
        return None

    def of(self, open_id: str) -> Subject:
        """Return the subject that stands for an account without rows, with its outcome."""
        return Subject(
            open_id, told=self.known(open_id) or SubjectResult(Outcome.EMPTY, None, f"nothing in {self._named}")
        )


def _keywords(asking: FetchContext, active: list[str]) -> list[Subject]:
    """List the watched words; one account requests all words that name no account."""
    watched = list_watched(asking.runtime.state, asking.client_key, asking.iteration.watch)
    if not watched:
        return [_empty_watch_list(asking.iteration.watch)]
    if not active:
        return []
    pairs = {(w.open_id or active[0], w.value) for w in watched}
    return [Subject(open_id, {asking.subject_param: word}) for open_id, word in sorted(pairs) if open_id in set(active)]


def _young_videos(asking: FetchContext, active: list[str]) -> list[Subject]:
    """List the videos of active accounts within the endpoint's age limit.

    Private videos have no creation time and are left out.
    """
    endpoint, name = asking.endpoint, asking.subject_param
    oldest = asking.today - timedelta(days=endpoint.max_age_days or 10**5)
    if not any(d <= asking.today for d in asking.runtime.lake.days("videos")):
        return _told_by_upstream(asking, "videos", None)
    # Videos that were young on a past day may be too old now; the platform no longer shows their series.
    span = timedelta(days=(endpoint.max_age_days or 1) - 1)
    created_from = min(oldest, min(asking.dts) - span) if endpoint.windows else oldest
    lists, known = _newest_lists(asking, set(active), oldest, created_from)
    told = None
    subjects = []
    for open_id in active:
        young = [
            Subject(open_id, {name: item}, created) for item, created in lists.get(open_id, ()) if created >= oldest
        ]
        subjects += [
            Subject(open_id, {name: item}, created, created + span)
            for item, created in lists.get(open_id, ())
            if created < oldest
        ]
        if not young:
            told = told or _without_videos(asking, known | lists.keys())
            young = [Subject(open_id, told=told(open_id))]
        subjects += young
    return subjects


def _without_videos(asking: FetchContext, listed: set[str]) -> Callable[[str], SubjectResult]:
    """Return a function for the outcome of an account without young videos; ``listed`` are the accounts with a list."""
    upstream = _Upstream(asking, "videos", asking.today)
    # Neither an old list nor videos known by id say whether there are others.
    unknown = None if _has_list(asking) else asking.lacking() or _NO_VIDEO_KNOWN

    def told(open_id: str) -> SubjectResult:
        if unknown is not None:
            return upstream.known(open_id) or unknown
        if open_id in listed:
            return SubjectResult(Outcome.EMPTY, None, f"no video of the last {asking.endpoint.max_age_days} days")
        return upstream.known(open_id) or SubjectResult(
            Outcome.FAILED, None, "no list of its videos is loaded: see the status of `videos`"
        )

    return told


def _newest_lists(
    asking: FetchContext, accounts: set[str], oldest: date, created_from: date | None = None
) -> tuple[dict[str, list[tuple]], set[str]]:
    """Read the newest list of videos of each account.

    An account whose list could not be fetched on the newest day is represented by its last list.

    Returns:
        (item_id, Beijing day of creation) of the videos since ``created_from`` (default ``oldest``) by account, and the
        accounts whose list of the newest day is settled.

    Raises:
        UpstreamMissing: no list of videos is loaded.
    """
    days = [d for d in asking.runtime.lake.days("videos") if d <= asking.today]
    if not days:
        raise UpstreamMissing("no list of videos is loaded: materialise `videos` first")
    known = {
        s.open_id for s in asking.statuses("videos", days[-1]) if s.status.settled and s.status is not Outcome.NOT_ASKED
    }
    lists: dict[str, list[tuple]] = {}
    for day in reversed(days):
        wanted = accounts - lists.keys() - (known if day < days[-1] else set())
        if not wanted or (lists and day < oldest):
            break
        rows = asking.rows("videos", day, ("open_id", "item_id", "created_at"))
        rows = rows.filter(pc.is_in(rows["open_id"], pa.array(sorted(wanted), pa.string())))
        lists |= {open_id: [] for open_id in pc.unique(rows["open_id"]).to_pylist()}
        created = beijing_days(rows["created_at"])
        young = rows.set_column(2, "created", created).filter(
            pc.greater_equal(created, pa.scalar(created_from or oldest))
        )
        for open_id, item, day_created in zip(
            *(c.to_pylist() for c in young.sort_by([("open_id", "ascending"), ("item_id", "ascending")]).columns),
            strict=True,
        ):
            lists[open_id].append((item, day_created))
    return lists, known


def _known_videos(asking: FetchContext, active: list[str]) -> list[Subject]:
    """List the watched videos, and those that were in lists of earlier days but not in the last of them.

    Only earlier days count, so that a second run of the same day requests the same. If the app has no list of videos at
    all, every known video is requested.
    """
    watched = {
        (w.open_id, w.value) for w in list_watched(asking.runtime.state, asking.client_key, asking.iteration.watch)
    }
    days = [
        d
        for d in asking.runtime.lake.days("videos")
        if asking.today - timedelta(days=REMEMBERED_DAYS) <= d < asking.today
    ]
    known, listed = known_videos(asking.runtime.lake, asking.client_key, days)
    # A list has more data of its videos than a response by id may have: its videos are left out, watched or not.
    has_list = _has_list(asking)
    wanted = (watched | known) - (listed if has_list else set())
    by_account: dict[str, list[str]] = {}
    for open_id, item in sorted(wanted):
        by_account.setdefault(open_id, []).append(item)
    name = asking.subject_param
    subjects = [Subject(open_id, {name: item}) for open_id in active for item in by_account.get(open_id, ())]
    if has_list:
        return subjects or [
            Subject(told=SubjectResult(Outcome.NOT_ASKED, None, "no video is watched, and none left the list"))
        ]
    return subjects + [Subject(open_id, told=_NO_VIDEO_KNOWN) for open_id in active if open_id not in by_account]


_NO_VIDEO_KNOWN = SubjectResult(Outcome.NOT_ASKED, None, f"no young video of it is known: `{WATCH_VIDEO}`")


def _has_list(asking: FetchContext) -> bool:
    """Return whether the app can have lists of videos, and not only videos known by id."""
    lists = {
        e.name
        for e in endpoints_of("videos")
        if e.over is IterateBy.ACCOUNTS and set(e.apps) & set(asking.endpoint.apps)
    }
    return bool(
        lists
        - {c.operation for c in read_capabilities(asking.runtime.state, asking.client_key).values() if not c.owned}
    )


def _commented_videos(asking: FetchContext, active: list[str]) -> list[Subject]:
    """List the videos whose comments may have changed.

    Comments of young videos are read to the end. Other videos are listed if their comment count has changed since the
    comments of their account were last read.
    """
    today, name = asking.today, asking.subject_param
    whole_from = today - timedelta(days=asking.runtime.settings.comment_reread_days)
    try:
        totals = _totals(asking, today)
    except FileNotFoundError as error:
        return _told_by_upstream(asking, "video_totals", error)
    fresh = {(o, item) for o, videos in _newest_lists(asking, set(active), whole_from)[0].items() for item, _ in videos}
    before = _TotalsBefore(asking)
    until = comments_known_until(asking.runtime.lake, asking.client_key, today) if asking.endpoint.incremental else {}
    upstream = _Upstream(asking, "video_totals", today)
    subjects = []
    for open_id in active:
        if open_id not in totals:
            subjects.append(upstream.of(open_id))
            continue
        own = []
        for item, count in sorted(totals[open_id].items()):
            young = (open_id, item) in fresh
            if count == 0 and before.of(open_id, item) in (None, 0):
                continue
            if young:
                own.append(Subject(open_id, {name: item}))
            elif count is None or before.of(open_id, item) != count:
                own.append(Subject(open_id, {name: item}, until=until.get((open_id, item))))
        subjects += own or [
            Subject(open_id, told=SubjectResult(Outcome.NOT_ASKED, None, "no video's comments can have changed"))
        ]
    return subjects


def _totals(asking: FetchContext, day: date) -> dict[str, dict[str, int | None]]:
    """Return the comment count per account and video, as last observed on a day."""
    rows = asking.rows("video_totals", day, ("open_id", "item_id", "comment_count", "observed_at")).sort_by(
        "observed_at"
    )
    totals: dict[str, dict[str, int | None]] = {}
    for open_id, item, count in zip(
        *(rows[c].to_pylist() for c in ("open_id", "item_id", "comment_count")), strict=True
    ):
        totals.setdefault(open_id, {})[item] = count
    return totals


class _TotalsBefore:
    """Comment counts on the last day on which an account's comments were read without failure."""

    def __init__(self, asking: FetchContext) -> None:
        self._asking = asking
        days = [asking.today - timedelta(days=n) for n in range(1, REMEMBERED_DAYS + 1)]
        found = read_load_status(asking.runtime.state, table="comments", dts=days)
        self._last: dict[str, date] = {}
        for s in found:
            if s.client_key == asking.client_key and s.status.settled:
                self._last[s.open_id] = max(self._last.get(s.open_id, date.min), s.dt)
        self._totals: dict[date, dict[str, dict[str, int | None]]] = {}

    def of(self, open_id: str, item: str) -> int | None:
        """Return a video's count; None if its comments were not read, or it did not exist."""
        day = self._last.get(open_id)
        if day is None:
            return None
        if day not in self._totals:
            try:
                self._totals[day] = _totals(self._asking, day)
            except FileNotFoundError:
                self._totals[day] = {}
        return self._totals[day].get(open_id, {}).get(item)


def _replied_comments(asking: FetchContext, active: list[str]) -> list[Subject]:
    """List today's comments with replies; older ones only if they have more replies than are known."""
    subjects = _rows_of_accounts(asking, active)
    if not any(s.params for s in subjects):
        return subjects
    rows = asking.rows("comments", asking.today, ("open_id", "item_id", "comment_id", "reply_count", "created_at"))
    whole_from = asking.today - timedelta(days=asking.runtime.settings.comment_reread_days)
    known = replies_known(asking.runtime.lake, asking.client_key, asking.today)
    settled = {
        (r["open_id"], r["item_id"], r["comment_id"])
        for r in rows.to_pylist()
        if r["created_at"] is not None
        and beijing_day(r["created_at"]) < whole_from
        and known.get((r["open_id"], r["item_id"], r["comment_id"]), 0) >= (r["reply_count"] or 0)
    }
    due = [s for s in subjects if (s.open_id, s.params.get("item_id"), s.params.get("comment_id")) not in settled]
    rested = {s.open_id for s in subjects} - {s.open_id for s in due}
    return due + [
        Subject(o, told=SubjectResult(Outcome.NOT_ASKED, None, "all replies are known")) for o in sorted(rested)
    ]


_PER_ACCOUNT: dict[IterateBy, Callable[[FetchContext, list[str]], list[Subject]]] = {
    IterateBy.VIDEOS: _young_videos,
    IterateBy.KNOWN_VIDEOS: _known_videos,
    IterateBy.COMMENTED_VIDEOS: _commented_videos,
    IterateBy.COMMENTS: _replied_comments,
    IterateBy.KEYWORDS: _keywords,
}
