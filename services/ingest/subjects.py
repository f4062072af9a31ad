"""List the subjects of an endpoint: the accounts, videos, comments, places, … of ``catalog.iterations.ITERATIONS``.

Iterations form a graph: accounts -> videos -> comments -> replies. A subject that cannot have data, or whose data
cannot have changed, gets its outcome without a request.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pyarrow.compute as pc

from catalog.iterations import IterateBy
from resources.state.accounts import AccountStatus, list_accounts
from resources.state.load_status import Outcome
from resources.state.watched import list_watched
from services.ingest.fetch_context import FetchContext, Subject
from services.ingest.outcomes import SubjectResult
from services.ingest.upstream import outcome_of_upstream, rows_of_accounts
from services.ingest.video_subjects import (
    commented_video_subjects,
    known_video_subjects,
    replied_comment_subjects,
    young_video_subjects,
)


def subjects_of(context: FetchContext) -> list[Subject]:
    """List all current subjects, in a stable order.

    Raises:
        UpstreamMissing: the table that the endpoint iterates over has no partition yet, although it could have one.
    """
    over = context.endpoint.over
    if over is IterateBy.NOTHING:
        return [Subject()]
    if over is IterateBy.CHOICES:
        name = context.subject_param
        return [
            Subject(params={name: choice}) for p in context.endpoint.params if p.name == name for choice in p.choices
        ]
    if not context.iteration.per_account:
        return _APP_LEVEL.get(over, _watched_words)(context)
    accounts = list_accounts(context.runtime.state, context.client_key)
    if not accounts:
        return [
            Subject(
                known_outcome=SubjectResult(Outcome.NEEDS_CONSENT, None, "no account is authorised: `douyin authorize`")
            )
        ]
    idle = [
        Subject(a.open_id, known_outcome=SubjectResult(_IDLE[a.status], None, a.reason or f"the account is {a.status}"))
        for a in accounts
        if a.status in _IDLE
    ]
    # Accounts that need consent are requested: their access token may still be valid, and if not, the client refuses
    # without a call.
    active = [a.open_id for a in accounts if a.status not in _IDLE]
    if over is IterateBy.ACCOUNTS:
        return [Subject(open_id) for open_id in active] + idle
    return _PER_ACCOUNT.get(over, rows_of_accounts)(context, active) + idle


_IDLE = {AccountStatus.STOPPED: Outcome.STOPPED, AccountStatus.PAUSED: Outcome.NOT_ASKED}
"""Account statuses that prevent requests, and the outcome."""


# --------------------------------------------------------------------------- app level


def _watched_words(context: FetchContext) -> list[Subject]:
    """List the values of a watch list."""
    kind, name = context.iteration.watch, context.subject_param
    values = sorted({w.value for w in list_watched(context.runtime.state, context.client_key, kind)})
    return [Subject(params={name: v}) for v in values] or [_empty_watch_list(kind)]


def _empty_watch_list(kind: str | None) -> Subject:
    return Subject(
        known_outcome=SubjectResult(
            Outcome.NOT_ASKED, None, f"nothing is watched: add some with `douyin watch add {kind} …`"
        )
    )


def _sentences(context: FetchContext) -> list[Subject]:
    """List the words of today's newest hot word list."""
    try:
        rows = context.rows("hot_words", context.today, ("sentence", "observed_at"))
    except FileNotFoundError as error:
        return outcome_of_upstream(context, "hot_words", error)
    newest = rows.filter(pc.equal(rows["observed_at"], pc.max(rows["observed_at"]))) if rows.num_rows else rows
    return [Subject(params={context.subject_param: s}) for s in sorted(set(newest["sentence"].to_pylist()))]


def _pois(context: FetchContext) -> list[Subject]:
    """List the places of the newest lists of claims, and the watched ones."""
    found = {w.value for w in list_watched(context.runtime.state, context.client_key, context.iteration.watch)}
    days = [d for d in context.runtime.lake.days("poi_claims") if d <= context.today]
    if days:
        found |= set(context.rows("poi_claims", days[-1], ["poi_id"])["poi_id"].to_pylist())
    elif not found:
        return outcome_of_upstream(context, "poi_claims", None)
    if not found:
        return [
            Subject(
                known_outcome=SubjectResult(
                    Outcome.NOT_ASKED, None, "no place is claimed or watched: `douyin watch add poi …`"
                )
            )
        ]
    return [Subject(params={context.subject_param: v}) for v in sorted(found)]


def _versions(context: FetchContext) -> list[Subject]:
    """List the rankings of the wanted weeks.

    The running week has no version; a past week has the version that was published for it.
    """
    choices = next(p.choices for p in context.endpoint.params if p.choices)
    running = context.today - timedelta(days=context.today.weekday())
    subjects = [Subject(params={"type": kind}, week=running) for kind in choices] if running in context.dts else []
    past = [week for week in context.dts if week < running]
    if not past:
        return subjects
    days = [d for d in context.runtime.lake.days("ent_rank_versions") if d <= context.today]
    if not days:
        return subjects + outcome_of_upstream(context, "ent_rank_versions", None)
    published = {
        (r["ent_type"], r["start_date"]): r["version"]
        for r in context.rows("ent_rank_versions", days[-1], ("ent_type", "start_date", "version")).to_pylist()
    }
    for week in past:
        for kind in choices:
            if (version := published.get((kind, week))) is None:
                known_outcome = SubjectResult(
                    Outcome.NOT_READY,
                    None,
                    f"no final list of the week of {week} is published: see `ent_rank_versions`",
                )
                subjects.append(Subject(week=week, known_outcome=known_outcome))
            else:
                subjects.append(Subject(params={"type": kind, "version": version}, week=week))
    return subjects


_APP_LEVEL: dict[IterateBy, Callable[[FetchContext], list[Subject]]] = {
    IterateBy.SENTENCES: _sentences,
    IterateBy.POIS: _pois,
    IterateBy.VERSIONS: _versions,
}


# --------------------------------------------------------------------------- per account


def _keywords(context: FetchContext, active: list[str]) -> list[Subject]:
    """List the watched words; one account requests all words that name no account."""
    watched = list_watched(context.runtime.state, context.client_key, context.iteration.watch)
    if not watched:
        return [_empty_watch_list(context.iteration.watch)]
    if not active:
        return []
    pairs = {(w.open_id or active[0], w.value) for w in watched}
    return [
        Subject(open_id, {context.subject_param: word}) for open_id, word in sorted(pairs) if open_id in set(active)
    ]


_PER_ACCOUNT: dict[IterateBy, Callable[[FetchContext, list[str]], list[Subject]]] = {
    IterateBy.VIDEOS: young_video_subjects,
    IterateBy.KNOWN_VIDEOS: known_video_subjects,
    IterateBy.COMMENTED_VIDEOS: commented_video_subjects,
    IterateBy.COMMENTS: replied_comment_subjects,
    IterateBy.KEYWORDS: _keywords,
}
