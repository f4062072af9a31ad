"""Check the standing of the installation for ``douyin doctor``: capabilities, consents, schedules, space."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from apps.cli.findings import Finding, note, ok, warn
from resources.config.settings import Settings

_FEW = 12
"""Accounts that are named; the rest is counted."""
_NAMED = 6
_DAY = timedelta(days=1)


def check_capabilities(settings: Settings) -> Iterator[Finding]:
    """List operations that each app owns, does not own, or lost, and the consequences."""
    from resources.runtime import Runtime
    from services.capabilities.coverage import NEVER_TRIED, NOT_OWNED, OWNED, WITHDRAWN
    from services.capabilities.standing import named, standings

    if not settings.home.exists():
        return
    with Runtime(settings) as runtime:
        found = standings(runtime)
    for standing in found:
        counted = standing.counted()
        what = ", ".join(f"{counted[here]} {here}" for here in (OWNED, NOT_OWNED, WITHDRAWN, NEVER_TRIED))
        yield note(
            f"app {standing.client_key} ({standing.app_type}): {what}",
            "`douyin coverage`: every operation with its scope and reason",
        )
        for one in standing.missing:
            operations = f" ({named(one.operations, _NAMED)})" if one.operations else ""
            tables = (
                f": no {named(one.tables, _NAMED)}"
                if one.tables
                else ": part of their tables"
                if one.operations
                else ""
            )
            follows = f"; from that no {named(one.follows, _NAMED)}" if one.follows else ""
            since = f", since {one.since}" if one.since else ""
            yield (warn if one.can_be_had else note)(f"{one.what}{operations}{since}{tables}{follows}", one.way_out)


def check_consents(settings: Settings) -> Iterator[Finding]:
    """List the consents that accounts lack, and how many days their tokens last."""
    from resources.client.countdown import countdown, warnings_due
    from resources.runtime import Runtime
    from resources.state.accounts import AccountStatus, list_accounts
    from services.capabilities.standing import named, standings

    if not (settings.home.exists() and settings.has_credentials):
        return
    with Runtime(settings) as runtime:
        now, apps = runtime.clock.now(), list(runtime.app_keys)
        if not any(list_accounts(runtime.state, key) for key in apps):
            yield warn("no account is authorised", "`douyin authorize`")
            return
        due = warnings_due(runtime.state, apps, now)
        urgent = {(one.account.client_key, one.account.open_id) for one in due}
        lines = [
            one
            for key in apps
            for one in countdown(runtime.state, key, now)
            if one.account.status is AccountStatus.ACTIVE
        ]
        for one in [one for one in lines if (one.account.client_key, one.account.open_id) not in urgent][:_FEW]:
            yield ok(
                f"account {_called(one.account)}: access token {_days(one.access_left)}, refresh token "
                f"{_days(one.refresh_left)}, "
                f"{one.renewals_left} renewals left, consent ends in {_days(one.consent_left)}"
            )
        if len(lines) > _FEW:
            yield note(
                f"{len(lines)} accounts are active; the {_FEW} that end first are shown", "`douyin accounts list`"
            )
        for one in due[:_FEW]:
            when = "its consent is over" if one.warning == 0 else f"a person must act within {one.warning} days"
            yield warn(
                f"account {_called(one.account)}: {when} ({one.account.reason or one.account.status})",
                "`douyin authorize` with its owner",
            )
        if len(due) > _FEW:
            yield warn(f"… and {len(due) - _FEW} more accounts", "`douyin accounts list --needs-consent`")
        for key in apps:
            for account in list_accounts(runtime.state, key, [AccountStatus.STOPPED])[:_FEW]:
                yield warn(
                    f"account {_called(account)}: stopped ({account.reason})",
                    "nothing more is collected of it; its data may have to be deleted",
                )
        missing = [consent for standing in standings(runtime) for consent in standing.consents]
        for consent in missing[:_FEW]:
            yield warn(
                f"account {_called(consent.account)}: its owner did not grant {', '.join(consent.scopes)} "
                f"({named(consent.operations, _NAMED)})",
                consent.way_out,
            )
        if len(missing) > _FEW:
            yield warn(
                f"… and {len(missing) - _FEW} more accounts lack a consent",
                "`SELECT DISTINCT open_id, operation FROM meta.load_status WHERE status = 'needs_consent'` "
                "in `douyin sql`",
            )


def _called(account) -> str:
    return account.name or account.open_id


def _days(left: timedelta | None) -> str:
    return "–" if left is None else f"{left / _DAY:.1f} d"


def check_schedules(settings: Settings) -> Iterator[Finding]:
    """List which schedules are on and when each runs next, and check that a daemon runs to start them."""
    home = settings.home / "dagster"
    turn_on = (
        "*Automation* in the UI (`douyin dev`), or `dagster schedule start NAME`; without Dagster's daemon "
        "`douyin run` from cron does the same"
    )
    if not ((home / "schedules").exists() and (home / "dagster.yaml").exists()):
        yield note("no schedule was ever turned on", turn_on)
        return
    from pipelines.schedule_status import read_schedule_status

    status = read_schedule_status(settings, home)
    if not status.next_runs:
        yield note("all schedules are off", turn_on)
        return
    for name, at in status.next_runs.items():
        yield ok(f"{name} is on: next run {at:%Y-%m-%d %H:%M} in Beijing")
    if status.off:
        yield note(f"off: {', '.join(status.off)}", turn_on)
    if not status.daemon_is_healthy:
        since = (
            f"since {status.last_heartbeat:%Y-%m-%d %H:%M} in Beijing"
            if status.last_heartbeat
            else "and never ran here"
        )
        yield warn(
            f"no dagster-daemon runs {since}: schedules that are on do not tick",
            "start `dagster-daemon run` under the service manager (docs/own-app.md)",
        )


def check_space(settings: Settings) -> Iterator[Finding]:
    """List the sizes of the parts of the home."""
    from resources.runtime import Runtime
    from services.maintenance.retention import Size, sizes

    if not settings.home.exists():
        return
    with Runtime(settings) as runtime:
        found = sizes(runtime)
    parts = {name: sum(found[name].values(), Size()).bytes for name in ("archive", "lake")} | {
        name: size.bytes for name, size in found["home"].items()
    }
    kept = (
        "everything is kept for ever"
        if not (settings.keep_archive_days or settings.keep_lake_days or settings.keep)
        else "old days are pruned as the settings say"
    )
    yield note(
        f"{', '.join(f'{name} {size / 1e6:,.1f} MB' for name, size in parts.items())}; {kept}",
        "`douyin storage`, `douyin storage compact`, DOUYIN_KEEP_ARCHIVE_DAYS, DOUYIN_KEEP_LAKE_DAYS",
    )
