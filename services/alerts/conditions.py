"""Find alert conditions in the state: consents, tokens, quotas, freshness, quarantine. Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from catalog import TABLES, endpoints_of
from catalog.alert_kinds import AlertCondition, AlertKind, Severity
from catalog.records import Table, beijing_day
from resources.client.countdown import Countdown, countdown
from resources.config.settings import Settings
from resources.delivery.messages import clock
from resources.delivery.routes import Thresholds
from resources.runtime import Runtime
from resources.state import State
from resources.state.accounts import Account, AccountStatus, list_accounts
from resources.state.limits import quota_days
from resources.state.load_status import LoadedDay, Outcome, newest_day
from services.capabilities.coverage import NOT_OWNED, WITHDRAWN
from services.capabilities.standing import named, standings
from services.outreach.masking import mask_id


def called(account: Account) -> str:
    """Return the name of an account for people: its given name, else its masked id."""
    return account.name or mask_id(account.open_id)


def accounts_in_need(state: State, client_keys: Iterable[str]) -> list[AlertCondition]:
    """Find accounts whose owners must authorise again, and those that the platform stopped."""
    found = []
    for key in client_keys:
        for account in list_accounts(state, key, [AccountStatus.NEEDS_CONSENT, AccountStatus.STOPPED]):
            who, subject, why = called(account), f"{key}/{account.open_id}", account.reason or "no reason was stored"
            if account.status is AccountStatus.NEEDS_CONSENT:
                found.append(
                    AlertCondition(
                        AlertKind.NEEDS_CONSENT,
                        subject,
                        Severity.CRITICAL,
                        who,
                        f"账号 {who} 需要重新授权，在此之前不再采集：{why}",
                        f"{who} must authorise again; nothing of it is collected until then: {why}",
                        "douyin authorize",
                        tags=account.tags,
                    )
                )
            else:
                found.append(
                    AlertCondition(
                        AlertKind.ACCOUNT_STOPPED,
                        subject,
                        Severity.WARNING,
                        who,
                        f"账号 {who} 已停止采集：{why}",
                        f"{who} is no longer collected: {why}",
                        "douyin accounts list",
                        tags=account.tags,
                    )
                )
    return found


def lacking(runtime: Runtime) -> list[AlertCondition]:
    """Report what each app lacks, as one condition.

    It is alerted again when an operation or a consent is lost or gained.
    """
    found = []
    for standing in standings(runtime):
        if not (stage := standing.fingerprint):
            continue
        key, counted = standing.client_key, standing.counted()
        scopes = named((one.what for one in standing.missing if one.operations), 6)
        zh = (
            f"应用 {key}：{counted[NOT_OWNED]} 个接口无能力，{counted[WITHDRAWN]} 个已下线，"
            f"{len(standing.closed)} 张表无法采集，"
            f"{len(standing.consents)} 个账号缺少授权。此为已知情况，不影响任务成败"
        )
        en = f"app {key}: {standing.summary()}. Missing: {scopes}. This is known, and fails no run"
        found.append(
            AlertCondition(
                AlertKind.LACKING, key, Severity.WARNING, key, zh, en, "douyin doctor; douyin coverage", stage
            )
        )
    return found


def tokens_that_end(
    state: State, client_keys: Iterable[str], days: Iterable[int], now: datetime
) -> list[AlertCondition]:
    """Find consents that end within ``days`` unless a person acts.

    Each of the days is a stage with its own alert, and so is the end.
    """
    found = []
    for key in client_keys:
        for line in countdown(state, key, now):
            if line.account.status is not AccountStatus.ACTIVE or line.warning is None:
                continue  # already reported as an account in need
            stage = 0 if line.warning == 0 else min((d for d in days if d >= line.warning), default=None)
            if stage is not None:
                found.append(_token(line, stage))
    return found


def _token(line: Countdown, stage: int) -> AlertCondition:
    account, who = line.account, called(line.account)
    if stage == 0:
        zh, en = f"账号 {who} 的授权已失效，不再采集", f"the consent of {who} is over: nothing of it is collected"
    else:
        zh, en = (
            f"账号 {who} 的授权将在 {stage} 天内到期，续期次数剩余 {line.renewals_left}",
            f"the consent of {who} ends within {stage} days; {line.renewals_left} renewals are left",
        )
    severity = Severity.CRITICAL if stage <= 1 else Severity.WARNING
    return AlertCondition(
        AlertKind.TOKEN_ENDS,
        f"{account.client_key}/{account.open_id}",
        severity,
        who,
        zh,
        en,
        "douyin authorize",
        str(stage),
        account.tags,
    )


def quotas_in_use(state: State, settings: Settings, ratio: float, now: datetime) -> list[AlertCondition]:
    """Find scopes with at least ``ratio`` of the day's calls used, or a quota reported as exhausted."""
    found, today = [], beijing_day(now)
    for app in settings.all_apps:
        for scope, used in quota_days(state, app.client_key, today).items():
            limit = settings.limit(scope).per_day
            is_over = used.exhausted or (limit is not None and used.calls >= limit)
            if not is_over and (limit is None or used.calls < ratio * limit):
                continue
            of = f"{used.calls:,}" + (f"/{limit:,}" if limit else "")
            what = (
                ("已用尽", "is used up; the rest is collected after midnight")
                if is_over
                else ("将用尽", "is nearly used")
            )
            found.append(
                AlertCondition(
                    AlertKind.QUOTA,
                    f"{app.client_key}/{scope}",
                    Severity.WARNING,
                    scope,
                    f"权限 {scope} 今日配额{what[0]}：已调用 {of} 次",
                    f"the day's quota of {scope} {what[1]}: {of} calls",
                    "douyin status; DOUYIN_LIMITS",
                    "over" if is_over else "near",
                )
            )
    return found


def not_fresh(runtime: Runtime, thresholds: Thresholds, now: datetime) -> list[AlertCondition]:
    """Find tables without settled data for longer than their cadence allows, and a warehouse that lags behind the lake.

    An empty response counts as fresh. A table that was never loaded is reported only if it was requested and failed.
    Data that no app can have, or that no account granted, is reported elsewhere. Backfills of old days do not count.
    """
    found, apps = [], standings(runtime)
    for name, table in TABLES.items():
        if name in thresholds.not_fresh_ignores:
            continue
        cadence = endpoints_of(name)[0].cadence
        oldest = now - thresholds.fresh_for(cadence.name)
        tried = newest_day(runtime.state, name, settled=False)
        if (
            tried is None
            or all(o.is_known for o in tried.outcomes)
            or (apps and all(app.is_closed(name) for app in apps))
        ):
            continue
        loaded = newest_day(runtime.state, name, settled=True)
        # A day is due only after its cadence: just after midnight the new day is not late.
        wanted = table.latest_partition(beijing_day(oldest))
        if loaded is None:
            if tried.dt < wanted or all(o.is_known or o is Outcome.NOT_READY for o in tried.outcomes):
                continue
        elif loaded.dt >= wanted and loaded.settled_at is not None and loaded.settled_at >= oldest.timestamp():
            continue
        found.append(_stale(table, loaded, tried, cadence.doc_zh, cadence.doc_en))
    return found + _unpublished(runtime, timedelta(hours=thresholds.publish_hours))


def _stale(table: Table, loaded: LoadedDay | None, tried: LoadedDay, due_zh: str, due_en: str) -> AlertCondition:
    settled_at = None if loaded is None else loaded.settled_at
    last = "–" if settled_at is None else clock(datetime.fromtimestamp(settled_at, UTC))
    since_zh = "从未成功采集" if loaded is None else f"自 {last} 起没有新数据（最新分区 {loaded.dt}）"
    since_en = "was never loaded" if loaded is None else f"was last loaded at {last} Beijing (partition {loaded.dt})"
    worst = [o for o in tried.outcomes if o.is_missing]
    why = f"; {tried.dt}: " + ", ".join(f"{tried.outcomes[o]} {o}" for o in sorted(worst)) if worst else ""
    return AlertCondition(
        AlertKind.NOT_FRESH,
        table.name,
        Severity.WARNING,
        f"{table.name} {table.zh}",
        f"{table.zh} {since_zh}；采集计划：{due_zh}{why}",
        f"{table.name} {since_en}; due {due_en}{why}",
        f"douyin status --select {table.name}",
    )


def _unpublished(runtime: Runtime, patience: timedelta) -> list[AlertCondition]:
    """Find files of the lake unpublished for longer than ``patience``; times are those of the file system."""
    path = runtime.warehouse.path
    published = path.stat().st_mtime_ns if path.exists() else 0
    newer = [p.mtime_ns for name in TABLES for p in runtime.lake.partitions(name) if p.mtime_ns > published]
    if not newer or time.time_ns() - min(newer) < patience.total_seconds() * 1e9:
        return []
    since = clock(datetime.fromtimestamp(min(newer) / 1e9, UTC))
    return [
        AlertCondition(
            AlertKind.NOT_FRESH,
            "warehouse",
            Severity.WARNING,
            "warehouse.duckdb",
            f"自 {since} 起的 {len(newer)} 个分区尚未发布到仓库文件",
            f"{len(newer)} partitions since {since} Beijing are not in the published file",
            "douyin publish",
        )
    ]


def quarantined(state: State, thresholds: Thresholds) -> list[AlertCondition]:
    """Find tables with too large a share of quarantined rows on their newest day."""
    found = []
    for name, table in TABLES.items():
        day = newest_day(state, name, settled=False)
        if day is None or day.quarantined < thresholds.quarantine_rows:
            continue
        ratio = day.quarantined / (day.rows + day.quarantined)
        if ratio >= thresholds.quarantine_ratio:
            found.append(
                AlertCondition(
                    AlertKind.QUARANTINE,
                    name,
                    Severity.WARNING,
                    f"{name} {table.zh}",
                    f"{table.zh} {day.dt} 有 {day.quarantined:,} 行（{ratio:.0%}）无法解析，已隔离；"
                    f"其余 {day.rows:,} 行正常入库",
                    f"{name} {day.dt}: {day.quarantined:,} rows ({ratio:.0%}) are in quarantine, {day.rows:,} landed",
                    'douyin sql -c "SELECT reason, count(*) FROM meta.quarantine WHERE table_name = '
                    f"'{name}' AND dt = '{day.dt}' GROUP BY ALL\"",
                )
            )
    return found
