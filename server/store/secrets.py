"""What is encrypted at rest. A stolen database is worth nothing without the keys.

Fernet has no associated data, so whose secret it is stands inside the plaintext and is compared:
a row copied under another owner does not open.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class CannotOpen(Exception):
    """The keys do not open this secret, or it belongs to somebody else."""


class Vault:
    """Seals small JSON values. The first key encrypts, all keys decrypt."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key.encode()) for key in keys])

    def seal(self, owner: str, value: Any) -> str:
        plain = json.dumps({"owner": owner, "value": value})
        return self._fernet.encrypt(plain.encode()).decode()

    def open(self, owner: str, sealed: str) -> Any:
        """Raises CannotOpen."""
        try:
            inside = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken as err:
            raise CannotOpen("BILLHOOK_SECRET_KEYS does not hold the key of this secret") from err
        if inside["owner"] != owner:
            raise CannotOpen("the secret belongs to another owner")
        return inside["value"]


def new_key() -> str:
    """A random name of 160 bits for a URL; found again by its hash alone."""
    return secrets.token_urlsafe(20)


def hash_of(key: str) -> str:
    """Random keys of 128 bits and more need no salt: SHA-256 finds them, and nothing leads back."""
    return hashlib.sha256(key.encode()).hexdigest()
