"""One world: everything that the platform would know."""

from __future__ import annotations

from sandbox.world.accounts import Account, make_account
from sandbox.world.boards import Boards
from sandbox.world.fans import Fans
from sandbox.world.hotwords import HotWords
from sandbox.world.series import Series
from sandbox.world.videos import Shelf


class World:
    """The world of ``seed`` with so many accounts, each with about ``videos`` videos."""

    def __init__(self, seed: int, accounts: int, videos: int) -> None:
        self.seed = seed
        self.accounts: list[Account] = [make_account(seed, i, videos) for i in range(accounts)]
        self._by_open_id = {a.open_id: a for a in self.accounts}
        self.shelf = Shelf(seed)
        self.series = Series(self.shelf)
        self.fans = Fans(self.series)
        self.words = HotWords(seed, self.shelf.ids)
        self.boards = Boards(seed, self.accounts, self.series, self.words)

    def account(self, open_id: str) -> Account | None:
        return self._by_open_id.get(open_id)
