"""What the archive already holds: the reason why a second run of the same day asks nothing."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from assets.ingest.normalise import complete_sequences, first_day
from assets.ingest.outcomes import Told, tell
from assets.ingest.subjects import Subject
from catalog.errors import Action, error_for
from catalog.records import Endpoint
from resources.archive import Entry
from resources.douyin.paging import FIRST_CURSOR, Resume
from resources.douyin.recorder import Sequence
from resources.runtime import Runtime
from resources.state.load_status import Outcome


class Held:
    """The archive's answers that count for the wanted days, by subject."""

    def __init__(self, runtime: Runtime, endpoint: Endpoint, dts: list[date]) -> None:
        self._endpoint = endpoint
        self._slot = endpoint.cadence.slot(runtime.clock.now()).isoformat()
        days = _observed_on(runtime, endpoint, dts)
        entries = list(runtime.archive.index(endpoint.name, days))
        self._complete = complete_sequences(entries)
        self._by_subject: dict[tuple, list[Entry]] = defaultdict(list)
        key = runtime.settings.client_key
        for entry in entries:
            if entry.client_key == key:
                self._by_subject[(entry.open_id, *sorted(entry.subject.items()))].append(entry)

    def tell(self, subject: Subject, dt: date) -> Told | None:
        """What the archive tells about one day, or None when it has no settled answer."""
        for entry in reversed(self._by_subject.get(subject.key, [])):
            if entry.ok and entry.sequence in self._complete and entry.last and self._covers(entry, dt):
                return tell(self._endpoint, entry.offset + (entry.items or 0), entry.newest, dt)
            if not entry.ok and entry.slot == self._slot and entry.code is not None:
                error = error_for(entry.code)
                if error.action is Action.SKIP:
                    return Told(Outcome.SKIPPED, error.code, error.meaning)
        return None

    def _covers(self, entry: Entry, dt: date) -> bool:
        if not self._endpoint.windows:
            return entry.slot == self._slot
        return entry.newest is not None and dt.isoformat() <= entry.newest and dt >= first_day(self._endpoint, entry)

    def unfinished(self, subject: Subject) -> tuple[Sequence, Resume] | None:
        """A listing of this slot that broke off, and where it goes on."""
        if self._endpoint.paging is None:
            return None
        pages_ = defaultdict(dict)
        for entry in self._by_subject.get(subject.key, []):
            if entry.ok and entry.slot == self._slot and entry.sequence not in self._complete:
                pages_[entry.sequence][entry.page] = entry
        for sequence_id, found in pages_.items():
            if sorted(found) != list(range(1, len(found) + 1)):
                continue
            last = found[len(found)]
            sent = {str(FIRST_CURSOR), *(str(found[n].cursor) for n in range(1, last.page))}
            if last.cursor is None or str(last.cursor) in sent:
                continue  # it broke off because the cursor came again: begin anew
            sequence = Sequence(
                self._endpoint.cadence.slot(last.began_at), dict(subject.params), sequence_id, last.began_at,
                pages=last.page, items=last.offset + (last.items or 0), newest=last.newest,
            )  # fmt: skip
            return sequence, Resume(last.cursor, last.page, frozenset(sent))
        return None


def _observed_on(runtime: Runtime, endpoint: Endpoint, dts: list[date]) -> list[date]:
    """Archive days that can hold an answer about ``dts``."""
    archived = set(runtime.archive.days(endpoint.name))
    if not endpoint.windows:
        return sorted(archived.intersection(dts))
    return sorted({d + timedelta(days=n) for d in dts for n in range(1, max(endpoint.windows) + 1)} & archived)
