"""Write and read ids of videos, comments, messages and people.

They look encrypted, and only the world that wrote them can read them.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

_MASK = (1 << 64) - 1
_ODD = 0x9E3779B97F4A7C15
_INVERSE = pow(_ODD, -1, 1 << 64)


def _scramble(value: int, key: int) -> int:
    """Apply a permutation of the 64-bit values that depends on ``key``."""
    value = ((value ^ key) * _ODD) & _MASK
    value ^= value >> 32
    return (value * _ODD) & _MASK


def _unscramble(value: int, key: int) -> int:
    value = (value * _INVERSE) & _MASK
    value ^= value >> 32
    return ((value * _INVERSE) & _MASK) ^ key


class ItemIds:
    """Codec of item_id for (owner, slot): ``mark`` and base64 with ``/``, ``+`` and ``=`` in it.

    ``what`` separates the ids of different things: each kind has a secret of its own. Both numbers have 32 bits.
    """

    def __init__(self, seed: int, what: str = "item", mark: str = "@9") -> None:
        self._mark, self._length = mark, len(mark) + 46
        self._secret = hashlib.blake2b(f"{what} {seed}".encode(), digest_size=16).digest()
        self._key = int.from_bytes(self._secret[:8], "big")
        self.write = lru_cache(maxsize=131_072)(self._write)
        self.read = lru_cache(maxsize=131_072)(self._read)

    def _write(self, owner: int, slot: int) -> str:
        head = _scramble(owner << 32 | slot, self._key).to_bytes(8, "big")
        tail = hashlib.blake2b(head, digest_size=23, key=self._secret).digest()
        text = base64.b64encode(head + tail).decode()
        return f"{self._mark}{text[:8]}/{text[8:20]}+{text[20:]}"

    def _read(self, item_id: str) -> tuple[int, int] | None:
        """Return (owner, slot), or None if the id is not of this world."""
        if len(item_id) != self._length or not item_id.startswith(self._mark):
            return None
        text = item_id[len(self._mark) :]
        if text[8] != "/" or text[21] != "+":
            return None
        try:
            raw = base64.b64decode(text[:8] + text[9:21] + text[22:], validate=True)
        except ValueError:
            return None
        value = _unscramble(int.from_bytes(raw[:8], "big"), self._key)
        owner, slot = value >> 32, value & 0xFFFFFFFF
        return (owner, slot) if self.write(owner, slot) == item_id else None


class OpenIds:
    """Codec of open_id for a number of up to 64 bits.

    An open_id is a UUID whose digits are the number, scrambled, and a check.
    """

    def __init__(self, seed: int) -> None:
        self._secret = hashlib.blake2b(f"person {seed}".encode(), digest_size=16).digest()
        self._key = int.from_bytes(self._secret[:8], "big")
        self.write = lru_cache(maxsize=65_536)(self._write)
        self.read = lru_cache(maxsize=65_536)(self._read)

    def _write(self, number: int) -> str:
        head = _scramble(number, self._key).to_bytes(8, "big")
        h = (head + hashlib.blake2b(head, digest_size=7, key=self._secret).digest()).hex()
        return f"{h[:8]}-{h[8:12]}-4{h[12:15]}-9{h[15:18]}-{h[18:]}"

    def _read(self, open_id: str) -> int | None:
        """Return the number, or None if the id is not of this world."""
        if len(open_id) != 36:
            return None
        h = open_id[:8] + open_id[9:13] + open_id[15:18] + open_id[20:23] + open_id[24:]
        try:
            head = bytes.fromhex(h)[:8]
        except ValueError:
            return None
        number = _unscramble(int.from_bytes(head, "big"), self._key)
        return number if self.write(number) == open_id else None
