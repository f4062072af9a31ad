"""Combine all parts of one invented world."""

from __future__ import annotations

from sandbox.world.accounts import MOST_FANS, SandboxAccount, make_account
from sandbox.world.boards import Boards
from sandbox.world.comments import Comments
from sandbox.world.ent_ranks import EntRanks
from sandbox.world.fans import Fans
from sandbox.world.hotwords import HotWords
from sandbox.world.leads import Leads
from sandbox.world.people import People
from sandbox.world.places import Places
from sandbox.world.search import Search
from sandbox.world.series import Series
from sandbox.world.videos import VideoStore


class World:
    """The world of ``seed`` with so many accounts, each with about ``videos`` videos.

    Ids of people, videos, comments and messages belong to one app: with another ``id_seed`` (default: the seed) the
    same world has others.
    """

    def __init__(
        self,
        seed: int,
        accounts: int,
        videos: int,
        id_seed: int | None = None,
        most_fans: int = MOST_FANS,
        late_counts: float = 0,
    ) -> None:
        self.seed, self.late_counts = seed, late_counts
        ids = seed if id_seed is None else id_seed
        self.accounts: list[SandboxAccount] = [make_account(seed, ids, i, videos, most_fans) for i in range(accounts)]
        self._by_open_id = {a.open_id: a for a in self.accounts}
        self.video_store = VideoStore(seed, ids)
        self.series = Series(self.video_store)
        self.fans = Fans(self.series)
        self.words = HotWords(seed, self.video_store.ids)
        self.boards = Boards(seed, self.accounts, self.series, self.words)
        self.people = People(seed, ids)
        self.leads = Leads(seed, ids, self.people, self.video_store)
        self.comments = Comments(seed, ids, self.people, self.leads)
        self.search = Search(seed, ids, self.accounts, self.video_store)
        self.places = Places(seed)
        self.ent_ranks = EntRanks(seed)

    def account(self, open_id: str) -> SandboxAccount | None:
        """Return the account with this open_id, or None."""
        return self._by_open_id.get(open_id)
