"""Secrets at rest: encrypted with the key of the environment, never readable from a copy of the database."""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken


class Sealed(Exception):
    """A stored secret cannot be read with today's APP_SECRET_KEY."""


class Vault:
    """Seals and opens short secrets."""

    def __init__(self, key: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
        self._decrypt = lru_cache(maxsize=256)(self._fernet.decrypt)  # the same few, for every request

    def seal(self, secret: str) -> bytes:
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Give the secret back.

        Raises:
            Sealed: another key sealed it.
        """
        try:
            return self._decrypt(sealed).decode()
        except InvalidToken:
            raise Sealed from None
