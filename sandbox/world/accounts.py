"""Invent authorised accounts: their profiles, their first fans, and how often they publish."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.hashing import DeterministicRng, hex_text, name
from sandbox.vocabulary import CATEGORIES, NAME_HEADS, NAME_TAILS

_TIERS = ((120_000, 600_000), (20_000, 80_000), (1_200, 2_000), (25, 55), (1_000_000, 3_000_000))
"""Fans of the first five accounts: large, medium, below 3,000, below 100, very large. Every world thus covers all
thresholds.
"""

_LISTED_WEEKS = (16.0, 30.0)
"""Weeks after which a video is taken down, from and to."""


@dataclass(frozen=True, slots=True, eq=False)
class SandboxAccount:
    """One account; compared by identity, since the world keeps one record of each.

    ``per_week`` is its publishing rhythm. ``listed_s`` is how long its videos stay listed before the author takes them
    down (seconds), which keeps their number about the configured one for ever. ``growth`` is the yearly growth of
    ``base_fans`` apart from the fans brought by single videos.
    """

    index: int
    key: int
    open_id: str
    union_id: str
    nickname: str
    avatar: str
    category: str
    base_fans: int
    growth: float
    per_week: float
    phase: float
    listed_s: float
    hours: tuple[int, ...]

    @property
    def enterprise(self) -> bool:
        """Whether it is 企业号: three accounts in five, among the first five the large ones."""
        return self.index % 5 in (0, 1, 4)

    @property
    def business(self) -> bool:
        """Whether it gave business consent (经营授权): all but one account in sixteen did."""
        return self.index % 16 != 15


MOST_FANS = 3_000_000


def make_account(seed: int, id_seed: int, index: int, videos: int, most_fans: int = MOST_FANS) -> SandboxAccount:
    """Create the account ``index`` of the world ``seed`` that lists about ``videos`` videos.

    Another ``id_seed`` changes its open_id only.
    """
    draw = DeterministicRng(seed, name("account"), index)
    h = hex_text(64, draw.key)
    i = h if id_seed == seed else hex_text(32, draw.key, id_seed)
    category = CATEGORIES[index % len(CATEGORIES)]
    low, high = (min(fans, most_fans) for fans in (_TIERS[index] if index < len(_TIERS) else (60, MOST_FANS)))
    listed_weeks = draw.between(*_LISTED_WEEKS)
    first_hour = draw.pick((7, 11, 12, 17, 18, 19, 20))
    return SandboxAccount(
        index=index,
        key=draw.key,
        open_id=f"{i[:8]}-{i[8:12]}-4{i[13:16]}-a{i[17:20]}-{i[20:32]}",
        union_id=f"{h[32:40]}-{h[40:44]}-4{h[45:48]}-b{h[49:52]}-{h[52:64]}",
        nickname=draw.pick(NAME_HEADS) + draw.pick(NAME_TAILS[category]) + (str(index) if index >= 64 else ""),
        avatar=f"https://p{1 + index % 3}-avatar.example.cn/avatar/u-{h[:10]}.jpeg",
        category=category,
        base_fans=int(draw.log_between(low, max(high, low + 1))),
        growth=draw.between(-0.03, 0.25),
        per_week=videos / listed_weeks,
        phase=draw.unit(),
        listed_s=listed_weeks * 7 * 86_400,
        hours=tuple((first_hour + d) % 24 for d in (0, 0, 1, 5)),
    )
