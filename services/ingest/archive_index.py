"""Index the archive by subject, so that a second run of the same day requests nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta

from catalog import TABLES
from catalog.envelopes import UNREADABLE_DAY
from catalog.errors import Action, error_for
from catalog.iterations import IterateBy
from catalog.records import Endpoint, beijing_day
from resources.client.errors import failure
from resources.client.paging import Resume
from resources.client.recorder import Sequence
from resources.storage.archive import Archive
from resources.storage.segments import ArchiveEntry
from services.ingest.covered_days import complete_sequences, first_day, observation_days
from services.ingest.fetch_context import FetchContext, Subject
from services.ingest.outcomes import SubjectResult, outcome_of, outcome_of_error
from services.ingest.periods import OVERLAP_DAYS, PERIOD, Period, covers, midnight, period_days, reaches_now, requested


def _newest(entry: ArchiveEntry) -> str | None:
    """Return the latest day of an archived series, or None if it is in the future, as older releases recorded it."""
    is_to_come = entry.newest not in (None, UNREADABLE_DAY) and entry.newest > beijing_day(entry.began_at).isoformat()
    return None if is_to_come else entry.newest


class ArchiveIndex:
    """The archived responses that count for the wanted days, by subject."""

    def __init__(self, context: FetchContext) -> None:
        self._endpoint = endpoint = context.endpoint
        self._slot = endpoint.cadence.slot(context.runtime.clock.now()).isoformat()
        self._batched = next((p.name for p in endpoint.params if p.batch), None)
        self._today = context.today
        archive = context.runtime.archive
        days = observation_days(archive, TABLES[endpoint.tables[0]], endpoint, context.dts)
        if endpoint.has_past_days:  # a later response may cover what a day's own left out
            days = [d for d in archive.days(endpoint.name) if d >= min(context.dts)]
        entries = list(archive.index(endpoint.name, days))
        self._complete = complete_sequences(entries)
        self._by_subject: dict[tuple, list[ArchiveEntry]] = defaultdict(list)
        for entry in entries:
            if entry.client_key == context.client_key:
                for key in self._keys(entry):
                    self._by_subject[key].append(entry)

    def _keys(self, entry: ArchiveEntry) -> Iterator[tuple]:
        """Yield the keys of the subjects of a response; a batched request has several."""
        if self._batched is None:
            yield (entry.open_id, *sorted(item for item in entry.subject.items() if item[0] != PERIOD))
            return
        values = entry.params.get(self._batched)
        for value in values if isinstance(values, list) else ():
            yield (entry.open_id, (self._batched, value))

    def answers(self, subject: Subject) -> list[ArchiveEntry]:
        """Return the archived responses of a subject, in order of time."""
        return self._by_subject.get(subject.key, []) if self._by_subject else []

    def outcome_of(self, answers: list[ArchiveEntry], dt: date) -> SubjectResult | None:
        """Return the outcome of one day from archived responses, or None if none settles it."""
        if self._endpoint.reaches_back and dt < self._today:
            answers = self._saying_all(answers, dt)
        for entry in reversed(answers):
            if entry.ok and entry.sequence in self._complete and entry.last and self._covers(entry, dt):
                return outcome_of(self._endpoint, entry.offset + (entry.items or 0), _newest(entry), dt)
            if (
                not entry.ok
                and entry.slot == self._slot
                and entry.code is not None
                and error_for(entry.code).action is Action.SKIP
            ):
                return outcome_of_error(
                    failure(
                        entry.code,
                        entry.said,
                        logid=entry.logid,
                        operation=entry.operation,
                        open_id=entry.open_id,
                        calls=0,
                    )
                )
        return None

    def _covers(self, entry: ArchiveEntry, dt: date) -> bool:
        if self._endpoint.over is IterateBy.VERSIONS and "version" in entry.params:
            return True  # a final list never changes
        if not self._endpoint.windows:
            return self._covers_listed(entry, dt)
        newest = _newest(entry)
        return newest is not None and dt.isoformat() <= newest and dt >= first_day(self._endpoint, entry)

    def _covers_listed(self, entry: ArchiveEntry, dt: date) -> bool:
        """Return whether a listing is of a day: today's in the current slot, or one of a past day.

        The list of the running week, whose partition is its Monday, changes every day and counts as today's.
        """
        if (days := period_days(entry)) is not None:
            return days[0] <= dt <= days[1]
        is_up_to_now = not self._endpoint.reaches_back or reaches_now(self._endpoint, entry)
        is_present = dt == self._today or self._endpoint.over is IterateBy.VERSIONS
        return is_up_to_now and (entry.slot == self._slot if is_present else beijing_day(entry.began_at) == dt)

    def _saying_all(self, answers: list[ArchiveEntry], dt: date) -> list[ArchiveEntry]:
        """Select the responses of a past day.

        Daily runs are left out if the rest of that day was never requested.
        """
        daily = [e for e in answers if e.ok and e.sequence in self._complete and PERIOD not in e.subject]
        is_whole = covers((requested(self._endpoint, e) for e in daily), dt)
        return [e for e in answers if is_whole or PERIOD in e.subject or not e.ok]

    def unfinished(self, subject: Subject, period: Period | None) -> tuple[Sequence, Resume, Period | None] | None:
        """Find an incomplete listing of this slot and period.

        A paging session cannot be resumed.

        Returns:
            The sequence, where it resumes, and the period as it was requested; or None.
        """
        paging = self._endpoint.paging
        if paging is None or paging.session:
            return None
        by_sequence: dict[str, dict[int, ArchiveEntry]] = defaultdict(dict)
        for entry in self.answers(subject):
            if (
                entry.ok
                and entry.slot == self._slot
                and entry.sequence not in self._complete
                and self._is_of(entry, subject, period)
            ):
                by_sequence[entry.sequence][entry.page] = entry
        for sequence_id, found in by_sequence.items():
            if sorted(found) != list(range(1, len(found) + 1)):
                continue
            last = found[len(found)]
            sent = {str(paging.first), *(str(found[n].cursor) for n in range(1, last.page))}
            if last.cursor is None or str(last.cursor) in sent:
                continue  # it broke off because the cursor was repeated: restart
            sequence = Sequence(
                self._endpoint.cadence.slot(last.began_at),
                subject.named,
                sequence_id,
                last.began_at,
                pages=last.page,
                items=last.offset + (last.items or 0),
                newest=last.newest,
            )
            return (
                sequence,
                Resume(last.cursor, last.page, frozenset(sent)),
                period and Period(*requested(self._endpoint, last)),
            )
        return None

    def _is_of(self, entry: ArchiveEntry, subject: Subject, period: Period | None) -> bool:
        return entry.subject.get(PERIOD) == subject.named.get(PERIOD) and (
            period is None or requested(self._endpoint, entry)[0] == period.since
        )


def known_until(
    archive: Archive, endpoint: Endpoint, client_key: str, accounts: Collection[str], today: date
) -> dict[str, datetime]:
    """Return from which instant on each account has to be requested, by the newest responses of daily runs.

    Accounts without any are left out. Periods are requested oldest first, so nothing before the newest response is
    missing.
    """
    known: dict[str, datetime] = {}
    for day in reversed([d for d in archive.days(endpoint.name) if d <= today]):
        if not (missing := set(accounts) - known.keys()):
            break
        entries = list(archive.index(endpoint.name, [day]))
        complete = complete_sequences(entries)
        for entry in entries:
            if (
                entry.client_key != client_key
                or entry.open_id not in missing
                or not entry.ok
                or entry.sequence not in complete
                or PERIOD in entry.subject
            ):
                continue
            until = requested(endpoint, entry)[1]
            if reaches_now(endpoint, entry):
                until = midnight(beijing_day(until) - timedelta(days=OVERLAP_DAYS))
            known[entry.open_id] = max(known.get(entry.open_id, until), until)
    return known
