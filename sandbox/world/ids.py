"""Video ids: encrypted-looking text that only its own world can read back."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

_MASK = (1 << 64) - 1
_ODD = 0x9E3779B97F4A7C15
_INVERSE = pow(_ODD, -1, 1 << 64)


def _scramble(value: int, key: int) -> int:
    """A permutation of 64-bit values."""
    value = ((value ^ key) * _ODD) & _MASK
    value ^= value >> 32
    return (value * _ODD) & _MASK


def _unscramble(value: int, key: int) -> int:
    value = (value * _INVERSE) & _MASK
    value ^= value >> 32
    return ((value * _INVERSE) & _MASK) ^ key


class ItemIds:
    """Writes and reads item_id for (owner, slot): ``@`` and base64 with ``/``, ``+`` and ``=`` in it."""

    def __init__(self, seed: int) -> None:
        self._secret = hashlib.blake2b(f"item {seed}".encode(), digest_size=16).digest()
        self._key = int.from_bytes(self._secret[:8], "big")
        self.write = lru_cache(maxsize=131_072)(self._write)
        self.read = lru_cache(maxsize=131_072)(self._read)

    def _write(self, owner: int, slot: int) -> str:
        head = _scramble(owner << 32 | slot, self._key).to_bytes(8, "big")
        tail = hashlib.blake2b(head, digest_size=23, key=self._secret).digest()
        text = base64.b64encode(head + tail).decode()
        return f"@9{text[:8]}/{text[8:20]}+{text[20:]}"

    def _read(self, item_id: str) -> tuple[int, int] | None:
        """(owner, slot), or None when the id is not of this world."""
        if len(item_id) != 48 or not item_id.startswith("@9") or item_id[10] != "/" or item_id[23] != "+":
            return None
        try:
            raw = base64.b64decode(item_id[2:10] + item_id[11:23] + item_id[24:], validate=True)
        except ValueError:
            return None
        value = _unscramble(int.from_bytes(raw[:8], "big"), self._key)
        owner, slot = value >> 32, value & 0xFFFFFFFF
        return (owner, slot) if self.write(owner, slot) == item_id else None
