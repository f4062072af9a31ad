"""What the archive already holds: the reason why a second run of the same day asks nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from assets.ingest.normalise import complete_sequences, first_day, observation_days
from assets.ingest.outcomes import Told, tell, told_by
from assets.ingest.subjects import Asking, Subject
from catalog import TABLES
from catalog.errors import Action, error_for
from catalog.iterations import Over
from resources.archive import Entry
from resources.douyin.errors import failure
from resources.douyin.paging import Resume
from resources.douyin.recorder import Sequence


class Held:
    """The archive's answers that count for the wanted days, by subject."""

    def __init__(self, asking: Asking) -> None:
        self._endpoint = endpoint = asking.endpoint
        self._slot = endpoint.cadence.slot(asking.runtime.clock.now()).isoformat()
        self._batched = next((p.name for p in endpoint.params if p.batch), None)
        archive = asking.runtime.archive
        days = observation_days(archive, TABLES[endpoint.tables[0]], endpoint, asking.dts)
        entries = list(archive.index(endpoint.name, days))
        self._complete = complete_sequences(entries)
        self._by_subject: dict[tuple, list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.client_key == asking.client_key:
                for key in self._keys(entry):
                    self._by_subject[key].append(entry)

    def _keys(self, entry: Entry) -> Iterator[tuple]:
        """Subjects that an answer is about: several where they were asked for in one request."""
        if self._batched is None:
            yield (entry.open_id, *sorted(entry.subject.items()))
            return
        for one in entry.params.get(self._batched, ()):
            yield (entry.open_id, (self._batched, one))

    def answers(self, subject: Subject) -> list[Entry]:
        """What the archive holds of a subject, in order of time."""
        return self._by_subject.get(subject.key, []) if self._by_subject else []

    def tell(self, answers: list[Entry], dt: date) -> Told | None:
        """What the archive's ``answers`` tell about one day, or None when there is no settled one."""
        for entry in reversed(answers):
            if entry.ok and entry.sequence in self._complete and entry.last and self._covers(entry, dt):
                return tell(self._endpoint, entry.offset + (entry.items or 0), entry.newest, dt)
            if not entry.ok and entry.slot == self._slot and entry.code is not None and error_for(entry.code).action is Action.SKIP:
                return told_by(failure(entry.code, entry.said, logid=entry.logid, operation=entry.operation, open_id=entry.open_id, calls=0))
        return None

    def _covers(self, entry: Entry, dt: date) -> bool:
        if self._endpoint.over is Over.VERSIONS and "version" in entry.params:
            return True  # a final list stays as it is
        if not self._endpoint.windows:
            return entry.slot == self._slot
        return entry.newest is not None and dt.isoformat() <= entry.newest and dt >= first_day(self._endpoint, entry)

    def unfinished(self, subject: Subject) -> tuple[Sequence, Resume] | None:
        """A listing of this slot that broke off, and where it goes on. A session cannot be taken up again."""
        paging = self._endpoint.paging
        if paging is None or paging.session:
            return None
        pages_ = defaultdict(dict)
        for entry in self.answers(subject):
            if entry.ok and entry.slot == self._slot and entry.sequence not in self._complete:
                pages_[entry.sequence][entry.page] = entry
        for sequence_id, found in pages_.items():
            if sorted(found) != list(range(1, len(found) + 1)):
                continue
            last = found[len(found)]
            sent = {str(paging.first), *(str(found[n].cursor) for n in range(1, last.page))}
            if last.cursor is None or str(last.cursor) in sent:
                continue  # it broke off because the cursor came again: begin anew
            sequence = Sequence(
                self._endpoint.cadence.slot(last.began_at), subject.named, sequence_id, last.began_at,
                pages=last.page, items=last.offset + (last.items or 0), newest=last.newest,
            )  # fmt: skip
            return sequence, Resume(last.cursor, last.page, frozenset(sent))
        return None
