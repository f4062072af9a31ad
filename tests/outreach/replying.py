"""A receiver with its reply worker, as ``douyin receive --reply`` runs them, for tests of replies."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack, contextmanager
from typing import Any

from receiving import Post, following, receiving, wait_until

from resources.client.client import DouyinClient
from sandbox.world import World
from services.outreach.campaigns import Replies
from services.outreach.replies import ReplyWorker, opt_outs_by

NOON = "2026-11-16T12:00:00+08:00"


def text(words: str) -> list[dict]:
    return [{"type": "text", "text": words}]


RULES = Replies.model_validate(
    {
        "quiet": {"from": "23:00", "until": "08:00"},
        "most_per_hour": 4,
        "after_by_hand": "30m",
        "rules": [
            {
                "name": "stop",
                "keywords": ["退订"],
                "messages": text("好的，不再打扰您。"),
                "opt_out": True,
                "also_in_quiet_hours": True,
            },
            {"name": "person", "keywords": ["人工"], "messages": text("已转人工。"), "hand_over": "12h"},
            {
                "name": "greeting",
                "on": ["im_enter_direct_msg"],
                "messages": text("您好，{nickname}！"),
                "again_after": "12h",
            },
            {
                "name": "many",
                "keywords": ["全部"],
                "messages": text("一") + text("二") + text("三"),
                "again_after": "0s",
            },
            {"name": "price", "keywords": ["多少钱"], "messages": text("价格因款式而异。"), "again_after": "0s"},
            {"name": "once", "keywords": ["在吗"], "messages": text("在的。"), "again_after": "1h"},
        ],
    }
)


@contextmanager
def answering(world, rules: Replies = RULES, **more: Any):
    """Run a receiver with its worker, as ``douyin receive --reply`` does; yield the post and the worker."""
    clients: dict[str, DouyinClient] = {}
    worker = ReplyWorker(rules, world.runtime.state, following(world), world.runtime.app_keys, clients)

    async def work() -> None:
        async with AsyncExitStack() as stack:
            for key in world.runtime.app_keys:
                client = DouyinClient(world.runtime.settings.for_app(key), world.runtime.state, following(world))
                clients[key] = await stack.enter_async_context(client)
            await worker.run()

    with receiving(world, listener=worker.offer, workers=(work,), opt_out_of=opt_outs_by(rules), **more) as post:
        post.order("DELETE", "people")
        yield post, worker


def account_and_person(post: Post) -> tuple[int, str]:
    """Return an enterprise account's customer."""
    return next((n, post.people(n)[-1]["person"]) for n in range(len(post.world.accounts)) if _may_send(post, n))


def _may_send(post: Post, account: int) -> bool:
    world = World(13, 2, 12, most_fans=300_000)
    return world.accounts[account].enterprise


def outcome(worker: ReplyWorker, n: int) -> Counter:
    """Return the outcomes of events, after ``n`` of them."""
    wait_until(lambda: worker.counts.total() >= n)
    return worker.counts
