"""Invent places (门店): restaurants, scenic spots and lodgings; their owners, visitors and buyers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

from sandbox.hashing import DeterministicRng, apportion, mix, name, unit
from sandbox.vocabulary import CITIES, NAME_HEADS, PLACE_KINDS, STREETS
from sandbox.world.accounts import SandboxAccount
from sandbox.world.boards import random_walk

CATEGORIES = {10: 620, 20: 540, 30: 430}
"""餐饮 catering, 景点 scenic spots, 住宿 lodging, and how many places there are of each."""
BOARD_SIZE = 500
CLAIMS_NOTHING = 3
"""Index of the account that claims no place."""
AMAP_PREFIX = "B0SANDBOX"
"""Places have the AMap ids ``B0SANDBOX0001``, ``B0SANDBOX0002``, … in their order."""
LODGING, HOMESTAY = 30, 40
"""The category, and the service_type that only lodgings offer."""
_AGES = ("18-23", "24-30", "31-40", "41-50", "50+")


@dataclass(frozen=True, slots=True)
class Place:
    """One place. ``views`` is its usual number of page views a day."""

    number: int
    key: int
    category: int
    poi_id: str
    name: str
    province: str
    city: str
    city_code: str
    district: str
    address: str
    longitude: float
    latitude: float
    views: float

    @property
    def amap_id(self) -> str:
        """Its id on AMap (高德)."""
        return f"{AMAP_PREFIX}{self.number + 1:04d}"


class Places:
    """All places of a world, and their numbers as functions of the day."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.board = lru_cache(maxsize=64)(self._board)

    @cached_property
    def all(self) -> tuple[Place, ...]:
        """Return all places in their order."""
        categories = [c for c, number in CATEGORIES.items() for _ in range(number)]
        return tuple(self._make(number, category) for number, category in enumerate(categories))

    @cached_property
    def _by_id(self) -> dict[str, Place]:
        return {p.poi_id: p for p in self.all}

    def _make(self, number: int, category: int) -> Place:
        draw = DeterministicRng(self._seed, name("place"), number)
        province, city, code, districts, longitude, latitude = draw.pick(CITIES)
        district, street = draw.pick(districts), draw.pick(STREETS)
        title = f"{draw.pick(NAME_HEADS)}{draw.pick(PLACE_KINDS[category])}"
        if category != 20:
            title += f"({district.removesuffix('区')}店)"
        return Place(
            number=number,
            key=draw.key,
            category=category,
            poi_id=str(6_600_000_000_000_000_000 + draw.key % 10**13 * 10_000 + number),
            name=title,
            province=province,
            city=city,
            city_code=code,
            district=district,
            address=f"{street}{1 + draw.bits() % 399}号",
            longitude=round(longitude + draw.between(-0.08, 0.08), 6),
            latitude=round(latitude + draw.between(-0.08, 0.08), 6),
            views=draw.log_between(40, 9_000),
        )

    def find(self, poi_id: str) -> Place | None:
        """Return the place with this poi_id, or None."""
        return self._by_id.get(poi_id)

    def of_amap(self, amap_id: str) -> Place | None:
        """Return the place with this AMap id, or None."""
        digits = amap_id.removeprefix(AMAP_PREFIX)
        known = amap_id.startswith(AMAP_PREFIX) and len(digits) == 4 and digits.isascii() and digits.isdigit()
        return self.all[int(digits) - 1] if known and 1 <= int(digits) <= len(self.all) else None

    def claimed_by(self, account: SandboxAccount) -> list[Place]:
        """Return the places of an account, one to three; account 3 has none."""
        if account.index == CLAIMS_NOTHING:
            return []
        draw = DeterministicRng(self._seed, name("claims"), account.index)
        numbers = dict.fromkeys(draw.bits() % len(self.all) for _ in range(1 + draw.bits() % 3))
        return [self.all[n] for n in numbers]

    def search(self, keyword: str, city: str | None) -> list[Place]:
        """Return places whose name contains the word, the most viewed first; ``city`` with or without 市."""
        found = [
            p
            for p in self.all
            if keyword in p.name and (city is None or city.removesuffix("市") == p.city.removesuffix("市"))
        ]
        return sorted(found, key=lambda p: (-p.views, p.number))

    # ---- numbers of a day

    def day_views(self, place: Place, day: int) -> int:
        """Return the page views of a day: more on weekends, above all of scenic spots."""
        weekend = (day + 3) % 7 >= 5
        return int(
            place.views * random_walk(place.key, day) * ((1.7 if place.category == 20 else 1.25) if weekend else 1)
        )

    def day_services(self, place: Place, day: int) -> tuple[int, int, int]:
        """Return (visitors who saw a service, who clicked, orders)."""
        seen = int(self.day_views(place, day) * (0.5 + 0.4 * unit(mix(place.key, 1))))
        clicked = int(seen * (0.03 + 0.09 * unit(mix(place.key, 2, day))))
        return seen, clicked, int(clicked * (0.02 + 0.1 * unit(mix(place.key, 3, day))))

    def audience(self, place: Place, who: str, last: int, days: int) -> dict[str, list[tuple[str, str]]]:
        """Return (label, value) of the visitors or buyers of ``days`` days up to ``last``.

        Values are shares, for cities numbers; "" is unknown.
        """
        draw = DeterministicRng(place.key, name(who))
        people = sum(
            (self.day_services(place, d)[2] if who == "buyers" else self.day_views(place, d))
            for d in range(last - days + 1, last + 1)
        )

        def shares(labels: tuple[str, ...]) -> list[tuple[str, str]]:
            weights = [draw.between(0.1, 1) * random_walk(mix(draw.key, i), last // 3) for i in range(len(labels))]
            return [
                (label, f"{part / 10_000:.4f}") for label, part in zip(labels, apportion(10_000, weights), strict=True)
            ]

        home = [c for c in CITIES if c[1] == place.city] + [c for c in CITIES if c[1] != place.city][:7]
        labels = [c[1].removesuffix("市") for c in home] + [""]
        weights = [8.0, *(draw.between(0.2, 1.5) for _ in labels[2:]), 0.3]
        cities = list(zip(labels, map(str, apportion(people, weights)), strict=True))
        return {
            "gender_list": shares(("男", "女", "" if place.key % 2 else "未知")),
            "age_list": shares((*_AGES, "") if place.key % 3 else _AGES),
            "city_list": cities,
        }

    def _board(self, category: int, day: int) -> tuple[tuple[Place, str], ...]:
        """Return (place, score as text) of the heat list, best first."""
        heat = {
            p: math.log(p.views * (0.85 + 0.15 * random_walk(p.key, day))) for p in self.all if p.category == category
        }
        best = sorted(heat, key=lambda p: (-heat[p], p.number))
        low, high = heat[best[-1]], heat[best[0]]
        return tuple(
            (p, f"{60 + 39.5 * (heat[p] - low) / (high - low):.2f}".removesuffix(".00")) for p in best[:BOARD_SIZE]
        )
