"""Compare what the platform states in one place with what it gave in another.

Compared are the comments of a video with its comment count, the interaction log with the pushed events, and today's
subscriptions with those of earlier days.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from resources.sql import literal
from resources.storage.lake import Lake
from services.ingest.extract import connect

TOLERANCE_RATIO, TOLERANCE = 0.1, 3
"""Tolerated shortfall: the stated count lags, and still includes comments hidden by moderation."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A video with fewer listed comments than its count states; replies are counted as their comments state them."""

    client_key: str
    open_id: str
    item_id: str
    stated: int
    listed: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Videos whose comments were read to the end on a day, compared with their counts of the same day."""

    videos: int
    stated: int
    listed: int
    short: tuple[Difference, ...]
    """Videos short by more than the tolerance, the largest shortfall first."""


def reconcile_comments(lake: Lake, dt: date) -> Reconciliation:
    """Compare ``comment_reads`` and ``comments`` with ``video_totals`` of one day.

    If one of the three is missing, nothing is compared.
    """
    reads, comments, totals = (lake.scan(name, [dt]) for name in ("comment_reads", "comments", "video_totals"))
    if not (reads and comments and totals):
        return Reconciliation(0, 0, 0, ())
    connection = connect()
    try:
        rows = connection.execute(
            f"""
            WITH reads AS (SELECT client_key, open_id, item_id, listed_count FROM {reads} WHERE is_whole),
                 replies AS (
                     SELECT client_key, open_id, item_id, sum(coalesce(reply_count, 0))::BIGINT AS n
                     FROM {comments} GROUP BY ALL
                 ),
                 totals AS (
                     SELECT client_key, open_id, item_id, arg_max(comment_count, observed_at) AS stated
                     FROM {totals} WHERE comment_count IS NOT NULL GROUP BY ALL
                 )
            SELECT client_key, open_id, item_id, stated, listed_count + coalesce(n, 0) AS listed
            FROM reads JOIN totals USING (client_key, open_id, item_id)
            LEFT JOIN replies USING (client_key, open_id, item_id)
            ORDER BY stated - listed DESC, client_key, open_id, item_id
            """
        ).fetchall()
    finally:
        connection.close()
    found = [Difference(*row) for row in rows]
    short = tuple(d for d in found if d.listed < d.stated * (1 - TOLERANCE_RATIO) - TOLERANCE)
    return Reconciliation(len(found), sum(d.stated for d in found), sum(d.listed for d in found), short)


# --------------------------------------------------------------------------- pushed events and the interaction log

LOGGED = {
    "im_receive_msg": "im_messages",
    "im_send_msg": "im_messages",
    "im_enter_direct_msg": "im_entries",
    "new_follow_action": "interactions",
    "new_video_digg": "interactions",
}
"""Events that both sides have, and the table with the pushed ones."""
GRACE = timedelta(hours=2)
"""A younger event may still arrive: deliveries are retried, and the inbox is emptied every hour."""
_APART_S = 2
"""Maximum difference between the times of log and event, in seconds, if there is no message id."""
_LOG_REACHES = timedelta(days=4)
"""The log of a day covers this many earlier days."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class MissingEvent:
    """Events of one kind and account that the log has and that never arrived.

    ``examples`` are message ids, or person and time; never content.
    """

    client_key: str
    open_id: str
    event: str
    logged: int
    missing: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventReconciliation:
    """The interaction log of a day compared with the event tables.

    ``unlanded`` events are on days that those tables do not have.
    """

    logged: int
    unlanded: int
    lost: tuple[MissingEvent, ...]

    @property
    def missing(self) -> int:
        """Count the events that never arrived."""
        return sum(one.missing for one in self.lost)


def reconcile_events(lake: Lake, dt: date, since: Mapping[str, datetime], now: datetime) -> EventReconciliation:
    """Compare ``lead_events`` of one day with the pushed events; ``since`` is when each app's receiver first ran.

    Only events since then that are older than :data:`GRACE` are compared: by message id, else by person and time.
    """
    log = lake.scan("lead_events", [dt])
    days = [dt - _LOG_REACHES + timedelta(days=n) for n in range(_LOG_REACHES.days + 3)]
    landed = {table: set(lake.days(table)).intersection(days) for table in LOGGED.values()}
    if log is None or not since or not any(landed.values()):
        return EventReconciliation(0, 0, ())
    pushed, events = [], ", ".join(map(literal, LOGGED))
    for table, own in landed.items():
        if own:
            message = "message_id" if table != "interactions" else "NULL::VARCHAR"
            pushed.append(
                f"SELECT client_key, open_id, event, person_open_id, {message} AS message_id, "
                f"epoch_ms(event_at) AS ms FROM {lake.scan(table, sorted(own))} WHERE event IN ({events})"
            )
    connection = connect()
    try:
        connection.execute("CREATE OR REPLACE TEMP TABLE since (client_key VARCHAR, ms BIGINT)")
        connection.executemany(
            "INSERT INTO since VALUES (?, ?)", [[app, int(at.timestamp() * 1000)] for app, at in since.items()]
        )
        connection.execute("CREATE OR REPLACE TEMP TABLE landed (event VARCHAR, day DATE)")
        connection.executemany(
            "INSERT INTO landed VALUES (?, ?)",
            [[event, day] for event, table in LOGGED.items() for day in landed[table]],
        )
        rows = connection.execute(
            f"""
            WITH pushed AS ({" UNION ALL ".join(pushed)}),
                 by_id AS (
                     SELECT DISTINCT client_key, open_id, event, message_id FROM pushed WHERE message_id IS NOT NULL
                 ),
                 by_time AS (
                     SELECT DISTINCT client_key, open_id, event, unnest([person_open_id, open_id]) AS who, s
                     FROM (
                         SELECT *, unnest(range(ms // 1000 - {_APART_S}, ms // 1000 + {_APART_S + 1})) AS s FROM pushed
                     )
                 ),
                 log AS (
                     SELECT l.client_key, l.open_id, l.event, l.actor_open_id, NULLIF(l.message_id, '') AS message_id,
                            epoch_ms(l.event_at) AS ms,
                            make_timestamp((epoch_ms(l.event_at) + 28800000) * 1000)::DATE AS day
                     FROM {log} l JOIN since s ON s.client_key = l.client_key
                     WHERE l.event IN ({events}) AND epoch_ms(l.event_at) >= s.ms AND epoch_ms(l.event_at) <= $1
                 )
            SELECT log.client_key, log.open_id, log.event, log.message_id, log.actor_open_id, log.ms,
                   landed.day IS NOT NULL, coalesce(by_id.event, by_time.event) IS NOT NULL
            FROM log LEFT JOIN landed ON landed.event = log.event AND landed.day = log.day
            LEFT JOIN by_id ON by_id.client_key = log.client_key AND by_id.open_id = log.open_id
                            AND by_id.event = log.event AND by_id.message_id = log.message_id
            LEFT JOIN by_time ON log.message_id IS NULL AND by_time.client_key = log.client_key
                              AND by_time.open_id = log.open_id AND by_time.event = log.event
                              AND by_time.who = log.actor_open_id AND by_time.s = log.ms // 1000
            ORDER BY ALL
            """,
            [int((now - GRACE).timestamp() * 1000)],
        ).fetchall()
    finally:
        connection.close()
    groups: dict[tuple[str, str, str], list[tuple]] = {}
    for app, open_id, event, *rest in rows:
        groups.setdefault((app, open_id, event), []).append(tuple(rest))
    lost = []
    for key, lines in groups.items():
        gone = [(message_id, who, ms) for message_id, who, ms, is_landed, arrived in lines if is_landed and not arrived]
        if gone:
            lost.append(
                MissingEvent(
                    *key, sum(line[3] for line in lines), len(gone), tuple(_named(*one) for one in gone[:_SHOWN])
                )
            )
    unlanded = sum(not is_landed and not arrived for lines in groups.values() for *_, is_landed, arrived in lines)
    return EventReconciliation(len(rows) - unlanded, unlanded, tuple(lost))


def _named(message_id: str | None, who: str, ms: int) -> str:
    return message_id or f"{who[:8]}… at {datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


# --------------------------------------------------------------------------- subscriptions

REMEMBERED = timedelta(days=30)
"""A lost subscription is reported for this long."""


@dataclass(frozen=True, slots=True)
class LostSubscription:
    """An event that was subscribed on an earlier day; ``status`` is None if the platform no longer lists it."""

    client_key: str
    event: str
    last_on: date
    status: int | None


def lost_subscriptions(lake: Lake, dt: date, apps: Collection[str]) -> tuple[LostSubscription, ...]:
    """List the events that were subscribed within the month before ``dt`` and are not on ``dt``.

    ``apps`` are the apps whose subscriptions were read on ``dt``.
    """
    days = [d for d in lake.days("event_subscriptions") if dt - REMEMBERED <= d <= dt]
    relation = lake.scan("event_subscriptions", days)
    if relation is None or not apps:
        return ()
    connection = connect()
    try:
        rows = connection.execute(
            f"""
            WITH seen AS (
                     SELECT dt, client_key, event, arg_max(subscription_status, epoch_us(observed_at)) AS status
                     FROM {relation} WHERE client_key IN (SELECT unnest($1::VARCHAR[])) GROUP BY ALL
                 ),
                 before AS (
                     SELECT client_key, event, max(dt) AS last_on FROM seen WHERE dt < $2 AND status = 1 GROUP BY ALL
                 )
            SELECT before.client_key, before.event, last_on, now.status
            FROM before
            LEFT JOIN seen now ON now.dt = $2 AND now.client_key = before.client_key AND now.event = before.event
            WHERE now.status IS DISTINCT FROM 1 ORDER BY ALL
            """,
            [sorted(apps), dt],
        ).fetchall()
    finally:
        connection.close()
    return tuple(LostSubscription(*row) for row in rows)
