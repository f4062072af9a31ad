"""Which alerts are sent to whom and when: over real HTTP, with a clock that the test moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from robot_server import SECRETS, Robots

from catalog.alert_kinds import AlertCondition, AlertKind, Severity
from resources.config.settings import Settings
from resources.delivery.outgoing import DeliveryResult, deliver, hide_secrets
from resources.delivery.routes import Alerts
from resources.state import State
from resources.state.alerts import back_off, channel_state, deliveries_of, happened, list_alerts, mute, observe, resolve

NOON = datetime.fromisoformat("2026-11-16T12:00:00+08:00")


def wrong(
    subject: str = "hot_words", kind: AlertKind = AlertKind.NOT_FRESH, severity: Severity = Severity.WARNING, **more
) -> AlertCondition:
    return AlertCondition(
        kind,
        subject,
        severity,
        subject,
        f"{subject} 自 11:05 起没有新数据",
        f"{subject} is old",
        "douyin status",
        **more,
    )


class Alerting:
    """A state, a file of alerts, and a clock."""

    def __init__(self, state: State, robots: Robots, locks: Path) -> None:
        self.state, self.robots, self.locks, self.now = state, robots, locks, NOON
        self.environment = {
            f"ALERTS_{kind.upper()}": robots.address(kind) for kind in ("feishu", "dingtalk", "wecombot", "json")
        }
        self.configure()

    def configure(self, *, channels=("feishu",), routes=None, per_minute=10, **more) -> None:
        self.alerts = Alerts.model_validate(
            {
                "channels": {c: {"url": f"env:ALERTS_{c.upper()}", "per_minute": per_minute} for c in channels},
                "routes": routes or [{"channels": list(channels)}],
                **more,
            }
        )

    def look(self, *found: AlertCondition, kinds=tuple(AlertKind), after: timedelta | None = None) -> DeliveryResult:
        self.now += after or timedelta(0)
        observe(self.state, found, kinds, self.now, self.alerts.repeat_of)
        return self.deliver()

    def deliver(self, after: timedelta | None = None) -> DeliveryResult:
        self.now += after or timedelta(0)
        return deliver(self.state, self.alerts, self.locks, self.now, environment=self.environment)

    def heard(self) -> list[str]:
        """First lines of the messages that arrived since the last call."""
        texts, self.robots.texts[:] = list(self.robots.texts), []
        return [t.splitlines()[0] for t in texts]


@pytest.fixture
def alerting(state: State, robots: Robots, tmp_path: Path) -> Alerting:
    return Alerting(state, robots, tmp_path / "locks")


MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


# --------------------------------------------------------------------------- once


def test_the_same_alert_is_sent_once_until_it_is_resolved_and_then_again(alerting: Alerting):
    assert alerting.look(wrong()).messages == 1
    assert alerting.heard() == ["【抖音数据】警告 warning · 数据未更新 Data not fresh: hot_words"]
    for _ in range(20):
        assert alerting.look(wrong(), after=15 * MINUTES).messages == 0
    alerting.look(after=15 * MINUTES)
    assert alerting.heard() == [], "an end is reported once it has lasted"
    alerting.look(after=61 * MINUTES)
    assert alerting.heard() == ["【抖音数据】已恢复 over · 数据未更新 Data not fresh: hot_words"]
    alerting.look(after=61 * MINUTES)
    alerting.look(wrong(), after=15 * MINUTES)
    assert alerting.heard() == ["【抖音数据】警告 warning · 数据未更新 Data not fresh: hot_words"]
    (one,) = list_alerts(alerting.state)
    assert (one.times, one.first_at) == (2, alerting.now)


def test_a_flickering_condition_is_alerted_once(alerting: Alerting):
    for _ in range(10):
        alerting.look(wrong(), after=15 * MINUTES)
        alerting.look(after=15 * MINUTES)
    assert len(alerting.heard()) == 1


def test_a_lasting_condition_is_alerted_again_every_day(alerting: Alerting):
    for _ in range(24 * 3):
        alerting.look(wrong(), after=HOURS)
    assert len(alerting.heard()) == 3
    alerting.configure(repeat={"not_fresh": "never"})
    for _ in range(30):
        alerting.look(wrong(), after=HOURS)
    assert alerting.heard() == []


def test_a_consent_is_alerted_at_seven_three_and_one_day(alerting: Alerting):
    for stage in ("7", "7", "3", "3", "1", "0", "0"):
        severity = Severity.CRITICAL if stage in "10" else Severity.WARNING
        alerting.look(wrong("a/b", AlertKind.TOKEN_ENDS, severity, stage=stage), after=30 * HOURS)
    assert [t.split(" ·")[0] for t in alerting.heard()] == ["【抖音数据】警告 warning"] * 2 + [
        "【抖音数据】严重 critical"
    ] * 2


def test_a_kind_that_could_not_be_looked_at_is_left_as_it_was(alerting: Alerting):
    alerting.look(wrong("video", AlertKind.LOW_PLAYS, Severity.INFO))
    alerting.look(kinds=[k for k in AlertKind if k is not AlertKind.LOW_PLAYS], after=HOURS)
    assert [a.key for a in list_alerts(alerting.state)] == ["low_plays:video"]
    alerting.look(after=HOURS)
    assert list_alerts(alerting.state) == []
    with pytest.raises(ValueError, match="found and not looked at"):
        alerting.look(wrong("video", AlertKind.LOW_PLAYS), kinds=[AlertKind.QUOTA])


def test_failed_runs_of_a_job_are_one_alert_until_a_run_succeeds(alerting: Alerting):
    run = wrong("hot_words_job", AlertKind.RUN_FAILED, Severity.CRITICAL)
    for _ in range(3):
        happened(alerting.state, run, alerting.now, alerting.alerts.repeat_of)
        alerting.deliver(HOURS)
    (one,) = list_alerts(alerting.state)
    assert (one.times, len(alerting.heard())) == (3, 1)
    alerting.look(kinds=[k for k in AlertKind if k is not AlertKind.RUN_FAILED], after=MINUTES)
    assert list_alerts(alerting.state), "looking for conditions says nothing about runs"
    assert resolve(alerting.state, one.key, alerting.now)
    assert not resolve(alerting.state, one.key, alerting.now)
    alerting.deliver(MINUTES)
    assert alerting.heard() == ["【抖音数据】已恢复 over · 运行失败 Run failed: hot_words_job"]


def test_resolutions_are_sent_only_if_wanted(alerting: Alerting):
    alerting.look(wrong("x", AlertKind.NEEDS_CONSENT), wrong("y", AlertKind.HOT_WORD))
    alerting.heard()
    alerting.look(after=HOURS)
    assert alerting.heard() == ["【抖音数据】已恢复 over · 账号需重新授权 Account needs consent: x"]
    alerting.configure(tell_end=False)
    alerting.look(wrong("x", AlertKind.NEEDS_CONSENT), after=HOURS)
    alerting.heard()
    alerting.look(after=HOURS)
    assert alerting.heard() == []


def test_a_word_that_was_hot_while_the_channel_was_down_is_sent_as_it_was(alerting: Alerting):
    alerting.robots.orders.append((500, b"", 0))
    alerting.look(wrong("y", AlertKind.HOT_WORD, Severity.INFO))
    alerting.look(after=HOURS)
    assert alerting.heard() == ["【抖音数据】提示 info · 热点词命中关注 Watched hot word: y"]
    assert alerting.look(after=HOURS).messages == 0


def test_a_muted_alert_is_not_sent_until_the_time_is_over(alerting: Alerting):
    alerting.look(wrong())
    alerting.heard()
    (one,) = list_alerts(alerting.state)
    mute(alerting.state, f"#{one.id}", alerting.now + 30 * HOURS)
    alerting.look(wrong(), after=25 * HOURS)
    assert alerting.heard() == []
    alerting.look(wrong(), after=6 * HOURS)
    assert len(alerting.heard()) == 1
    with pytest.raises(LookupError, match="there is no alert 99"):
        mute(alerting.state, "99", alerting.now)


# --------------------------------------------------------------------------- routes


def test_each_alert_goes_where_its_kind_and_tag_say(alerting: Alerting):
    routes = [{"channels": ["feishu"], "tags": ["brand_a"]}, {"channels": ["dingtalk"], "kinds": ["quota"]}]
    alerting.configure(channels=("feishu", "dingtalk"), routes=routes)
    done = alerting.look(
        wrong("a", AlertKind.LOW_PLAYS, tags=frozenset({"brand_a"})),
        wrong("b", AlertKind.LOW_PLAYS, tags=frozenset({"brand_b"})),
        wrong("scope", AlertKind.QUOTA),
    )
    assert sorted(path.split("?")[0].split("/")[1] for path, _ in alerting.robots.requests) == ["open-apis", "robot"]
    assert done.nowhere == ["low_plays:b"]
    assert (done.messages, done.alerts) == (2, 2)


def test_one_channel_that_is_down_holds_up_no_other(alerting: Alerting):
    alerting.configure(channels=("feishu", "json"))
    alerting.environment["ALERTS_FEISHU"] = "feishu://wrong-token/?" + alerting.robots.base
    done = alerting.look(wrong())
    assert (done.messages, list(done.problems)) == (1, ["feishu"])
    del alerting.environment["ALERTS_FEISHU"]
    done = alerting.deliver(HOURS)
    assert "ALERTS_FEISHU" in done.problems["feishu"]


# --------------------------------------------------------------------------- quiet hours


def test_quiet_hours_hold_everything_and_then_send_one_digest(alerting: Alerting):
    alerting.configure(quiet={"from": "22:00", "until": "08:00"})
    alerting.now = datetime.fromisoformat("2026-11-16T22:30:00+08:00")
    done = alerting.look(wrong("a"), wrong("b"))
    assert (done.messages, done.waiting) == (0, 2)
    alerting.look(wrong("a"), wrong("b"), wrong("c"), after=3 * HOURS)
    assert alerting.heard() == [], "after midnight, too"
    alerting.look(wrong("a"), wrong("b"), wrong("c"), after=6 * HOURS + 29 * MINUTES)
    assert alerting.heard() == []
    done = alerting.look(wrong("a"), wrong("b"), wrong("c"), after=2 * MINUTES)
    assert (done.messages, done.alerts, done.waiting) == (1, 3, 0)
    assert alerting.heard() == ["【抖音数据】3 条告警 alerts"]
    assert alerting.look(wrong("a"), wrong("b"), wrong("c"), after=HOURS).messages == 0


@pytest.mark.parametrize("passes", [True, False])
def test_critical_alerts_may_pass_in_quiet_hours(alerting: Alerting, passes: bool):
    alerting.configure(quiet={"from": "22:00", "until": "08:00", "critical_passes": passes})
    alerting.now = datetime.fromisoformat("2026-11-16T23:00:00+08:00")
    alerting.look(wrong("a"), wrong("shop", AlertKind.NEEDS_CONSENT, Severity.CRITICAL))
    assert len(alerting.heard()) == passes


def test_what_began_and_ended_in_the_night_is_sent_as_that(alerting: Alerting):
    alerting.configure(quiet={"from": "22:00", "until": "08:00"})
    alerting.now = datetime.fromisoformat("2026-11-16T23:00:00+08:00")
    alerting.look(wrong())
    alerting.look(after=HOURS)
    alerting.look(after=9 * HOURS)
    assert alerting.heard() == ["【抖音数据】已恢复 over · 数据未更新 Data not fresh: hot_words"]
    assert alerting.deliver(3 * HOURS).messages == 0


# --------------------------------------------------------------------------- floods


def test_many_alerts_are_one_digest_with_the_gravest_first(alerting: Alerting):
    alerting.configure(channels=("feishu", "wecombot"))
    many = [wrong(f"table_{n:03}") for n in range(200)] + [wrong("shop", AlertKind.NEEDS_CONSENT, Severity.CRITICAL)]
    done = alerting.look(*many)
    assert (done.messages, done.alerts) == (2, 402)
    feishu, wecom = alerting.robots.texts
    assert [t.splitlines()[0] for t in (feishu, wecom)] == ["【抖音数据】201 条告警 alerts"] * 2
    assert "严重 critical 账号需重新授权" in feishu.splitlines()[1]
    assert len(wecom.encode()) <= 2048
    shown = sum(line.startswith("·") for line in wecom.splitlines())
    assert wecom.splitlines()[-1] == f"… 另有 {201 - shown} 条 more → douyin alerts list"
    assert alerting.look(*many, after=HOURS).messages == 0


def test_up_to_the_bound_each_has_its_own_message(alerting: Alerting):
    alerting.look(*(wrong(f"t{n}") for n in range(5)))
    assert len(alerting.heard()) == 5
    alerting.look(*(wrong(f"u{n}") for n in range(6)), after=HOURS)
    assert len([t for t in alerting.heard() if "条告警" in t]) == 1


def test_no_more_messages_a_minute_than_the_robot_takes(alerting: Alerting):
    alerting.configure(per_minute=3, digest_above=50)
    assert (
        alerting.look(*(wrong(f"t{n}") for n in range(5))).messages,
        alerting.deliver(30 * timedelta(seconds=1)).messages,
    ) == (3, 0)
    assert alerting.deliver(MINUTES).messages == 2


# --------------------------------------------------------------------------- what does not arrive


def test_what_does_not_arrive_stays_due_and_is_tried_again_ever_later(alerting: Alerting):
    alerting.robots.forever = (500, b"", 0)
    tried = []
    alerting.look(wrong())
    tried.append(alerting.now)
    for _ in range(200):
        before = len(alerting.robots.requests)
        done = alerting.deliver(MINUTES)
        assert done.messages == 0
        if len(alerting.robots.requests) > before:
            tried.append(alerting.now)
    gaps = [(b - a) // MINUTES for a, b in pairwise(tried)]
    assert gaps == [1, 2, 4, 8, 16, 32, *[60] * (len(gaps) - 6)]
    assert (channel_state(alerting.state, "feishu").error, len(gaps) >= 8) == ("HTTP 500", True)
    alerting.robots.forever = None
    assert alerting.look(wrong(), after=HOURS).messages == 1
    assert channel_state(alerting.state, "feishu").error is None
    assert back_off(1) == MINUTES


def test_a_robot_that_requests_a_pause_gets_it(alerting: Alerting):
    alerting.configure(channels=("dingtalk",))
    alerting.robots.orders.append((200, {"errcode": 130101, "errmsg": "send too fast"}, 0))
    alerting.look(wrong("a"), wrong("b"))
    assert len(alerting.robots.requests) == 1, "the second one was not tried"
    alerting.look(wrong("a"), wrong("b"), wrong("c"), after=9 * MINUTES)
    assert len(alerting.robots.requests) == 1
    alerting.deliver(2 * MINUTES)
    assert len(alerting.heard()) == 3


def test_a_message_that_is_refused_does_not_hold_up_the_others(alerting: Alerting):
    alerting.configure(channels=("dingtalk",))
    alerting.robots.orders.append((200, {"errcode": 400101, "errmsg": "sensitive content"}, 0))
    assert alerting.look(wrong("a"), wrong("b")).messages == 1
    refused = next(
        d for d in deliveries_of(alerting.state, [a.id for a in list_alerts(alerting.state)]).values() if d.error
    )
    assert (refused.tries, "400101" in refused.error) == (1, True)
    assert alerting.deliver(2 * MINUTES).messages == 1


def test_what_is_refused_again_and_again_leaves_the_digest(alerting: Alerting):
    alerting.look(wrong("poison"))
    (one,) = list_alerts(alerting.state)
    from resources.state.alerts import refused

    mute(alerting.state, one.key, alerting.now)
    observe(
        alerting.state,
        [replace(wrong("poison"), stage="new")],
        [AlertKind.NOT_FRESH],
        alerting.now + MINUTES,
        alerting.alerts.repeat_of,
    )
    for _ in range(3):
        refused(alerting.state, "feishu", [one.id], "no", alerting.now)
    alerting.heard()
    alerting.look(replace(wrong("poison"), stage="new"), *(wrong(f"t{n}") for n in range(8)), after=HOURS)
    assert sorted("条告警" in t for t in alerting.heard()) == [False, True]


def test_a_killed_process_loses_nothing(alerting: Alerting, monkeypatch):
    """The process died after the response and before the record: sent twice is better than never."""
    import resources.delivery.outgoing as outgoing

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(outgoing, "delivered", killed)
        with pytest.raises(KeyboardInterrupt):
            alerting.look(wrong())
    assert alerting.deliver(MINUTES).messages == 1
    assert len(alerting.heard()) == 2


# --------------------------------------------------------------------------- secrets and people


def test_nothing_secret_and_no_phone_is_stored_or_leaves(alerting: Alerting, tmp_path: Path):
    settings = Settings(
        _env_file=None,
        home=tmp_path,
        client_key="key",
        client_secret="the-secret-of-the-app",
        token_key="sealingkeysealingkey=,olderkeyolderkey=",
    )
    hide_secrets(settings)
    reported = (
        "act.0123456789abcdef rft.0123456789abcdef the-secret-of-the-app olderkeyolderkey= 电话13912345678 或 "
        "+86 139-1234-5678 access_token=zzzzzzzz"
    )
    alerting.configure(channels=("feishu", "json"))
    alerting.look(
        AlertCondition(
            AlertKind.RUN_FAILED,
            "job",
            Severity.CRITICAL,
            f"job {reported}",
            reported,
            reported + "\n" * 3 + "second line",
            reported,
        )
    )
    stored = "".join(p.read_bytes().decode("latin-1") for p in tmp_path.glob("state.db*"))
    for text in (*alerting.robots.texts, stored):
        assert [
            s
            for s in ("0123456789abcdef", "the-secret-of-the-app", "olderkey", "13912345678", "1234-5678", "zzzzzzzz")
            if s in text
        ] == []
    assert len(alerting.robots.texts) == 2
    assert [s for s in SECRETS if s in stored + "".join(alerting.robots.texts)] == []
    assert "[redacted]" in alerting.robots.texts[0]
