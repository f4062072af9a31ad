"""Vary the form of values: the contract lets integers be text, codes be text, members be missing.

The form of a response follows from its key (seed, operation, request, instant), so the same request at the same instant
gets the same bytes. A plain form makes no choice: numbers as numbers and every optional member, as the platform's
published samples show them.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1


class Form:
    """Choices of form, made one after another from 64 bits.

    ``style`` is 0 for numbers as numbers, 1 for all as text, 2 for a mixture. ``plain`` is the form of published
    samples.
    """

    __slots__ = ("_state", "bits", "plain", "style")

    def __init__(self, bits: int, plain: bool = False) -> None:
        self.bits, self.plain = bits, plain
        self._state = bits
        choice = bits & 7
        self.style = 0 if plain or choice < 3 else 1 if choice < 5 else 2

    def below(self, n: int) -> int:
        """Return the next choice among ``n``."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        return (self._state >> 33) % n

    def whole(self, value: int) -> int | str:
        """Write an integer (IntOrString)."""
        if self.style == 0 or (self.style == 2 and self.below(2)):
            return value
        return str(value)

    def number(self, value: float) -> float | int | str:
        """Write a number (NumOrString); text may have an exponent with enough digits to lose nothing."""
        plain = int(value) if value == int(value) else value
        if self.style == 0 or (self.style == 2 and self.below(3)):
            return plain
        return f"{value:.9e}" if self.below(8) == 0 else str(plain)

    def flag(self, bit: int) -> bool:
        """Return a choice for the whole response: bit 8..63 of its key; always no in the plain form."""
        return not self.plain and bool(self.bits >> bit & 1)

    def rare(self, bit: int, mask: int = 7) -> bool:
        """Return true for one response in ``mask`` + 1; never in the plain form."""
        return not self.plain and (self.bits >> bit & mask) == 0
