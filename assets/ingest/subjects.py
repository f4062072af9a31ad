"""What an endpoint iterates over: accounts, an account's young videos, the words of the newest list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from assets.ingest.outcomes import Told
from catalog.records import Endpoint, Fill, Over, beijing_day
from resources.runtime import Runtime
from resources.state.accounts import AccountStatus, list_accounts
from resources.state.load_status import Outcome, read_load_status


class NothingToAsk(LookupError):
    """What the endpoint iterates over is not loaded yet; the message says what to do."""


@dataclass(frozen=True)
class Subject:
    """One thing to ask for. ``params`` names it in the request; ``since`` is its first day, where it has one."""

    open_id: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    since: date | None = None
    told: Told | None = None
    """What is known of it without asking: then it is not asked for."""

    @property
    def key(self) -> tuple:
        return (self.open_id, *sorted(self.params.items()))


def subjects_of(runtime: Runtime, endpoint: Endpoint) -> list[Subject]:
    """All subjects of ``endpoint`` at this moment, in a stable order.

    Raises:
        NothingToAsk: there is no account, or the table iterated over has no partition yet.
    """
    if endpoint.over is Over.NOTHING:
        return [Subject()]
    if endpoint.over is Over.SENTENCES:
        return _sentences(runtime, _subject_param(endpoint))
    accounts = list_accounts(runtime.state, runtime.settings.client_key)
    if not accounts:
        raise NothingToAsk("no account is authorised: run `douyin authorize`, or try the sandbox with `make demo`")
    stopped = [
        Subject(a.open_id, told=Told(Outcome.STOPPED, None, a.reason or "the account was stopped"))
        for a in accounts if a.status is AccountStatus.STOPPED
    ]  # fmt: skip
    # An account that needs consent is asked for: its access token may still be valid, and if not, the client refuses without a call.
    open_ids = [a.open_id for a in accounts if a.status is not AccountStatus.STOPPED]
    if endpoint.over is Over.ACCOUNTS:
        return [Subject(open_id) for open_id in open_ids] + stopped
    return _young_videos(runtime, endpoint, set(open_ids)) + stopped


def _subject_param(endpoint: Endpoint) -> str:
    return next(p.name for p in endpoint.params if p.fill is Fill.SUBJECT)


def _young_videos(runtime: Runtime, endpoint: Endpoint, accounts: set[str]) -> list[Subject]:
    """Videos of active accounts within the endpoint's age limit. Private ones hide their creation time and are left out.

    An account whose list could not be had on the newest day is asked for the videos of its last list.
    """
    today = runtime.clock.today()
    oldest = today - timedelta(days=endpoint.max_age_days or 10**5)
    days = [d for d in runtime.lake.days("videos") if d <= today]
    if not days:
        raise NothingToAsk("no list of videos is loaded: materialise `videos` first")
    known = {s.open_id for s in read_load_status(runtime.state, table="videos", dts=days[-1:]) if s.status.settled}
    lists = {}
    for day in reversed(days):
        wanted = accounts - lists.keys() - (known if day < days[-1] else set())
        if not wanted or (lists and day < oldest):
            break
        lists |= _list_of(runtime, day, wanted)
    name = _subject_param(endpoint)
    subjects = []
    for open_id in sorted(accounts):
        videos = [(item, beijing_day(created)) for item, created in lists.get(open_id, ()) if created is not None]
        young = [Subject(open_id, {name: item}, created) for item, created in videos if created >= oldest]
        if not young and (open_id in lists or open_id in known):
            young = [Subject(open_id, told=Told(Outcome.EMPTY, None, f"no video of the last {endpoint.max_age_days} days"))]
        elif not young:
            young = [Subject(open_id, told=Told(Outcome.FAILED, None, "no list of its videos is loaded: see the status of `videos`"))]
        subjects += young
    return subjects


def _list_of(runtime: Runtime, day: date, accounts: set[str]) -> dict[str, list[tuple]]:
    """(item_id, created_at) of each account's videos on one day, in order; accounts without rows are left out."""
    rows = runtime.lake.read("videos", day).select(["client_key", "open_id", "item_id", "created_at"])
    mine = pc.and_(pc.equal(rows["client_key"], runtime.settings.client_key), pc.is_in(rows["open_id"], pa.array(sorted(accounts), pa.string())))
    lists: dict[str, list[tuple]] = {}
    for row in rows.filter(mine).sort_by([("open_id", "ascending"), ("item_id", "ascending")]).to_pylist():
        lists.setdefault(row["open_id"], []).append((row["item_id"], row["created_at"]))
    return lists


def _sentences(runtime: Runtime, param: str) -> list[Subject]:
    """The words of today's newest hot word list."""
    try:
        rows = runtime.lake.read("hot_words", runtime.clock.today())
    except FileNotFoundError as error:
        raise NothingToAsk("today's hot words are not loaded: materialise `hot_words` first") from error
    if rows.num_rows == 0:
        return []
    newest = rows.filter(pc.equal(rows["observed_at"], pc.max(rows["observed_at"])))
    return [Subject(params={param: s}) for s in sorted(set(newest["sentence"].to_pylist()))]
