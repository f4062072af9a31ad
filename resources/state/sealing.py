"""Sealing tokens: what lies in the state database is of no use without the key from the environment."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_MARK = "sealed:"
_HOW = "make one with `douyin accounts new-key` and put it into .env"
NO_TOKEN_KEY = f"DOUYIN_TOKEN_KEY is not set, and tokens are stored sealed only: {_HOW}"


class TokenKeyError(RuntimeError):
    """Tokens cannot be stored or read: the key is missing, wrong, or no key at all. The message says what to do."""


class Vault:
    """Seals and opens texts.

    ``keys`` are Fernet keys, comma separated: the first seals, all open, so that keys can be changed.
    """

    def __init__(self, keys: str | None) -> None:
        self._fernet: MultiFernet | None = None
        names = [k.strip() for k in (keys or "").split(",") if k.strip()]
        if names:
            try:
                self._fernet = MultiFernet([Fernet(k) for k in names])
            except ValueError as error:
                raise TokenKeyError(
                    f"DOUYIN_TOKEN_KEY holds something that is no key (32 bytes in url-safe base64): {_HOW}"
                ) from error

    @property
    def ready(self) -> bool:
        return self._fernet is not None

    def seal(self, text: str) -> str:
        """Raises TokenKeyError where there is no key."""
        return _MARK + self._need().encrypt(text.encode()).decode()

    def open(self, text: str) -> str:
        """The text that was sealed; one that an earlier version stored unsealed comes back as it is.

        Raises:
            TokenKeyError: there is no key, or it is not the one that sealed.
        """
        if not is_sealed(text):
            return text
        try:
            return self._need().decrypt(text.removeprefix(_MARK).encode()).decode()
        except InvalidToken as error:
            raise TokenKeyError(
                "DOUYIN_TOKEN_KEY is not the key that the stored tokens were sealed with: put the former "
                "key back (several keys "
                "may stand there, comma separated, the newest first). If it is lost, every account must "
                "authorise again: "
                "`douyin accounts remove` and `douyin authorize`"
            ) from error

    def _need(self) -> MultiFernet:
        if self._fernet is None:
            raise TokenKeyError(NO_TOKEN_KEY)
        return self._fernet


def is_sealed(text: str) -> bool:
    return text.startswith(_MARK)


def new_key() -> str:
    """A fresh key."""
    return Fernet.generate_key().decode()
