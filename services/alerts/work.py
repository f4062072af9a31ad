"""Check all alert conditions, and deliver the alerts that are due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.alert_kinds import AlertCondition, AlertKind
from resources.delivery.outgoing import DeliveryResult, deliver, hide_secrets
from resources.delivery.routes import Alerts, check_tags, load_alerts
from resources.runtime import Runtime
from resources.state.accounts import known_apps, list_accounts
from resources.state.alerts import observe
from services.alerts.conditions import accounts_in_need, lacking, not_fresh, quarantined, quotas_in_use, tokens_that_end
from services.alerts.marts import NoMart, low_plays, watched_words


@dataclass
class CheckResult:
    """The conditions found, the kinds that were checked, and why others were not."""

    found: list[AlertCondition] = field(default_factory=list)
    kinds: set[AlertKind] = field(default_factory=set)
    not_looked: dict[AlertKind, str] = field(default_factory=dict)


def read_alerts(runtime: Runtime) -> Alerts:
    """Read the alerts file, whose tags must be those of accounts.

    Raises:
        BadAlerts: it is unusable.
    """
    alerts = load_alerts(runtime.settings)
    if any(route.tags for route in alerts.routes):
        check_tags(
            alerts, {t for key in known_apps(runtime.state) for a in list_accounts(runtime.state, key) for t in a.tags}
        )
    return alerts


def look(runtime: Runtime, alerts: Alerts) -> CheckResult:
    """Check all conditions except failed runs, which are alerted when they fail. Nothing is written."""
    now, state, thresholds = runtime.clock.now(), runtime.state, alerts.thresholds
    looked = CheckResult(
        [
            *accounts_in_need(state, runtime.app_keys),
            *tokens_that_end(state, runtime.app_keys, thresholds.token_days, now),
            *quotas_in_use(state, runtime.settings, thresholds.quota_ratio, now),
            *not_fresh(runtime, thresholds, now),
            *quarantined(state, thresholds),
            *lacking(runtime),
        ],
        {
            AlertKind.NEEDS_CONSENT,
            AlertKind.ACCOUNT_STOPPED,
            AlertKind.TOKEN_ENDS,
            AlertKind.QUOTA,
            AlertKind.NOT_FRESH,
            AlertKind.QUARANTINE,
            AlertKind.LACKING,
        },
    )
    for kind, find in (
        (AlertKind.LOW_PLAYS, lambda: low_plays(runtime)),
        (AlertKind.HOT_WORD, lambda: watched_words(runtime, alerts.watch_words)),
    ):
        try:
            looked.found += find()
            looked.kinds.add(kind)
        except NoMart as error:
            looked.not_looked[kind] = str(error)
    return looked


def run_alerts(runtime: Runtime, *, environment: Mapping[str, str] | None = None) -> tuple[CheckResult, DeliveryResult]:
    """Check the conditions, record which began and which ended, and deliver the alerts that are due.

    Raises:
        BadAlerts: the alerts file is unusable; nothing is done then.
    """
    alerts = read_alerts(runtime)
    hide_secrets(runtime.settings)
    looked, now = look(runtime, alerts), runtime.clock.now()
    observe(runtime.state, looked.found, looked.kinds, now, alerts.repeat_of)
    return looked, deliver(runtime.state, alerts, runtime.settings.locks_dir, now, environment=environment)
