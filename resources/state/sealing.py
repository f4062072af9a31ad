"""Encrypt stored secrets: the state database is useless without the key from the environment."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_MARK = "sealed:"
_HOW = "make one with `douyin accounts new-key` and put it into .env"
NO_TOKEN_KEY = f"DOUYIN_TOKEN_KEY is not set, and tokens are stored sealed only: {_HOW}"


class TokenKeyError(RuntimeError):
    """Tokens cannot be stored or read: the key is missing, wrong or malformed; the message says what to do."""


class Vault:
    """Encryption of texts.

    ``keys`` are Fernet keys, comma separated: the first encrypts, all decrypt, so that keys can be changed.

    Raises:
        TokenKeyError: a key is malformed.
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
        """Whether there is a key."""
        return self._fernet is not None

    def seal(self, text: str) -> str:
        """Encrypt a text with the first key.

        Raises:
            TokenKeyError: there is no key.
        """
        return _MARK + self._need().encrypt(text.encode()).decode()

    def open(self, text: str) -> str:
        """Decrypt a text; one that an earlier version stored unencrypted is returned unchanged.

        Raises:
            TokenKeyError: there is no key, or none that decrypts the text.
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
    """Return whether a stored text is encrypted."""
    return text.startswith(_MARK)


def new_key() -> str:
    """Generate a key."""
    return Fernet.generate_key().decode()
