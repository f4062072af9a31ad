"""Marts of a home that an older release made are rebuilt, and agree with pandas over the core tables."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from resources.config.settings import Settings
from resources.runtime import Runtime
from services.marts.build import Marts

pytestmark = pytest.mark.slow
OLD_HOME = Path(__file__).resolve().parents[1] / "homes" / "home-43e3f1b.tar.xz"
ACCOUNT = ["client_key", "open_id"]


@pytest.fixture(scope="module")
def marts(tmp_path_factory) -> Iterator[Marts]:
    home = tmp_path_factory.mktemp("old") / "home"
    with tarfile.open(OLD_HOME) as tar:
        tar.extractall(home, filter="data")
    runtime = Runtime(Settings(_env_file=None, home=home))
    marts = Marts(runtime)
    marts.build_stale()
    yield marts
    runtime.close()


@pytest.fixture
def table(marts: Marts) -> Callable[[str], pd.DataFrame]:
    """Read all days of a core table or a mart."""

    def read(name: str) -> pd.DataFrame:
        folder = marts.lake.root / name.replace("marts.", "marts/")
        days = [pd.read_parquet(p) for p in sorted(folder.rglob("*.parquet"))]
        return pd.concat([d for d in days if len(d)], ignore_index=True)

    return read


def beijing(instants: pd.Series) -> pd.Series:
    return instants.dt.tz_convert("Asia/Shanghai").dt.date


def test_conversations_have_each_message_of_log_and_webhooks_once(table):
    pushed, logged = table("im_messages"), table("lead_events")
    pushed = pushed.assign(person=pushed.person_open_id, origin="webhook")
    logged = logged.assign(person=logged.actor_open_id, origin="log")
    both = pd.concat([pushed, logged])
    both = both[both.event.isin(["im_receive_msg", "im_send_msg"]) & both.conversation_id.notna()]
    assert both.groupby("origin").message_id.nunique().min() > 0, "the home has both"
    each = both.drop_duplicates([*ACCOUNT, "event", "message_id"])
    found = table("marts.conversations")
    assert found.messages_in.sum() == (each.event == "im_receive_msg").sum()
    assert found.messages_out.sum() == (each.event == "im_send_msg").sum()
    chats = each.groupby([*ACCOUNT, "person", "conversation_id"]).origin.agg(lambda s: "+".join(sorted(set(s))))
    spoken = found[found.messages_in + found.messages_out > 0]
    assert dict(zip(chats.index, chats, strict=True)) == {
        (r.client_key, r.open_id, r.person_open_id, r.conversation_id): r.source for r in spoken.itertuples()
    }
    assert {"log", "webhook"} <= set(found.source)
    assert found[found.source == "log"].nickname.notna().any(), "leads have names without a receiver"
