"""List videos, comments and replies as subjects: what is young enough, and what may have changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from catalog import endpoints_of
from catalog.iterations import IterateBy
from catalog.records import beijing_day
from resources.state.capabilities import read_capabilities
from resources.state.load_status import Outcome, read_load_status
from resources.state.watched import list_watched
from services.capabilities.standing import REMEMBERED_DAYS, WATCH_VIDEO
from services.ingest.fetch_context import FetchContext, Subject, UpstreamMissing
from services.ingest.known import comments_known_until, known_videos, replies_known
from services.ingest.outcomes import SubjectResult
from services.ingest.rows import beijing_days
from services.ingest.upstream import Upstream, outcome_of_upstream, rows_of_accounts


def young_video_subjects(context: FetchContext, active: list[str]) -> list[Subject]:
    """List the videos of active accounts within the endpoint's age limit.

    Private videos have no creation time and are left out.
    """
    endpoint, name = context.endpoint, context.subject_param
    oldest = context.today - timedelta(days=endpoint.max_age_days or 10**5)
    if not any(d <= context.today for d in context.runtime.lake.days("videos")):
        return outcome_of_upstream(context, "videos", None)
    # Videos that were young on a past day may be too old now; the platform no longer shows their series.
    span = timedelta(days=(endpoint.max_age_days or 1) - 1)
    created_from = min(oldest, min(context.dts) - span) if endpoint.windows else oldest
    lists, known = _newest_lists(context, set(active), oldest, created_from)
    outcome_without_videos = None
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
            outcome_without_videos = outcome_without_videos or _without_videos(context, known | lists.keys())
            young = [Subject(open_id, known_outcome=outcome_without_videos(open_id))]
        subjects += young
    return subjects


def _without_videos(context: FetchContext, listed: set[str]) -> Callable[[str], SubjectResult]:
    """Return a function for the outcome of an account without young videos; ``listed`` are the accounts with a list."""
    upstream = Upstream(context, "videos", context.today)
    # Neither an old list nor videos known by id say whether there are others.
    unknown = None if _has_list(context) else context.unavailability() or _NO_VIDEO_KNOWN

    def outcome_without_videos(open_id: str) -> SubjectResult:
        if unknown is not None:
            return upstream.known(open_id) or unknown
        if open_id in listed:
            return SubjectResult(Outcome.EMPTY, None, f"no video of the last {context.endpoint.max_age_days} days")
        return upstream.known(open_id) or SubjectResult(
            Outcome.FAILED, None, "no list of its videos is loaded: see the status of `videos`"
        )

    return outcome_without_videos


def _newest_lists(
    context: FetchContext, accounts: set[str], oldest: date, created_from: date | None = None
) -> tuple[dict[str, list[tuple]], set[str]]:
    """Read the newest list of videos of each account.

    An account whose list could not be fetched on the newest day is represented by its last list.

    Returns:
        (item_id, Beijing day of creation) of the videos since ``created_from`` (default ``oldest``) by account, and the
        accounts whose list of the newest day is settled.

    Raises:
        UpstreamMissing: no list of videos is loaded.
    """
    days = [d for d in context.runtime.lake.days("videos") if d <= context.today]
    if not days:
        raise UpstreamMissing("no list of videos is loaded: materialise `videos` first")
    known = {
        s.open_id
        for s in context.statuses("videos", days[-1])
        if s.status.settled and s.status is not Outcome.NOT_ASKED
    }
    lists: dict[str, list[tuple]] = {}
    for day in reversed(days):
        wanted = accounts - lists.keys() - (known if day < days[-1] else set())
        if not wanted or (lists and day < oldest):
            break
        rows = context.rows("videos", day, ("open_id", "item_id", "created_at"))
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


def known_video_subjects(context: FetchContext, active: list[str]) -> list[Subject]:
    """List the watched videos, and those that were in lists of earlier days but not in the last of them.

    Only earlier days count, so that a second run of the same day requests the same. If the app has no list of videos at
    all, every known video is requested.
    """
    watched = {
        (w.open_id, w.value) for w in list_watched(context.runtime.state, context.client_key, context.iteration.watch)
    }
    days = [
        d
        for d in context.runtime.lake.days("videos")
        if context.today - timedelta(days=REMEMBERED_DAYS) <= d < context.today
    ]
    known, listed = known_videos(context.runtime.lake, context.client_key, days)
    # A list has more data of its videos than a response by id may have: its videos are left out, watched or not.
    has_list = _has_list(context)
    wanted = (watched | known) - (listed if has_list else set())
    by_account: dict[str, list[str]] = {}
    for open_id, item in sorted(wanted):
        by_account.setdefault(open_id, []).append(item)
    name = context.subject_param
    subjects = [Subject(open_id, {name: item}) for open_id in active for item in by_account.get(open_id, ())]
    if has_list:
        return subjects or [
            Subject(known_outcome=SubjectResult(Outcome.NOT_ASKED, None, "no video is watched, and none left the list"))
        ]
    return subjects + [
        Subject(open_id, known_outcome=_NO_VIDEO_KNOWN) for open_id in active if open_id not in by_account
    ]


_NO_VIDEO_KNOWN = SubjectResult(Outcome.NOT_ASKED, None, f"no young video of it is known: `{WATCH_VIDEO}`")


def _has_list(context: FetchContext) -> bool:
    """Return whether the app can have lists of videos, and not only videos known by id."""
    lists = {
        e.name
        for e in endpoints_of("videos")
        if e.over is IterateBy.ACCOUNTS and set(e.apps) & set(context.endpoint.apps)
    }
    return bool(
        lists
        - {c.operation for c in read_capabilities(context.runtime.state, context.client_key).values() if not c.owned}
    )


def commented_video_subjects(context: FetchContext, active: list[str]) -> list[Subject]:
    """List the videos whose comments may have changed.

    Comments of young videos are read to the end. Other videos are listed if their comment count has changed since the
    comments of their account were last read.
    """
    today, name = context.today, context.subject_param
    whole_from = today - timedelta(days=context.runtime.settings.comment_reread_days)
    try:
        totals = _totals(context, today)
    except FileNotFoundError as error:
        return outcome_of_upstream(context, "video_totals", error)
    fresh = {
        (o, item) for o, videos in _newest_lists(context, set(active), whole_from)[0].items() for item, _ in videos
    }
    before = _TotalsBefore(context)
    until = (
        comments_known_until(context.runtime.lake, context.client_key, today) if context.endpoint.incremental else {}
    )
    upstream = Upstream(context, "video_totals", today)
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
            Subject(
                open_id, known_outcome=SubjectResult(Outcome.NOT_ASKED, None, "no video's comments can have changed")
            )
        ]
    return subjects


def _totals(context: FetchContext, day: date) -> dict[str, dict[str, int | None]]:
    """Return the comment count per account and video, as last observed on a day."""
    rows = context.rows("video_totals", day, ("open_id", "item_id", "comment_count", "observed_at")).sort_by(
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

    def __init__(self, context: FetchContext) -> None:
        self._asking = context
        days = [context.today - timedelta(days=n) for n in range(1, REMEMBERED_DAYS + 1)]
        found = read_load_status(context.runtime.state, table="comments", dts=days)
        self._last: dict[str, date] = {}
        for s in found:
            if s.client_key == context.client_key and s.status.settled:
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


def replied_comment_subjects(context: FetchContext, active: list[str]) -> list[Subject]:
    """List today's comments with replies; older ones only if they have more replies than are known."""
    subjects = rows_of_accounts(context, active)
    if not any(s.params for s in subjects):
        return subjects
    rows = context.rows("comments", context.today, ("open_id", "item_id", "comment_id", "reply_count", "created_at"))
    whole_from = context.today - timedelta(days=context.runtime.settings.comment_reread_days)
    known = replies_known(context.runtime.lake, context.client_key, context.today)
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
        Subject(o, known_outcome=SubjectResult(Outcome.NOT_ASKED, None, "all replies are known"))
        for o in sorted(rested)
    ]
