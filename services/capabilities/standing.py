"""Find out what an app can have, what it lacks, which tables that affects, and what to do about it.

Ingestion, ``status``, ``doctor``, the check and the alert all use this module, so that they agree. No API calls are
made: the facts come from trial calls (:mod:`resources.state.capabilities`), consents and watch lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256

from catalog import ENDPOINTS, TABLES, endpoints_of
from catalog.errors import OFFLINE
from catalog.iterations import ITERATIONS, IterateBy
from catalog.records import BEIJING, AppType, Endpoint, Status
from resources.runtime import Runtime
from resources.state.accounts import Account, list_accounts
from resources.state.capabilities import Capability, read_capabilities
from resources.state.load_status import Outcome, scopes_refused
from resources.state.watched import list_watched
from services.capabilities.coverage import NOT_OWNED, OWNED, WITHDRAWN, Coverage, coverage_of

CONSOLE = "the app's capability page (能力管理) in the platform's console"
REMEMBERED_DAYS = 30
"""A video that left the account's list is still requested for this many days."""
_REFUSED_SINCE = timedelta(days=35)
_NAMED = 3
WATCH_VIDEO = "douyin watch add video ITEM_ID --account OPEN_ID"


@dataclass(frozen=True, slots=True)
class Off:
    """An operation that is switched off for an app.

    ``is_gone``: the platform has withdrawn it, and applying for it is impossible.
    """

    operation: str
    scope: str
    code: int | None
    since: date
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Lack:
    """Why an app cannot have a table: all its sources are closed, although any one of them would do.

    - ``off``: operations that are switched off.
    - ``watch``: the watch list that is empty.
    - ``upstream``: the table that the source iterates over, if that table is lacking.
    """

    off: tuple[Off, ...] = ()
    watch: str | None = None
    needs_account: bool = False
    has_endpoint: bool = True
    upstream: str | None = None

    @property
    def outcome(self) -> Outcome:
        """Return the outcome to record for the table."""
        if self.off or not self.has_endpoint:
            return Outcome.UNAVAILABLE
        return Outcome.NEEDS_CONSENT if self.needs_account else Outcome.NOT_ASKED

    @property
    def code(self) -> int | None:
        """Return the platform's error code, if any."""
        return next((one.code for one in self.off), None)

    @property
    def reason(self) -> str:
        """Return the reason, which names the upstream table if that is lacking."""
        return f"`{self.upstream}` cannot be had: {self.cause}" if self.upstream else self.cause

    @property
    def cause(self) -> str:
        """Return the cause, without the upstream table."""
        owned = [one for one in self.off if not one.is_gone]
        gone = [one for one in self.off if one.is_gone]
        parts = [
            f"the app does not own {named(f'`{o.operation}`' for o in owned)}" if owned else "",
            f"the platform no longer grants {named(f'`{o.operation}`' for o in gone)}" if gone else "",
            "no account is authorised" if self.needs_account else "",
            f"no {self.watch} is watched" if self.watch else "",
            "" if self.has_endpoint else "the platform has no endpoint of it for apps of this type",
        ]
        return ", and ".join(p for p in parts if p)

    @property
    def way_out(self) -> str:
        """Say what a person can do, the least effort first."""
        parts = [
            f"`{WATCH_VIDEO if self.watch == 'video' else f'douyin watch add {self.watch} …'}`" if self.watch else "",
            "`douyin authorize`" if self.needs_account else "",
            way_to_capabilities(self.off, others=bool(self.watch or self.needs_account)),
            "" if self.has_endpoint else "add an app of another type (DOUYIN_APPS)",
        ]
        return ", or ".join(p for p in parts if p)

    def __str__(self) -> str:
        return f"{self.reason}. {self.way_out}"


def switched_off(endpoint: Endpoint, known: Capability, app_type: AppType) -> Off:
    """Describe an operation that a trial call has switched off."""
    gone = (
        known.code in OFFLINE
        or endpoint.status is Status.REMOVED
        or (endpoint.status is Status.WITHDRAWN and app_type is AppType.WEB)
    )
    return Off(endpoint.name, endpoint.quota, known.code, known.since.astimezone(BEIJING).date(), gone)


def named(words: Iterable[str], most: int = _NAMED) -> str:
    """Join some words; if there are more than ``most``, give the first ones and the total."""
    found = list(words)
    return ", ".join(found) if len(found) <= most else f"{', '.join(found[:most])} … ({len(found)})"


def way_to_capabilities(off: Iterable[Off], *, others: bool = False) -> str:
    """Say how to get operations that are switched off; empty if only ``others`` help."""
    off = list(off)
    wanted = [one for one in off if not one.is_gone]
    if not wanted:
        if not off or others:
            return ""
        return (
            "nothing to do: the platform no longer grants it. Should it come back: `douyin coverage --enable "
            f"{off[0].operation}`"
        )
    scopes = list(dict.fromkeys(f"`{one.scope}`" for one in wanted))
    which = scopes[0] if len(scopes) == 1 else f"one of {named(scopes, 6)}"
    enable = " ".join(f"--enable {one.operation}" for one in wanted[:_NAMED])
    return f"apply for {which} on {CONSOLE}, then `douyin coverage {enable}{' …' if len(wanted) > _NAMED else ''}`"


@dataclass(frozen=True, slots=True)
class Missing:
    """One cause: what an app lacks, the affected tables, those that depend on them, and what to do."""

    what: str
    operations: tuple[str, ...]
    since: date | None
    tables: tuple[str, ...]
    follows: tuple[str, ...]
    way_out: str
    can_be_had: bool = True
    """Whether a person can do anything about it."""


@dataclass(frozen=True, slots=True)
class MissingConsent:
    """Scopes that the owner of an account did not grant, although the app requests them."""

    account: Account
    scopes: tuple[str, ...]
    operations: tuple[str, ...]

    @property
    def way_out(self) -> str:
        """Say how to get the consent."""
        return f"`douyin authorize` with the account's owner, who ticks {', '.join(self.scopes)}"


class Standing:
    """Availability of operations and tables for one app; each fact is read once."""

    def __init__(self, runtime: Runtime, client_key: str) -> None:
        self._runtime = runtime
        self.client_key = client_key
        self.app_type: AppType = runtime.settings.for_app(client_key).app_type
        self._lacks: dict[str, Lack | None] = {}

    @cached_property
    def capabilities(self) -> dict[str, Capability]:
        """Read the results of trial calls, by operation."""
        return read_capabilities(self._runtime.state, self.client_key)

    @cached_property
    def accounts(self) -> list[Account]:
        """Read the authorised accounts."""
        return list_accounts(self._runtime.state, self.client_key)

    @cached_property
    def _watched(self) -> set[str]:
        return {w.kind for w in list_watched(self._runtime.state, self.client_key)}

    @cached_property
    def operations(self) -> list[Coverage]:
        """Return the state of every operation, as ``douyin coverage`` shows it."""
        return coverage_of(self._runtime.state, self.client_key, self.app_type)

    def counted(self) -> Counter[str]:
        """Count the operations by state: owned, not owned, withdrawn, …."""
        return Counter(line.here for line in self.operations)

    # ---- what is not available

    def off(self, endpoint: Endpoint) -> Off | None:
        """Return the operation if it is switched off for this app, or None."""
        known = self.capabilities.get(endpoint.name)
        return None if known is None or known.owned else switched_off(endpoint, known, self.app_type)

    def lack_of(self, table: str) -> Lack | None:
        """Return why the table is not available at all; None if it is, or if that has not been tried."""
        if table not in self._lacks:
            self._lacks[table] = self._find(table)
        return self._lacks[table]

    def _find(self, table: str) -> Lack | None:
        endpoints = [e for e in endpoints_of(table) if e.name in ENDPOINTS]
        if not endpoints:
            return None  # events are pushed
        found = [self.lack_of_endpoint(e) for e in endpoints if self.app_type in e.apps and self._is_due(e)]
        lacks = [lack for lack in found if lack is not None]
        if len(lacks) < len(found):
            return None
        off = {one.operation: one for lack in lacks for one in lack.off}
        direct = [lack for lack in lacks if lack.upstream is None]
        return Lack(
            tuple(off.values()),
            next((lack.watch for lack in lacks if lack.watch), None),
            any(lack.needs_account for lack in lacks),
            bool(lacks),
            None if direct or not lacks else lacks[0].upstream,
        )

    def _is_due(self, endpoint: Endpoint) -> bool:
        """Return whether an operation counts: a substitute does if the app is known not to own the original."""
        known = self.capabilities.get(endpoint.instead_of) if endpoint.instead_of else None
        return endpoint.instead_of is None or (known is not None and not known.owned)

    def lack_of_endpoint(self, endpoint: Endpoint) -> Lack | None:
        """Return why one operation gives no rows, or None."""
        over = ITERATIONS[endpoint.over]
        if (off := self.off(endpoint)) is not None:
            return Lack((off,))
        if over.per_account and not self.accounts:
            return Lack(needs_account=True)
        if endpoint.over in (IterateBy.VIDEOS, IterateBy.KNOWN_VIDEOS) and self._remembers_videos():
            return None
        if endpoint.over is IterateBy.KNOWN_VIDEOS:
            return None if over.watch in self._watched else Lack(watch=over.watch)
        # The list of the current week needs no version.
        if over.table is None or endpoint.over is IterateBy.VERSIONS or over.watch in self._watched:
            return None
        lack = self.lack_of(over.table)
        return (
            None
            if lack is None
            else Lack(lack.off, lack.watch or over.watch, lack.needs_account, lack.has_endpoint, over.table)
        )

    def _remembers_videos(self) -> bool:
        """Return whether recently listed videos are still requested."""
        today = self._runtime.clock.today()
        return any(today - timedelta(days=REMEMBERED_DAYS) <= d < today for d in self._runtime.lake.days("videos"))

    def is_closed(self, table: str) -> bool:
        """Return whether the table is unavailable because of operations that the app does not own."""
        lack = self.lack_of(table)
        return lack is not None and lack.outcome is Outcome.UNAVAILABLE

    # ---- the same for people

    @cached_property
    def lacks(self) -> dict[str, Lack]:
        """Map unavailable tables to the reason, in catalogue order."""
        return {table: lack for table in TABLES if (lack := self.lack_of(table)) is not None}

    @property
    def closed(self) -> list[str]:
        """List the unavailable tables that only the platform can open."""
        return [table for table in self.lacks if self.is_closed(table)]

    @cached_property
    def missing(self) -> list[Missing]:
        """List every cause once: scopes not owned or withdrawn, and missing accounts or watched values."""
        off = [
            found
            for line in self.operations
            if line.here in (NOT_OWNED, WITHDRAWN) and (found := self.off(ENDPOINTS[line.operation]))
        ]
        groups: dict[str, list[Off]] = {}
        for one in off:
            groups.setdefault("" if one.is_gone else one.scope, []).append(one)
        rows = [self._missing(scope, found) for scope, found in groups.items()]
        for what, lacks in (
            ("no account is authorised", {t: k for t, k in self.lacks.items() if k.needs_account and not k.off}),
            (
                "no video is watched",
                {t: k for t, k in self.lacks.items() if k.watch and not k.off and not k.needs_account},
            ),
            ("no endpoint for apps of this type", {t: k for t, k in self.lacks.items() if not k.has_endpoint}),
        ):
            if lacks:
                tables, follows = _divided(lacks)
                rows.append(Missing(what, (), None, tables, follows, next(iter(lacks.values())).way_out))
        return rows

    def _missing(self, scope: str, off: list[Off]) -> Missing:
        names = {one.operation for one in off}
        lacks = {t: k for t, k in self.lacks.items() if names.intersection(o.operation for o in k.off)}
        tables, follows = _divided(lacks)
        mine = [lack for t, lack in lacks.items() if t in tables]
        # A table may have other sources, which take less effort than this scope.
        others = mine[0] if mine and all(o.operation in names for o in mine[0].off) else Lack()
        way = Lack(tuple(off), others.watch, others.needs_account).way_out
        what = f"scope {scope}" if scope else "no longer granted by the platform"
        return Missing(what, tuple(sorted(names)), max(o.since for o in off), tables, follows, way, bool(scope))

    @cached_property
    def consents(self) -> list[MissingConsent]:
        """List the consents that owners did not grant, as the platform reported at the last request."""
        refused: dict[str, set[str]] = {}
        for operation, open_id in scopes_refused(
            self._runtime.state, self.client_key, self._runtime.clock.today() - _REFUSED_SINCE
        ):
            refused.setdefault(open_id, set()).add(operation)
        return [
            MissingConsent(account, tuple(sorted({ENDPOINTS[o].quota for o in names})), tuple(sorted(names)))
            for account in self.accounts
            if (names := refused.get(account.open_id, set()) & ENDPOINTS.keys())
        ]

    @property
    def fingerprint(self) -> str:
        """Return a hash that changes only when an operation or a consent is lost or gained."""
        facts = [f"{one.operation} {one.here}" for one in self.operations if one.here in (NOT_OWNED, WITHDRAWN)]
        facts += [f"{one.account.open_id} {scope}" for one in self.consents for scope in one.scopes]
        return sha256("\n".join(sorted(facts)).encode()).hexdigest()[:12] if facts else ""

    def summary(self) -> str:
        """Summarise in one line what is owned and what is not."""
        counted = self.counted()
        parts = [
            f"{counted[OWNED]} operations owned",
            f"{counted[NOT_OWNED]} not owned",
            f"{counted[WITHDRAWN]} withdrawn",
        ]
        parts += [f"{len(self.closed)} tables cannot be had"] if self.closed else []
        parts += [] if self.accounts else ["no account is authorised"]
        parts += [f"{len(self.consents)} accounts lack a consent"] if self.consents else []
        return ", ".join(parts)


def _divided(lacks: dict[str, Lack]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split tables into those that lack something themselves and those that depend on such tables."""
    return tuple(t for t, lack in lacks.items() if lack.upstream is None), tuple(
        t for t, lack in lacks.items() if lack.upstream is not None
    )


def standings(runtime: Runtime) -> list[Standing]:
    """Return the availability of each configured app."""
    return [Standing(runtime, key) for key in runtime.app_keys]
