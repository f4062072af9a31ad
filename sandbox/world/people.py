"""Invent people: those who comment, write, follow and leave a number.

A person is a number. The population is shared by all videos. Customers (:mod:`sandbox.world.leads`) have numbers of
their own from :data:`CUSTOMERS` on, which encode their account.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sandbox.hashing import DeterministicRng, mix, name
from sandbox.phrases import NICKNAMES
from sandbox.vocabulary import CATEGORIES, NAME_HEADS, PLACES, TOPICS
from sandbox.world.accounts import SandboxAccount
from sandbox.world.ids import OpenIds

POPULATION = 200_000
CUSTOMERS = 1 << 60
"""Numbers from here on are customers."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person. ``shown`` is whether nickname and avatar appear beside comments; gender and age 0 are unknown.

    ``phone`` and ``wechat`` are what the person would leave; other modules decide whether that happens.
    """

    number: int
    open_id: str
    nickname: str
    avatar: str
    shown: bool
    city: str
    gender: int
    age: int
    phone: str
    wechat: str


class People:
    """All people of a world, computed on demand."""

    def __init__(self, seed: int, id_seed: int) -> None:
        self._seed = seed
        self.ids = OpenIds(id_seed)
        self.person = lru_cache(maxsize=32_768)(self._person)

    def _person(self, number: int) -> Person:
        draw = DeterministicRng(self._seed, name("person"), number)
        topic = draw.pick(TOPICS[draw.pick(CATEGORIES)])
        nickname = draw.pick(NICKNAMES).format(head=draw.pick(NAME_HEADS), topic=topic, place=draw.pick(PLACES))
        if draw.chance(0.3):
            nickname += str(draw.bits() % 1_000)
        known = draw.chance(0.7)
        return Person(
            number=number,
            open_id=self.ids.write(number),
            nickname=nickname,
            avatar=f"https://p{1 + draw.key % 9}-avatar.example.cn/avatar/p-{draw.key & 0xFFFFFFFFFF:010x}.jpeg",
            shown=draw.chance(0.9),
            city=draw.pick(PLACES) if known else "",
            gender=1 + draw.bits() % 2 if known else 0,
            age=18 + draw.bits() % 45 if known and draw.chance(0.8) else 0,
            phone=f"1380000{draw.bits() % 10_000:04d}",
            wechat=f"demo_wx_{draw.bits() % 1_000_000:06d}",
        )

    def of_audience(self, account: SandboxAccount, key: int) -> int:
        """Return the number of a person who watches ``account``.

        ``key`` (64 bits) selects the person; some come much more often.
        """
        size = max(60, min(20_000, account.base_fans // 40))
        share = (key & 0xFFFFFFFF) / 4_294_967_296
        return mix(account.key, int(share * share * size)) % POPULATION
